import { expect, test } from 'vitest'
import {
  type Dlt645Request,
  decodeBcd,
  dlt645Frame,
  dlt645Question,
  readDlt645,
} from '../../drivers/rs485/codec/dlt645.ts'
import { hex, show } from '../hex.ts'

/*
 * Frames as they were published, or laid out by hand from DL/T 645-2007 with their sums recomputed. Of a published
 * exchange the source stands beside it: RT-Thread article 121776632 (Chint DDSU666), sandxin/dlt645, juejin
 * 7468708001337491510.
 */
const METER = '202107072529'
const WAKE = 'fe fe fe fe'

/** The data identifier as it is printed, DI3 first; on the wire DI0 comes first. */
function reading(identifier: string, valueBytes: number, control = 0x11): Dlt645Request {
  const data = hex(identifier).reverse()
  return { control, data, echoes: 4, answerBytes: 4 + valueBytes }
}

test.each([
  ['forward active energy', METER, reading('00010000', 4), '68 29 25 07 07 21 20 68 11 04 33 33 34 33 4f 16'],
  ['combined active energy (juejin)', METER, reading('00000000', 4), '68 29 25 07 07 21 20 68 11 04 33 33 33 33 4e 16'],
  [
    'forward energy of 161 (Chint)',
    '000000000161',
    reading('00010000', 4),
    '68 61 01 00 00 00 00 68 11 04 33 33 34 33 14 16',
  ],
  ['voltage of 161 (Chint)', '000000000161', reading('02010100', 2), '68 61 01 00 00 00 00 68 11 04 33 34 34 35 17 16'],
  [
    'the address of whoever is there',
    'AAAAAAAAAAAA',
    { control: 0x13, data: hex(''), echoes: 0, answerBytes: 6 },
    '68 aa aa aa aa aa aa 68 13 00 df 16',
  ],
  [
    'what follows, the first time',
    METER,
    { control: 0x12, data: hex('01 00 00 06 01'), echoes: 4, answerBytes: 7 },
    '68 29 25 07 07 21 20 68 12 05 34 33 33 39 34 8b 16',
  ],
])('is asked for: %s', (_what, address, request, frame) => {
  expect(show(dlt645Question(address, request).frame)).toBe(`${WAKE} ${frame}`)
})

test('the time for everybody: 2026-11-23 12:30:00, seconds first', () => {
  const frame = dlt645Frame({ address: '999999999999', control: 0x08, data: hex('00 30 12 23 11 26') })
  expect(show(frame)).toBe(`${WAKE} 68 99 99 99 99 99 99 68 08 06 33 63 45 56 44 59 42 16`)
})

test.each([
  [
    '1234.56 kWh',
    METER,
    reading('00010000', 4),
    '68 29 25 07 07 21 20 68 91 08 33 33 34 33 89 67 45 33 3b 16',
    1234.56,
    2,
    false,
  ],
  [
    '317.76 kWh (juejin)',
    METER,
    reading('00000000', 4),
    '68 29 25 07 07 21 20 68 91 08 33 33 33 33 a9 4a 36 33 2e 16',
    317.76,
    2,
    true,
  ],
  [
    '0.26 kWh (Chint)',
    '000000000161',
    reading('00010000', 4),
    '68 61 01 00 00 00 00 68 91 08 33 33 34 33 59 33 33 33 8a 16',
    0.26,
    2,
    false,
  ],
  [
    '100.1 V (Chint)',
    '000000000161',
    reading('02010100', 2),
    '68 61 01 00 00 00 00 68 91 06 33 34 34 35 34 43 10 16',
    100.1,
    1,
    false,
  ],
  [
    '-1.2345 kW',
    METER,
    reading('02030000', 3),
    '68 29 25 07 07 21 20 68 91 07 33 33 36 35 78 56 b4 58 16',
    -1.2345,
    4,
    true,
  ],
] as const)('is answered: %s', (_what, address, request, frame, value, decimals, signed) => {
  for (const wake of ['', WAKE]) {
    const received = hex(`${wake} ${frame}`)
    const match = dlt645Question(address, request).match(received)
    if (match.kind !== 'answer') throw new Error(`not taken for the answer: ${match.seen}`)
    expect(match.end).toBe(received.length)
    const answer = readDlt645(match.payload)
    if (answer.kind !== 'data') throw new Error(answer.reason)
    expect(answer.more).toBe(false)
    expect(decodeBcd(answer.data.subarray(4), decimals, signed)).toBe(value)
  }
})

/** Of a single-phase meter (sandxin/dlt645), and one whose sum happens to be 16H. */
test.each([
  ['042209026460', '68 60 64 02 09 22 04 68 91 0a 33 32 34 35 47 56 33 33 33 33 97 16', [231.4, 0, 0]],
  [METER, '68 29 25 07 07 21 20 68 91 0a 33 32 34 35 34 55 cb 54 43 55 16 16', [220.1, 219.8, 221]],
])('a block of three voltages of %s', (address, frame, volts) => {
  const match = dlt645Question(address, reading('0201FF00', 6)).match(hex(frame))
  if (match.kind !== 'answer') throw new Error(`not taken for the answer: ${match.seen}`)
  const values = match.payload.subarray(5)
  expect([0, 2, 4].map((at) => decodeBcd(values.subarray(at, at + 2), 1))).toEqual(volts)
})

