import { expect, test } from 'vitest'
import { Cjt188Meter, type Cjt188MeterOptions } from '../../hardware-sim/cjt188-meter.ts'
import { VirtualClock } from '../../hardware-sim/clock.ts'
import { parseCjt188Profile } from '../../hardware-sim/profile.ts'
import { hex, show } from '../hex.ts'

/*
 * What a simulated meter answers, beside frames as they were published (juejin 7434714229318500379 prints the text of
 * CJ/T 188-2004; a JY heat meter; cnblogs 8683992), or laid out by hand from the standard with their sums recomputed.
 */
const WAKE = 'fe fe fe fe'
/** 2026-11-23, 12:30:05 in China. */
const NOON_MS = Date.UTC(2026, 10, 23, 4, 30, 5)

const volume = { unit: 'm3', bytes: 4, decimals: 2 }
const water = {
  id: 'test/water',
  protocol: 'cjt188',
  type: '10',
  answers: { '901f': 19 },
  points: [
    { point: 'volume', ...volume, at: 0, unitAt: 4 },
    { point: 'volume_settled', ...volume, at: 5, unitAt: 9 },
  ],
}
const celsius = { unit: '°C', bytes: 3, decimals: 2 }
const heat = {
  id: 'test/heat',
  protocol: 'cjt188',
  type: '20',
  answers: { '901f': 43 },
  points: [
    { point: 'heat_settled', unit: 'kWh', at: 0, bytes: 4, decimals: 2, unitAt: 4 },
    { point: 'heat_energy', unit: 'kWh', at: 5, bytes: 4, decimals: 2, unitAt: 9 },
    { point: 'heat_power', unit: 'kW', at: 10, bytes: 4, decimals: 2, unitAt: 14 },
    { point: 'flow', unit: 'm³/h', at: 15, bytes: 4, decimals: 4, unitAt: 19 },
    { point: 'volume', unit: 'm³', at: 20, bytes: 4, decimals: 2, unitAt: 24 },
    { point: 'flow_temperature', at: 25, ...celsius },
    { point: 'return_temperature', at: 28, ...celsius },
    { point: 'operating_hours', unit: 'h', at: 31, bytes: 3 },
  ],
}
/** A meter of JY has the unit before the value, and shows megawatt-hours. */
const jy = {
  ...heat,
  points: heat.points.map((point) => ('unitAt' in point ? { ...point, at: point.at + 1, unitAt: point.at } : point)),
}

function meter(profile: object, address: string, options: Partial<Cjt188MeterOptions> = {}): Cjt188Meter {
  const common = { id: 'm', address, clock: new VirtualClock(NOON_MS), value: () => 0 }
  return new Cjt188Meter({ ...common, profile: parseCjt188Profile(profile), ...options })
}

function answerOf(one: Cjt188Meter, request: string): string | undefined {
  const answer = one.answer(hex(request))
  return answer === undefined ? undefined : show(answer)
}

function showing(values: Readonly<Record<string, number>>): Partial<Cjt188MeterOptions> {
  return { value: (point) => values[point] }
}

test('its address (published)', () => {
  expect(answerOf(meter(water, '00002020120218'), `${WAKE} 68 aa aa aa aa aa aa aa aa 03 03 81 0a 00 49 16`)).toBe(
    `${WAKE} 68 10 18 02 12 20 20 00 00 83 03 81 0a 00 f5 16`,
  )
})

/** What follows is its clock, all zeros, and a state that no bit of the standard explains: 00 FF. */
const TWO_CUBIC_METRES = '68 10 18 02 12 20 20 00 00 81 16 90 1f 00 00 02 00 00 2c 00 02 00 00 2c'

test('2.00 m3 (published)', () => {
  const one = meter(water, '00002020120218', showing({ volume: 2, volume_settled: 2 }))
  const answer = answerOf(one, `${WAKE} 68 10 18 02 12 20 20 00 00 01 03 90 1f 00 97 16`)
  expect(answer?.startsWith(`${WAKE} ${TWO_CUBIC_METRES} `)).toBe(true)
})

