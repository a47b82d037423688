import { expect, test } from 'vitest'
import { VirtualClock } from '../../hardware-sim/clock.ts'
import { Dlt645Meter, type Dlt645MeterOptions } from '../../hardware-sim/dlt645-meter.ts'
import { parseDlt645Profile } from '../../hardware-sim/profile.ts'
import { hex, show } from '../hex.ts'

/*
 * What a simulated meter answers, beside frames as they were published, or laid out by hand from DL/T 645-2007 with their
 * sums recomputed. Of a published exchange the source stands beside it: RT-Thread article 121776632 (Chint DDSU666),
 * sandxin/dlt645, juejin 7468708001337491510, the manual of heyuan (1997 edition), libdlt645.h.
 */
const METER = '202107072529'
const WAKE = 'fe fe fe fe'
/** Monday 2026-11-23, 12:30:05 in China. */
const NOON_MS = Date.UTC(2026, 10, 23, 4, 30, 5)

const volts = { unit: 'V', bytes: 2, decimals: 1 }
const amperes = { unit: 'A', bytes: 3, decimals: 3, signed: true }
const energy = { unit: 'kWh', bytes: 4, decimals: 2 }
const PROFILE = parseDlt645Profile({
  id: 'test/dlt645',
  protocol: 'dlt645',
  points: [
    { point: 'energy_total', identifier: '00000000', ...energy, signed: true },
    { point: 'energy_import', identifier: '00010000', ...energy },
    { point: 'voltage', identifier: '02010100', ...volts },
    { point: 'voltage_l1', identifier: '0201ff00', at: 0, ...volts },
    { point: 'voltage_l2', identifier: '0201ff00', at: 2, ...volts },
    { point: 'voltage_l3', identifier: '0201ff00', at: 4, ...volts },
    { point: 'current_l1', identifier: '0202ff00', at: 0, ...amperes },
    { point: 'current_l2', identifier: '0202ff00', at: 3, ...amperes },
    { point: 'current_l3', identifier: '0202ff00', at: 6, ...amperes },
    { point: 'power', identifier: '02030000', unit: 'W', bytes: 3, decimals: 4, signed: true, scale: 1000 },
    { point: 'long', identifier: '06000001', bytes: 5 },
  ],
})

function meter(values: Readonly<Record<string, number>> = {}, options: Partial<Dlt645MeterOptions> = {}): Dlt645Meter {
  const clock = new VirtualClock(NOON_MS)
  return new Dlt645Meter({ id: 'm', address: METER, profile: PROFILE, clock, value: (p) => values[p], ...options })
}

function answerOf(one: Dlt645Meter, request: string): string | undefined {
  const answer = one.answer(hex(request))
  return answer === undefined ? undefined : show(answer)
}

test.each([
  [
    '1234.56 kWh',
    { energy_import: 1234.56 },
    '68 29 25 07 07 21 20 68 11 04 33 33 34 33 4f 16',
    '68 29 25 07 07 21 20 68 91 08 33 33 34 33 89 67 45 33 3b 16',
  ],
  [
    '317.76 kWh (juejin)',
    { energy_total: 317.76 },
    '68 29 25 07 07 21 20 68 11 04 33 33 33 33 4e 16',
    '68 29 25 07 07 21 20 68 91 08 33 33 33 33 a9 4a 36 33 2e 16',
  ],
  [
    'three voltages, whose sum is 16',
    { voltage_l1: 220.1, voltage_l2: 219.8, voltage_l3: 221 },
    '68 29 25 07 07 21 20 68 11 04 33 32 34 35 50 16',
    '68 29 25 07 07 21 20 68 91 0a 33 32 34 35 34 55 cb 54 43 55 16 16',
  ],
  [
    'three currents, one backwards',
    { current_l1: 5.123, current_l2: 0.042, current_l3: -1 },
    '68 29 25 07 07 21 20 68 11 04 33 32 35 35 51 16',
    '68 29 25 07 07 21 20 68 91 0d 33 32 35 35 56 84 33 75 33 33 33 43 b3 eb 16',
  ],
  [
    '-1.2345 kW',
    { power: -1234.5 },
    '68 29 25 07 07 21 20 68 11 04 33 33 36 35 53 16',
    '68 29 25 07 07 21 20 68 91 07 33 33 36 35 78 56 b4 58 16',
  ],
  [
    'the date',
    {},
    '68 29 25 07 07 21 20 68 11 04 34 34 33 37 54 16',
    '68 29 25 07 07 21 20 68 91 08 34 34 33 37 34 56 44 59 ff 16',
  ],
  [
    'the time',
    {},
    '68 29 25 07 07 21 20 68 11 04 35 34 33 37 55 16',
    '68 29 25 07 07 21 20 68 91 07 35 34 33 37 38 63 45 b8 16',
  ],
  [
    'that there is no such data',
    {},
    '68 29 25 07 07 21 20 68 11 04 33 33 33 03 1e 16',
    '68 29 25 07 07 21 20 68 d1 01 35 74 16',
  ],
])('a meter tells %s', (_what, values, request, answer) => {
  expect(answerOf(meter(values), `${WAKE} ${request}`)).toBe(`${WAKE} ${answer}`)
})