test('a block of three currents, one of them backwards', () => {
  const frame = '68 29 25 07 07 21 20 68 91 0d 33 32 35 35 56 84 33 75 33 33 33 43 b3 eb 16'
  const match = dlt645Question(METER, reading('0202FF00', 9)).match(hex(frame))
  if (match.kind !== 'answer') throw new Error(`not taken for the answer: ${match.seen}`)
  const values = match.payload.subarray(5)
  expect([0, 3, 6].map((at) => decodeBcd(values.subarray(at, at + 3), 3, true))).toEqual([5.123, 0.042, -1])
})

test('whoever is asked for any address answers with its own', () => {
  const asked = dlt645Question('AAAAAAAAAAAA', { control: 0x13, data: hex(''), echoes: 0, answerBytes: 6 })
  const match = asked.match(hex('68 01 00 00 00 00 00 68 93 06 34 33 33 33 33 33 9d 16'))
  expect(match.kind === 'answer' && show(match.payload)).toBe('93 01 00 00 00 00 00')
})

test('a first frame says that more follows, the last one does not', () => {
  const first = dlt645Question(METER, reading('06000001', 3)).match(
    hex('68 29 25 07 07 21 20 68 b1 07 34 33 33 39 44 55 66 f7 16'),
  )
  expect(first.kind === 'answer' && readDlt645(first.payload)).toEqual({
    kind: 'data',
    data: hex('01 00 00 06 11 22 33'),
    more: true,
  })
  const follow = { control: 0x12, data: hex('01 00 00 06 01'), echoes: 4, answerBytes: 7 }
  const last = dlt645Question(METER, follow).match(hex('68 29 25 07 07 21 20 68 92 07 34 33 33 39 77 88 34 0c 16'))
  expect(last.kind === 'answer' && readDlt645(last.payload)).toEqual({
    kind: 'data',
    data: hex('01 00 00 06 44 55 01'),
    more: false,
  })
})

test.each([
  ['68 29 25 07 07 21 20 68 d1 01 35 74 16', 0x11, 0x02, 'there is no such data'],
  ['68 29 25 07 07 21 20 68 d4 01 37 79 16', 0x14, 0x04, 'the password is wrong or has no right to it'],
])('a meter refuses: %s', (frame, control, error, reason) => {
  const match = dlt645Question(METER, reading('00010000', 4, control)).match(hex(frame))
  expect(match.kind === 'answer' && readDlt645(match.payload)).toEqual({ kind: 'refused', error, reason })
})

const ANSWER = '68 29 25 07 07 21 20 68 91 08 33 33 34 33 89 67 45 33 3b 16'

test.each([
  ['of another meter', ANSWER, '202107072528', '00010000', 'another'],
  ['to another question, which comes late', ANSWER, METER, '00010100', 'another'],
  ['our own request', '68 29 25 07 07 21 20 68 11 04 33 33 34 33 4f 16', METER, '00010000', 'another'],
  ['with a wrong sum', ANSWER.replace('3b 16', '3c 16'), METER, '00010000', 'damaged'],
  ['without its end', ANSWER.replace('3b 16', '3b 17'), METER, '00010000', 'damaged'],
])('a frame %s is no answer', (_what, frame, address, identifier, seen) => {
  expect(dlt645Question(address, reading(identifier, 4)).match(hex(frame))).toMatchObject({ kind: 'more', seen })
})

test('an answer is found behind noise and another frame, and is asked for byte by byte until it is whole', () => {
  const before = hex('00 68 16 fe 68 61 01 00 00 00 00 68 91 06 33 34 34 35 34 43 10 16')
  const whole = Uint8Array.from([...before, ...hex(`${WAKE} ${ANSWER}`)])
  const question = dlt645Question(METER, reading('00010000', 4))
  for (let length = 0; length < whole.length; length++) {
    const match = question.match(whole.subarray(0, length))
    if (match.kind !== 'more') throw new Error(`an answer at ${length} of ${whole.length} bytes`)
    expect(match.missingBytes).toBeGreaterThan(0)
    expect(length + match.missingBytes).toBeLessThanOrEqual(whole.length)
  }
  expect(question.match(whole)).toMatchObject({ kind: 'answer', start: before.length + 4, end: whole.length })
})

test('digits that are none mean that there is no value', () => {
  expect(decodeBcd(hex('ff ff ff ff'), 2)).toBe(null)
  expect(decodeBcd(hex('1a 00'), 1)).toBe(null)
  expect(decodeBcd(hex('00 00 80'), 3, true)).toBe(0)
  expect(decodeBcd(hex('99 99 99 99'), 2)).toBe(999999.99)
})
