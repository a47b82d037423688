import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Stream } from '../../../../gateway/store/parcel.ts'
import {
  groupOf,
  isCounter,
  PERIOD_MS,
  parseReading,
  periodOf,
  type Reading,
  Summary,
} from '../../../../gateway/store/thinning.ts'

const STREAM: Stream = {
  class: 'telemetry',
  type: 'linli.meter.reading',
  source: 'devices/meter-301',
  privacy: 'personal',
  clock: 'synced',
}
const NOON_MS = Date.UTC(2026, 10, 23, 12)

/** The n-th reading of a meter that is asked every ten seconds. */
function reading(n: number, points: object, changes: { quality?: string; stream?: Partial<Stream> } = {}): Reading {
  return {
    seq: n + 1,
    stream: { ...STREAM, ...changes.stream },
    wallMs: NOON_MS + n * 10_000,
    monoUs: n * 10_000_000,
    body: JSON.stringify({ points, quality: changes.quality ?? 'good' }),
  }
}

function summed(readings: readonly Reading[]) {
  const summary = new Summary()
  for (const each of readings) expect(summary.add(each, parseReading(each)!)).toBe(true)
  const { body, ...event } = summary.event()
  return { ...event, data: JSON.parse(body) }
}

test("three readings become one event of the last one's time, with the sense of each point kept", () => {
  const { data, ...event } = summed([
    reading(0, {
      energy_import: { v: 230.5, u: 'kWh' },
      power: { v: 70, u: 'W' },
      valve: { v: 'open' },
      dry: { v: true },
    }),
    reading(1, {
      energy_import: { v: 230.6, u: 'kWh' },
      power: { v: 10, u: 'W' },
      valve: { v: 'shut' },
      dry: { v: true },
    }),
    reading(2, { energy_import: { v: 230.8, u: 'kWh' }, power: { v: null, u: 'W' } }, { quality: 'partial' }),
  ])
  expect(event).toEqual({
    stream: { ...STREAM, type: 'linli.meter.summary' },
    wallMs: NOON_MS + 20_000,
    monoUs: 20_000_000,
  })
  expect(data).toEqual({
    of: 'linli.meter.reading',
    count: 3,
    spanMs: 20_000,
    quality: { good: 2, partial: 1 },
    points: {
      energy_import: { first: 230.5, firstBeforeMs: 20_000, last: 230.8, lastBeforeMs: 0, count: 3, u: 'kWh' },
      power: { min: 10, max: 70, mean: 40, count: 2, nulls: 1, u: 'W' },
      valve: { firstState: 'open', lastState: 'shut', lastStateBeforeMs: 10_000, changes: 1, states: 2 },
      dry: { firstState: true, lastState: true, lastStateBeforeMs: 10_000, changes: 0, states: 2 },
    },
  })
})

test('a counter that fell says so: its ends alone would hide it', () => {
  const points = [90, 99, 1, 20].map((v) => ({ volume: { v, u: 'm³' } }))
  expect(summed(points.map((each, n) => reading(n, each))).data.points.volume).toEqual({
    first: 90,
    firstBeforeMs: 30_000,
    last: 20,
    lastBeforeMs: 0,
    min: 1,
    max: 99,
    count: 4,
    u: 'm³',
  })
})

test('the counters of every profile are known as such, and nothing else is', () => {
  const folder = join(import.meta.dirname, '../../../../config/profiles')
  const profiles = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => /\/.*\.json$/.test(name))
  expect(profiles.length).toBeGreaterThan(0)
  for (const name of profiles) {
    const { points } = JSON.parse(readFileSync(join(folder, name), 'utf8')) as {
      points: { point: string; unit?: string; kind?: string }[]
    }
    for (const { point, unit, kind } of points) {
      expect([point, isCounter(point, unit)]).toEqual([point, kind === 'counter'])
    }
  }
})

