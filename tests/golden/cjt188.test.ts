import { expect, test } from 'vitest'
import { type Cjt188Request, cjt188Question, readCjt188, unitOf } from '../../drivers/rs485/codec/cjt188.ts'
import { decodeBcd } from '../../drivers/rs485/codec/dlt645.ts'
import { hex, show } from '../hex.ts'

/*
 * Frames as they were published (juejin 7434714229318500379 prints the text of CJ/T 188-2004; a JY heat meter; cnblogs
 * 8683992), or laid out by hand from the standard with their sums recomputed.
 */
const WAKE = 'fe fe fe fe'
const WATER = { type: 0x10, address: '00002020120218', identifier: 0x901f, order: 'high-first' } as const
const HEAT = { type: 0x20, address: '00000040314132', identifier: 0x901f, order: 'high-first' } as const

function read(meter: Pick<Cjt188Request, 'type' | 'address' | 'identifier' | 'order'>, serial: number, bytes: number) {
  return { ...meter, control: 0x01, serial, answerBytes: bytes } as const
}

function valve(address: string, code: string): Cjt188Request {
  const what = { identifier: 0xa017, order: 'high-first', serial: 1, data: hex(code), answerBytes: 2 } as const
  return { type: 0x10, address, control: 0x04, ...what }
}

test.each([
  ['what a water meter shows (published)', read(WATER, 0, 19), '68 10 18 02 12 20 20 00 00 01 03 90 1f 00 97 16'],
  [
    'the same turned round (published)',
    read({ ...WATER, address: '78330011223344', order: 'low-first' }, 0, 19),
    '68 10 44 33 22 11 00 33 78 01 03 1f 90 00 80 16',
  ],
  ['what a heat meter shows (JY)', read(HEAT, 1, 43), '68 20 32 41 31 40 00 00 00 01 03 90 1f 01 20 16'],
  [
    'the address of whoever is there (published)',
    {
      type: 0xaa,
      address: 'AAAAAAAAAAAAAA',
      control: 0x03,
      identifier: 0x810a,
      order: 'high-first',
      serial: 0,
      answerBytes: 0,
    } as const,
    '68 aa aa aa aa aa aa aa aa 03 03 81 0a 00 49 16',
  ],
  ['a valve to open (published)', valve('78331505900569', '55'), '68 10 69 05 90 05 15 33 78 04 04 a0 17 01 55 50 16'],
  ['a valve to close', valve('78331505900569', '99'), '68 10 69 05 90 05 15 33 78 04 04 a0 17 01 99 94 16'],
])('is asked for: %s', (_what, request, frame) => {
  expect(show(cjt188Question(request).frame)).toBe(`${WAKE} ${frame}`)
})

const TWO_CUBIC_METRES =
  '68 10 18 02 12 20 20 00 00 81 16 90 1f 00 00 02 00 00 2c 00 02 00 00 2c 00 00 00 00 00 00 00 00 ff 85 16'

function answered(request: Cjt188Request, received: string) {
  const match = cjt188Question(request).match(hex(received))
  if (match.kind !== 'answer') throw new Error(`not taken for the answer: ${match.seen}`)
  const answer = readCjt188(match.payload, request.identifier)
  if (answer.kind !== 'data') throw new Error(`refused with ${answer.state}`)
  return answer
}

function numbers(data: Uint8Array, places: readonly (readonly [at: number, bytes: number, decimals: number])[]) {
  return places.map(([at, bytes, decimals]) => decodeBcd(data.subarray(at, at + bytes), decimals))
}

test('a water meter answers 2.00 m3 (published)', () => {
  for (const wake of ['', 'fe fe', WAKE]) {
    const answer = answered(read(WATER, 0, 19), `${wake} ${TWO_CUBIC_METRES}`)
    expect(answer).toMatchObject({ type: 0x10, address: '00002020120218', order: 'high-first' })
    expect(answer.data.length).toBe(19)
    expect(numbers(answer.data, [[0, 4, 2]])).toEqual([2])
    expect(unitOf(answer.data[4]!)).toEqual({ unit: 'm3', scale: 1 })
  }
})

test('a water meter answers 1234.56 m3, and 1234.00 on the day of account', () => {
  const frame =
    '68 10 44 33 22 11 00 33 78 81 16 90 1f 00 56 34 12 00 2c 00 34 12 00 2c 05 30 12 23 11 26 20 00 00 0e 16'
  const { data } = answered(read({ ...WATER, address: '78330011223344' }, 0, 19), frame)
  expect(
    numbers(data, [
      [0, 4, 2],
      [5, 4, 2],
    ]),
  ).toEqual([1234.56, 1234])
})

