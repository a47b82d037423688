import { expect, test } from 'vitest'
import { crc16 } from '../../drivers/rs485/codec/crc16.ts'
import { encodeTcpFrame, takeTcpFrame } from '../../drivers/rs485/codec/mbap.ts'
import { answerBytes, decodeRead, encodeRead, READ_FUNCTIONS, type ReadRequest } from '../../drivers/rs485/codec/pdu.ts'
import { encodeFrame, findAnswer } from '../../drivers/rs485/codec/rtu.ts'

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'))
const show = (bytes: Uint8Array): string => (Buffer.from(bytes).toString('hex').match(/../g) ?? []).join(' ')

/** Requests and answers as MODBUS Application Protocol Specification V1.1b3 prints them. */
const SPECIFICATION: readonly [
  clause: string,
  request: ReadRequest,
  asked: string,
  answered: string,
  values: readonly number[],
][] = [
  [
    '6.1 coils 20 to 38',
    { table: 'coil', address: 0x13, count: 19 },
    '01 00 13 00 13',
    '01 03 cd 6b 05',
    [...bits('cd 6b 05', 19)],
  ],
  [
    '6.2 discrete inputs 197 to 218',
    { table: 'discrete', address: 0xc4, count: 22 },
    '02 00 c4 00 16',
    '02 03 ac db 35',
    [...bits('ac db 35', 22)],
  ],
  [
    '6.3 holding registers 108 to 110',
    { table: 'holding', address: 0x6b, count: 3 },
    '03 00 6b 00 03',
    '03 06 02 2b 00 00 00 64',
    [0x22b, 0, 0x64],
  ],
  ['6.4 input register 9', { table: 'input', address: 8, count: 1 }, '04 00 08 00 01', '04 02 00 0a', [10]],
]

/** The first bit is the lowest one of the first byte (6.1). */
function bits(text: string, count: number): number[] {
  const all = text
    .split(' ')
    .flatMap((byte) => [...Number.parseInt(byte, 16).toString(2).padStart(8, '0')].reverse().map(Number))
  return all.slice(0, count)
}

test.each(SPECIFICATION)('%s', (_clause, request, asked, answered, values) => {
  expect(show(encodeRead(request))).toBe(asked)
  expect(answerBytes(request)).toBe(hex(answered).length)
  expect(decodeRead(request, hex(answered))).toEqual(values)
})

test('an exception is told with what was asked (7: function + 80, code)', () => {
  const request = { table: 'coil', address: 0x4a1, count: 1 } as const
  expect(() => decodeRead(request, hex('81 02'))).toThrow(
    'the device says "illegal data address" (2) to coil 1185, 1 long',
  )
})

/** Modbus over Serial Line V1.02, 6.2.2: the frame 02 07 has the CRC 1241 and ends in 41 12. */
test('the check sum of the specification', () => {
  expect(crc16(hex('02 07')).toString(16)).toBe('1241')
  expect(show(encodeFrame(2, hex('07')))).toBe('02 07 41 12')
})

/** The frames of models.md, rule 12: the import register of an SDM72 at unit 12. */
test('an SDM72 tells its import register', () => {
  const request = { table: 'input', address: 0x48, count: 2 } as const
  expect(show(encodeFrame(12, encodeRead(request)))).toBe('0c 04 00 48 00 02 f0 c0')
  const expected = { unit: 12, function: READ_FUNCTIONS.input, pduBytes: 6, byteCount: 4 }
  const answer = findAnswer(hex('0c 04 04 43 66 80 00 b3 1f'), expected)
  expect(answer.found && decodeRead(request, answer.pdu)).toEqual([0x4366, 0x8000])
})

/** MODBUS Messaging on TCP/IP V1.0b, 4.4.2.1: transaction 15 01, unit FF, one register at 4. */
test('the frame of Modbus TCP', () => {
  const frame = '15 01 00 00 00 06 ff 03 00 04 00 01'
  expect(show(encodeTcpFrame({ transaction: 0x1501, unit: 0xff, pdu: hex('03 00 04 00 01') }))).toBe(frame)
  expect(takeTcpFrame(hex(frame))).toEqual({
    bytes: 12,
    frame: { transaction: 0x1501, unit: 0xff, pdu: hex('03 00 04 00 01') },
  })
  for (let length = 0; length < 12; length++) expect(takeTcpFrame(hex(frame).slice(0, length))).toBeUndefined()
})

test('what is no Modbus TCP is refused at its header', () => {
  expect(() => takeTcpFrame(Buffer.from('HTTP/1.1 400 Bad Request'))).toThrow('what answers there is no Modbus TCP')
})