test.each([
  [
    '0.26 kWh (Chint)',
    '000000000161',
    { energy_import: 0.26 },
    '68 61 01 00 00 00 00 68 11 04 33 33 34 33 14 16',
    '68 61 01 00 00 00 00 68 91 08 33 33 34 33 59 33 33 33 8a 16',
  ],
  [
    '100.1 V (Chint)',
    '000000000161',
    { voltage: 100.1 },
    '68 61 01 00 00 00 00 68 11 04 33 34 34 35 17 16',
    '68 61 01 00 00 00 00 68 91 06 33 34 34 35 34 43 10 16',
  ],
  [
    '231.4 V and nothing on two phases (sandxin)',
    '042209026460',
    { voltage_l1: 231.4, voltage_l2: 0, voltage_l3: 0 },
    '68 aa aa aa aa aa aa 68 11 04 33 32 34 35 af 16',
    '68 60 64 02 09 22 04 68 91 0a 33 32 34 35 47 56 33 33 33 33 97 16',
  ],
  [
    'its address (libdlt645.h)',
    '000000000001',
    {},
    '68 aa aa aa aa aa aa 68 13 00 df 16',
    '68 01 00 00 00 00 00 68 93 06 34 33 33 33 33 33 9d 16',
  ],
  [
    'another address',
    '002241020208',
    {},
    '68 aa aa aa aa aa aa 68 13 00 df 16',
    '68 08 02 02 41 22 00 68 93 06 3b 35 35 74 55 33 79 16',
  ],
])('without bytes to wake it: %s', (_what, address, values, request, answer) => {
  expect(answerOf(meter(values, { address, wakeBytes: 0 }), request)).toBe(answer)
})

test('the 1997 edition: 100 V (heyuan, p. 18)', () => {
  const profile = parseDlt645Profile({
    id: 'test/1997',
    protocol: 'dlt645',
    edition: '1997',
    points: [{ point: 'voltage_l1', unit: 'V', identifier: 'b611', bytes: 2 }],
  })
  const one = meter({ voltage_l1: 100 }, { address: '000000000003', profile, wakeBytes: 0 })
  expect(answerOf(one, '68 03 00 00 00 00 00 68 01 02 44 e9 03 16')).toBe(
    '68 03 00 00 00 00 00 68 81 04 44 e9 33 34 ec 16',
  )
})

test('a long value comes in two frames', () => {
  const one = meter({ long: 55_44_33_22_11 }, { wakeBytes: 0, frameBytesMax: 3 })
  expect(answerOf(one, '68 29 25 07 07 21 20 68 11 04 34 33 33 39 55 16')).toBe(
    '68 29 25 07 07 21 20 68 b1 07 34 33 33 39 44 55 66 f7 16',
  )
  expect(answerOf(one, '68 29 25 07 07 21 20 68 12 05 34 33 33 39 34 8b 16')).toBe(
    '68 29 25 07 07 21 20 68 92 07 34 33 33 39 77 88 34 0c 16',
  )
})

test('the time for everybody, 2026-11-23 12:30:00, is taken and not answered', () => {
  const one = meter()
  expect(one.clock.text).toBe('2026-11-23 12:30:05')
  expect(answerOf(one, `${WAKE} 68 99 99 99 99 99 99 68 08 06 33 63 45 56 44 59 42 16`)).toBe(undefined)
  expect(one.clock.text).toBe('2026-11-23 12:30:00')
})

test('a relay opens and closes until 12:35, and refuses a wrong password', () => {
  const one = meter({}, { wakeBytes: 0 })
  const head = '68 29 25 07 07 21 20 68'
  const trip = `${head} 1c 10 35 33 33 33 33 33 33 33 4d 33 33 68 45 56 44 59 86 16`
  const close = `${head} 1c 10 35 33 33 33 33 33 33 33 4f 33 33 68 45 56 44 59 88 16`
  expect(answerOf(one, trip)).toBe(`${head} 9c 00 09 16`)
  expect(one.relayOpen).toBe(true)
  expect(answerOf(one, close)).toBe(`${head} 9c 00 09 16`)
  expect(one.relayOpen).toBe(false)
  const strict = meter({}, { wakeBytes: 0, password: '02000001' })
  expect(answerOf(strict, trip)).toBe(`${head} dc 01 37 81 16`)
  expect(strict.relayOpen).toBe(false)
})

test('writing with a wrong password is refused with D4 04', () => {
  const one = meter()
  // The date, with the password 123456 of level 2.
  const request = '68 29 25 07 07 21 20 68 14 10 34 34 33 37 35 89 67 45 33 33 33 33 34 56 44 59 c0 16'
  expect(answerOf(one, request)).toBe(`${WAKE} 68 29 25 07 07 21 20 68 d4 01 37 79 16`)
  expect(one.clock.text).toBe('2026-11-23 12:30:05')
})
