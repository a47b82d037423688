import { expect, test } from 'vitest'
import { crc16 } from '../../drivers/rs485/codec/crc16.ts'
import { mbapFrame, mbapFrames } from '../../drivers/rs485/codec/mbap.ts'
import {
  bitAt,
  type PduRequest,
  readAnswer,
  readRequest,
  wordAt,
  writeCoilRequest,
  writeCoilsRequest,
  writeRegisterRequest,
  writeRegistersRequest,
} from '../../drivers/rs485/codec/pdu.ts'
import { rtuFrame, rtuQuestion } from '../../drivers/rs485/codec/rtu.ts'
import { hex, show } from '../hex.ts'

interface Exchange {
  readonly clause: string
  readonly request: PduRequest
  readonly asked: string
  readonly answered: string
  /** What a read brings. */
  readonly values?: readonly (number | boolean)[]
}

/** The first bit is the lowest one of the first byte (6.1). */
const bits = (text: string): boolean[] =>
  text.split(' ').flatMap((byte) => [...byte].toReversed().map((digit) => digit === '1'))

/** The examples of the MODBUS Application Protocol Specification V1.1b3, as it prints them. */
const SPECIFICATION: readonly Exchange[] = [
  {
    clause: '6.1 Read Coils 20 to 38',
    request: readRequest('coil', 0x13, 0x13),
    asked: '01 00 13 00 13',
    answered: '01 03 cd 6b 05',
    // "outputs 27-20 are shown as CD hex, or binary 1100 1101", 35-28 as 6B, 38-36 as 05.
    values: bits('11001101 01101011 00000101').slice(0, 0x13),
  },
  {
    clause: '6.2 Read Discrete Inputs 197 to 218',
    request: readRequest('discrete', 0xc4, 0x16),
    asked: '02 00 c4 00 16',
    answered: '02 03 ac db 35',
    values: bits('10101100 11011011 00110101').slice(0, 0x16),
  },
  {
    clause: '6.3 Read Holding Registers 108 to 110',
    request: readRequest('holding', 0x6b, 3),
    asked: '03 00 6b 00 03',
    answered: '03 06 02 2b 00 00 00 64',
    // "the two byte values of 02 2B hex, or 555 decimal ... 00 00 and 00 64 hex, or 0 and 100 decimal"
    values: [555, 0, 100],
  },
  {
    clause: '6.4 Read Input Register 9',
    request: readRequest('input', 8, 1),
    asked: '04 00 08 00 01',
    answered: '04 02 00 0a',
    values: [10],
  },
  {
    clause: '6.5 Write Single Coil 173 ON',
    request: writeCoilRequest(0xac, true),
    asked: '05 00 ac ff 00',
    answered: '05 00 ac ff 00',
  },
  {
    clause: '6.6 Write Single Register 2 to 00 03 hex',
    request: writeRegisterRequest(1, 3),
    asked: '06 00 01 00 03',
    answered: '06 00 01 00 03',
  },
  {
    clause: '6.11 Write Multiple Coils, ten from 20: CD 01 hex (1100 1101 0000 0001 binary)',
    request: writeCoilsRequest(0x13, bits('11001101 00000001').slice(0, 10)),
    asked: '0f 00 13 00 0a 02 cd 01',
    answered: '0f 00 13 00 0a',
  },
  {
    clause: '6.12 Write Multiple Registers, two from 2: 00 0A and 01 02 hex',
    request: writeRegistersRequest(1, [0x0a, 0x102]),
    asked: '10 00 01 00 02 04 00 0a 01 02',
    answered: '10 00 01 00 02',
  },
]

test.each(SPECIFICATION)('Application Protocol V1.1b3, $clause', ({ request, asked, answered, values }) => {
  expect(show(request.pdu)).toBe(asked)
  expect(request.answerBytes).toBe(hex(answered).length)
  const answer = readAnswer(request, hex(answered))
  if (answer?.kind !== 'data') throw new Error('the answer of the specification was not taken for one')
  const { data } = answer
  if (values !== undefined) {
    expect(values.map((value, at) => (typeof value === 'boolean' ? bitAt(data, at) : wordAt(data, at)))).toEqual(values)
  }
})

/** Section 7: the client asks for coil 1245 (04A1), the server answers function 81, exception 02. */
test('Application Protocol V1.1b3, 7: an exception', () => {
  const request = readRequest('coil', 0x4a1, 1)
  expect(show(request.pdu)).toBe('01 04 a1 00 01')
  expect(readAnswer(request, hex('81 02'))).toEqual({ kind: 'exception', code: 2 })
})

