import { expect, test } from 'vitest'
import type { EventClass } from '../../../../gateway/contract/event.ts'
import { type ClassGrowth, forecastOf } from '../../../../gateway/store/forecast.ts'
import { Rates } from '../../../../gateway/store/rates.ts'

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
const NONE: ClassGrowth = { bytes: 0, bytesADay: 0, keepMs: 1000 * DAY_MS }

function growth(classes: Partial<Record<EventClass, Partial<ClassGrowth>>>, usedBytes?: number) {
  const each = (name: EventClass): ClassGrowth => ({ ...NONE, ...classes[name] })
  const all = { telemetry: each('telemetry'), status: each('status'), alarm: each('alarm'), audit: each('audit') }
  const bytes = Object.values(all).reduce((sum, one) => sum + one.bytes, 0)
  return { classes: all, usedBytes: usedBytes ?? bytes, startBytes: 1000 }
}

test('a log that does not grow, or goes by age before it is full, lasts for ever', () => {
  const never = { telemetry: undefined, status: undefined, alarm: undefined, audit: undefined }
  expect(forecastOf(growth({ telemetry: { bytes: 500 } }))).toMatchObject({
    daysUntilThinning: undefined,
    daysUntilLoss: never,
  })
  // Ten a day for thirty days are three hundred.
  const steady = growth({ telemetry: { bytes: 250, bytesADay: 10, keepMs: 30 * DAY_MS } })
  expect(forecastOf(steady)).toMatchObject({ daysUntilThinning: undefined, daysUntilLoss: never })
})

test('readings are thinned when the room is full, and lost when it is full of what was thinned', () => {
  const { bytesADay, daysUntilThinning, daysUntilLoss } = forecastOf(
    growth({ telemetry: { bytes: 500, bytesADay: 10 } }),
    0.1,
  )
  expect(bytesADay).toEqual({ telemetry: 10, status: 0, alarm: 0, audit: 0 })
  expect(daysUntilThinning).toBe(50)
  // 50 are left of the 500, and one of the ten a day: 950 more take 950 days.
  expect(daysUntilLoss.telemetry).toBeCloseTo(950)
  expect(daysUntilLoss.alarm).toBeUndefined()
})

test('other classes take their part, until they go by their age', () => {
  const alone = growth({ telemetry: { bytes: 0, bytesADay: 10 }, status: { bytesADay: 10, keepMs: 20 * DAY_MS } })
  // For 20 days both, to 400; then readings alone bring the other 600.
  expect(forecastOf(alone).daysUntilThinning).toBe(80)
})

test('alarms are lost when they have more than their part and readings no more than theirs', () => {
  const flood = growth({ telemetry: { bytes: 300, bytesADay: 0 }, alarm: { bytes: 100, bytesADay: 10 } })
  expect(forecastOf(flood, 1)).toMatchObject({
    daysUntilThinning: 60,
    daysUntilLoss: { telemetry: undefined, alarm: 60 },
  })
  // Readings come to crowd them within a day, but give way; alarms alone need 500 days to the 600 that are left.
  const crowded = { telemetry: { bytes: 899, bytesADay: 1000 }, alarm: { bytes: 100, bytesADay: 1 } }
  expect(forecastOf(growth(crowded), 1).daysUntilLoss.alarm).toBe(500)
  const brief = { ...crowded, alarm: { ...crowded.alarm, keepMs: 50 * DAY_MS } }
  expect(forecastOf(growth(brief), 1).daysUntilLoss.alarm).toBeUndefined()
})

test('what belongs to no class grows with the rows', () => {
  const { bytesADay, daysUntilThinning } = forecastOf(growth({ telemetry: { bytes: 250, bytesADay: 10 } }, 500))
  expect(bytesADay.telemetry).toBe(20)
  expect(daysUntilThinning).toBe(25)
})

test('a rate is that of the last day, and unknown before ten minutes', () => {
  const rates = new Rates(0)
  rates.added('telemetry', 1000)
  rates.turn(60_000)
  expect(rates.bytesADay(60_000)).toBeUndefined()
  rates.added('telemetry', 1000)
  rates.turn(HOUR_MS)
  expect(rates.bytesADay(HOUR_MS)?.telemetry).toBeCloseTo(24 * 2000)
  for (let hour = 2; hour <= 100; hour++) {
    rates.added('alarm', 10)
    rates.turn(hour * HOUR_MS)
  }
  expect(rates.bytesADay(100 * HOUR_MS)?.telemetry).toBe(0)
  expect(rates.bytesADay(100 * HOUR_MS)?.alarm).toBeCloseTo(250, -1)
})