test('a heat meter answers energy, power, flow, volume and both temperatures', () => {
  const frame =
    '68 20 32 41 31 40 00 00 00 81 2e 90 1f 01 00 50 10 00 05 75 34 11 00 05 50 12 00 00 17 34 12 00 00 35 ' +
    '00 45 23 01 2c 35 65 00 66 45 00 34 12 00 05 30 12 23 11 26 20 00 00 c4 16'
  const { data } = answered(read(HEAT, 1, 43), frame)
  const places = [
    [0, 4, 2],
    [5, 4, 2],
    [10, 4, 2],
    [15, 4, 4],
    [20, 4, 2],
    [25, 3, 2],
    [28, 3, 2],
    [31, 3, 0],
  ] as const
  expect(numbers(data, places)).toEqual([1050, 1134.75, 12.5, 0.1234, 12345, 65.35, 45.66, 1234])
  expect([4, 9, 14, 19, 24].map((at) => unitOf(data[at]!)?.unit)).toEqual(['kWh', 'kWh', 'kW', 'm3/h', 'm3'])
})

test('whoever is asked for any address answers with its own, and its type (published)', () => {
  const request = {
    type: 0xaa,
    address: 'AAAAAAAAAAAAAA',
    control: 0x03,
    identifier: 0x810a,
    order: 'high-first',
  } as const
  const answer = answered({ ...request, serial: 0, answerBytes: 0 }, '68 10 18 02 12 20 20 00 00 83 03 81 0a 00 f5 16')
  expect(answer).toMatchObject({ type: 0x10, address: '00002020120218' })
})

test('a valve tells its state when it was moved, or why it refuses', () => {
  const open = valve('78330011223344', '55')
  expect(answered(open, '68 10 44 33 22 11 00 33 78 84 05 a0 17 01 00 00 0e 16').data).toEqual(hex('00 00'))
  const refused = cjt188Question(read({ ...WATER, address: '78330011223344' }, 0, 19)).match(
    hex('68 10 44 33 22 11 00 33 78 c1 03 00 04 00 95 16'),
  )
  expect(refused.kind === 'answer' && readCjt188(refused.payload, 0x901f)).toEqual({ kind: 'refused', state: '0400' })
})

test('an answer is taken in either order of its identifier, and with any number, and says which', () => {
  const turned = TWO_CUBIC_METRES.replace('90 1f 00', '1f 90 00')
  expect(answered(read(WATER, 0, 19), turned).order).toBe('low-first')
  expect(answered(read({ ...WATER, order: 'low-first' }, 7, 19), TWO_CUBIC_METRES).order).toBe('high-first')
})

test.each([
  ['of another meter', { address: '00002020120219' }, TWO_CUBIC_METRES, 'another'],
  ['of another type', { type: 0x20 }, TWO_CUBIC_METRES, 'another'],
  ['to another question', { identifier: 0xd120 }, TWO_CUBIC_METRES, 'another'],
  ['that is our own request', {}, '68 10 18 02 12 20 20 00 00 01 03 90 1f 00 97 16', 'another'],
  ['with a wrong sum', {}, TWO_CUBIC_METRES.replace('85 16', '86 16'), 'damaged'],
  ['without its end', {}, TWO_CUBIC_METRES.replace('85 16', '85 00'), 'damaged'],
])('a frame %s is no answer', (_what, change, received, seen) => {
  expect(cjt188Question({ ...read(WATER, 0, 19), ...change }).match(hex(received))).toMatchObject({
    kind: 'more',
    seen,
  })
})

test('an answer is found behind noise, and is asked for byte by byte until it is whole', () => {
  const before = hex('00 68 16 fe 68 68')
  const whole = Uint8Array.from([...before, ...hex(`${WAKE} ${TWO_CUBIC_METRES}`)])
  const question = cjt188Question(read(WATER, 0, 19))
  for (let length = 0; length < whole.length; length++) {
    const match = question.match(whole.subarray(0, length))
    if (match.kind !== 'more') throw new Error(`an answer at ${length} of ${whole.length} bytes`)
    expect(match.missingBytes).toBeGreaterThan(0)
    expect(length + match.missingBytes).toBeLessThanOrEqual(whole.length)
  }
  expect(question.match(whole)).toMatchObject({ kind: 'answer', start: before.length + 4, end: whole.length })
})