test('1234.56 m3 and 1234.00 on the day of account, 2026-11-23 12:30:05', () => {
  const one = meter(water, '78330011223344', showing({ volume: 1234.56, volume_settled: 1234 }))
  expect(answerOf(one, '68 10 44 33 22 11 00 33 78 01 03 90 1f 00 80 16')).toBe(
    `${WAKE} 68 10 44 33 22 11 00 33 78 81 16 90 1f 00 56 34 12 00 2c 00 34 12 00 2c 05 30 12 23 11 26 20 00 00 0e 16`,
  )
})

test('the low byte of the identifier first (published), and the same sum', () => {
  const one = meter({ ...water, identifierOrder: 'low-first' }, '78330011223344', {
    ...showing({ volume: 1234.56, volume_settled: 1234 }),
    ownOrderOnly: true,
  })
  expect(answerOf(one, `${WAKE} 68 10 44 33 22 11 00 33 78 01 03 1f 90 00 80 16`)).toBe(
    `${WAKE} 68 10 44 33 22 11 00 33 78 81 16 1f 90 00 56 34 12 00 2c 00 34 12 00 2c 05 30 12 23 11 26 20 00 00 0e 16`,
  )
  expect(answerOf(one, `${WAKE} 68 10 44 33 22 11 00 33 78 01 03 90 1f 00 80 16`)).toBe(undefined)
})

const HEAT_REQUEST = `${WAKE} 68 20 32 41 31 40 00 00 00 01 03 90 1f 01 20 16`

test('a heat meter (request published)', () => {
  const shown = { heat_settled: 1050, heat_energy: 1134.75, heat_power: 12.5, flow: 0.1234, volume: 12345 }
  const more = { flow_temperature: 65.35, return_temperature: 45.66, operating_hours: 1234 }
  expect(answerOf(meter(heat, '00000040314132', showing({ ...shown, ...more })), HEAT_REQUEST)).toBe(
    `${WAKE} 68 20 32 41 31 40 00 00 00 81 2e 90 1f 01 00 50 10 00 05 75 34 11 00 05 50 12 00 00 17 34 12 00 00 35 ` +
      '00 45 23 01 2c 35 65 00 66 45 00 34 12 00 05 30 12 23 11 26 20 00 00 c4 16',
  )
})

test('a heat meter of JY, 2015-07-10 12:00:53 (published)', () => {
  const shown = { heat_settled: 20, heat_energy: 20, heat_power: 0, flow: 0, volume: 10.34, operating_hours: 0 }
  const one = meter(jy, '00000040314132', {
    ...showing({ ...shown, flow_temperature: 25.35, return_temperature: 25.66 }),
    unitBytes: { heat_settled: 0x08, heat_energy: 0x08 },
    clock: new VirtualClock(Date.UTC(2015, 6, 10, 4, 0, 53)),
  })
  expect(answerOf(one, HEAT_REQUEST)).toBe(
    `${WAKE} 68 20 32 41 31 40 00 00 00 81 2e 90 1f 01 08 02 00 00 00 08 02 00 00 00 17 00 00 00 00 35 00 00 00 00 2c ` +
      '34 10 00 00 35 25 00 66 25 00 00 00 00 53 00 12 10 07 15 20 00 00 31 16',
  )
})

test('a valve opens (request published for 1505900569) and closes', () => {
  const one = meter(water, '78331505900569')
  const head = '68 10 69 05 90 05 15 33 78'
  expect(answerOf(one, `${WAKE} ${head} 04 04 a0 17 01 99 94 16`)).toMatch(/84 05 a0 17 01 01 00 .. 16$/)
  expect(one.valveClosed).toBe(true)
  expect(answerOf(one, `${WAKE} ${head} 04 04 a0 17 01 55 50 16`)).toMatch(/84 05 a0 17 01 00 00 .. 16$/)
  expect(one.valveClosed).toBe(false)
})

test('a valve that is open confirms it, and a meter whose battery is low says so when it refuses', () => {
  const one = meter(water, '78330011223344', { wakeBytes: 0 })
  const head = '68 10 44 33 22 11 00 33 78'
  expect(answerOf(one, `${head} 04 04 a0 17 01 55 e2 16`)).toBe(`${head} 84 05 a0 17 01 00 00 0e 16`)
  one.batteryLow = true
  expect(answerOf(one, `${head} 01 03 d1 20 00 c2 16`)).toBe(`${head} c1 03 00 04 00 95 16`)
})