test('an event of another shape is left alone', () => {
  const bodies = ['{"points":{"power":{"v":70}}}', '{"points":{"power":{"v":[1]}},"quality":"good"}', 'null', '{', '[]']
  for (const body of bodies) expect(parseReading({ stream: STREAM, body })).toBeUndefined()
  const whole = reading(0, { power: { v: 70, u: 'W' } })
  expect(parseReading(whole)).toBeDefined()
  expect(parseReading({ ...whole, stream: { ...STREAM, type: 'linli.meter.summary' } })).toBeUndefined()
  expect(parseReading({ ...whole, stream: { ...STREAM, class: 'status' } })).toBeUndefined()
  const noted = JSON.stringify({ ...JSON.parse(whole.body), note: 'replaced today' })
  expect(parseReading({ stream: STREAM, body: noted })).toBeUndefined()
})

test('a reading in another unit is not taken in', () => {
  const summary = new Summary()
  const watts = reading(0, { power: { v: 70, u: 'W' } })
  const kilowatts = reading(1, { power: { v: 0.07, u: 'kW' } })
  expect(summary.add(watts, parseReading(watts)!)).toBe(true)
  expect(summary.add(kilowatts, parseReading(kilowatts)!)).toBe(false)
  expect(summary.count).toBe(1)
})

test('the period goes by the wall where a clock vouches for it, else by the time since the start', () => {
  const at = (clock: Stream['clock'], wallMs: number, monoMs: number) =>
    periodOf({ stream: { ...STREAM, clock }, wallMs, monoUs: monoMs * 1000 })
  expect(at('synced', NOON_MS + PERIOD_MS - 1, 5)).toEqual(at('holdover', NOON_MS, 7_000_000))
  expect(at('synced', NOON_MS + PERIOD_MS, 5)).not.toEqual(at('synced', NOON_MS, 5))
  expect(at('unsynced', NOON_MS, PERIOD_MS - 1)).toEqual(at('never', 0, 0))
  expect(at('unsynced', NOON_MS, PERIOD_MS)).not.toEqual(at('unsynced', NOON_MS, 0))
  expect(at('unsynced', 0, 0)).not.toEqual(at('synced', 0, 0))
})

test('a summary is no surer of its time than the least sure of its readings, and no more public', () => {
  const readings = [
    reading(0, { power: { v: 1 } }),
    reading(1, { power: { v: 2 } }, { stream: { clock: 'holdover' } }),
    reading(2, { power: { v: 3 } }),
  ]
  expect(summed(readings).stream.clock).toBe('holdover')
  expect(groupOf(STREAM)).not.toBe(groupOf({ ...STREAM, privacy: 'public' }))
  expect(groupOf(STREAM)).toBe(groupOf({ ...STREAM, clock: 'never' }))
})

test('first, last, min, max, count and mean are those of the readings, also when a period is summed in parts', () => {
  const value = fc.double({ min: -1e6, max: 1e6, noNaN: true }).map((v) => v + 0)
  const values = fc.array(value, { minLength: 2, maxLength: 60 })
  fc.assert(
    fc.property(values, fc.nat(59), (numbers, cut) => {
      const readings = numbers.map((v, n) => reading(n, { power: { v, u: 'W' }, energy_total: { v, u: 'kWh' } }))
      const at = 1 + (cut % (numbers.length - 1))
      const parts = [readings.slice(0, at), readings.slice(at)].map((part) => summed(part).data.points)
      const whole = summed(readings).data.points
      expect(whole.power.min).toBe(Math.min(...numbers))
      expect(whole.power.max).toBe(Math.max(...numbers))
      expect(whole.power.count).toBe(numbers.length)
      const sum = numbers.reduce((a, b) => a + b, 0)
      expect(whole.power.mean).toBeCloseTo(sum / numbers.length, 4)
      expect([whole.energy_total.first, whole.energy_total.last]).toEqual([numbers[0], numbers.at(-1)])
      expect(whole.power.min).toBe(Math.min(...parts.map(({ power }) => power.min)))
      expect(whole.power.max).toBe(Math.max(...parts.map(({ power }) => power.max)))
      expect(whole.power.count).toBe(parts.reduce((count, { power }) => count + power.count, 0))
      const weighed = parts.reduce((total, { power }) => total + power.mean * power.count, 0)
      expect(weighed / numbers.length).toBeCloseTo(whole.power.mean, 4)
      expect(parts[0]?.energy_total.first).toBe(whole.energy_total.first)
      expect(parts[1]?.energy_total.last).toBe(whole.energy_total.last)
    }),
    { numRuns: 200 },
  )
})