test.each([
  ['another function', '04 02 00 0a'],
  ['an exception of another function', '84 02'],
  ['too short', '03 02 00'],
  ['too long', '03 02 00 0a 00'],
  ['a byte count that is not ours', '03 04 00 0a'],
])('what is no answer to a request is none: %s', (_name, pdu) => {
  expect(readAnswer(readRequest('holding', 8, 1), hex(pdu))).toBeUndefined()
})

test.each([
  ['another register', '06 00 02 00 03'],
  ['another value', '06 00 01 00 04'],
])('a write that answers for %s was not ours', (_name, pdu) => {
  expect(readAnswer(writeRegisterRequest(1, 3), hex(pdu))).toBeUndefined()
})

test.each([
  ['no register at all', () => readRequest('holding', 0, 0)],
  ['126 registers (6.3: at most 7D hex)', () => readRequest('holding', 0, 126)],
  ['2001 coils (6.1: at most 7D0 hex)', () => readRequest('coil', 0, 2001)],
  ['past the last address', () => readRequest('input', 0xffff, 2)],
  ['124 registers written (6.12: at most 7B hex)', () => writeRegistersRequest(0, Array(124).fill(0))],
  ['1969 coils written (6.11: at most 7B0 hex)', () => writeCoilsRequest(0, Array(1969).fill(true))],
])('what the specification does not have is never asked: %s', (_name, ask) => {
  expect(ask).toThrow(RangeError)
})

/** Modbus over Serial Line V1.02, 6.2.2: the frame 02 07 has the CRC 1241 hex, sent as 41 12. */
test('Serial Line V1.02, 6.2.2: the CRC', () => {
  expect(crc16(hex('02 07')).toString(16)).toBe('1241')
  expect(show(rtuFrame(2, hex('07')))).toBe('02 07 41 12')
})

/** Whole frames, each from the paper that stands beside it. */
test.each([
  [
    'Eastron SDM320Y manual (06-2018 V1.0), p. 42: voltage, 43 66 33 34 = 230.2',
    1,
    readRequest('input', 0, 2),
    '01 04 00 00 00 02 71 cb',
    '01 04 04 43 66 33 34 1b 38',
  ],
  [
    'Eastron SDM320Y manual, p. 42: pulse 1 output width, 42 C8 00 00 = 100',
    1,
    readRequest('holding', 0x0c, 2),
    '01 03 00 0c 00 02 04 08',
    '01 03 04 42 c8 00 00 6f b5',
  ],
  [
    'KBR multicomp F144 manual V2.01, p. 62: voltage, current, frequency',
    1,
    readRequest('input', 1, 6),
    '01 04 00 01 00 06 21 c8',
    '01 04 0c 43 6b 5a b4 42 dc 67 20 42 48 0c 63 af 7c',
  ],
  [
    'the import register of an SDM72 at unit 12: 4366 8000 = 230.5 kWh',
    12,
    readRequest('input', 0x48, 2),
    '0c 04 00 48 00 02 f0 c0',
    '0c 04 04 43 66 80 00 b3 1f',
  ],
])('%s', (_source, unit, request, asked, answered) => {
  const question = rtuQuestion(unit, request)
  expect(show(question.frame)).toBe(asked)
  expect(question.answerBytes).toBe(hex(answered).length)
  const match = question.match(hex(answered))
  expect(match.kind === 'answer' && show(match.payload)).toBe(answered.slice(3, -6))
})

/** MODBUS Messaging on TCP/IP Implementation Guide V1.0b, 4.4.2.1: transaction 15 01, unit FF, one register at 4. */
test('the frame of Modbus TCP', () => {
  const frame = '15 01 00 00 00 06 ff 03 00 04 00 01'
  expect(show(mbapFrame(0x1501, 0xff, readRequest('holding', 4, 1).pdu))).toBe(frame)
  const { frames, rest } = mbapFrames(hex(`${frame} 15 02`))
  expect(frames).toEqual([{ transaction: 0x1501, unit: 0xff, pdu: hex('03 00 04 00 01') }])
  expect(show(rest)).toBe('15 02')
  for (let length = 0; length < 12; length++) expect(mbapFrames(hex(frame).slice(0, length)).frames).toEqual([])
})

test.each([
  [
    'HTTP',
    [...Buffer.from('HTTP/1.1 400 Bad Request')].map((byte) => byte.toString(16)).join(' '),
    'protocol identifier',
  ],
  ['a length that no PDU has', '00 01 00 00 01 00 01 03', 'a length of 256'],
  ['a length without a function', '00 01 00 00 00 01 01', 'a length of 1'],
])('a stream that is no Modbus TCP is known by its header: %s', (_name, bytes, words) => {
  expect(mbapFrames(hex(bytes)).lost).toContain(words)
})
