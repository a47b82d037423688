import { expect, test } from 'vitest'
import { Ageing, type RowAge, SteadyTime } from '../../../../gateway/store/ageing.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const NOON_MS = Date.UTC(2026, 10, 23, 12)

const now = (monoMs: number, wallMs = NOON_MS + monoMs, trusted = true) => ({ wallMs, monoMs, trusted })

test('a clock that nobody vouches for is never sure', () => {
  expect(new SteadyTime(NOON_MS).sure(now(0, NOON_MS, false))).toBeUndefined()
})

test('a clock that goes on from what the log last knew is sure, also after a week without power', () => {
  expect(new SteadyTime(undefined).sure(now(5))).toBe(NOON_MS + 5)
  expect(new SteadyTime(NOON_MS).sure(now(5, NOON_MS + 7 * DAY_MS))).toBe(NOON_MS + 7 * DAY_MS)
  expect(new SteadyTime(NOON_MS).sure(now(5, NOON_MS + 8 * DAY_MS))).toBeUndefined()
  expect(new SteadyTime(NOON_MS).sure(now(5, NOON_MS - 2 * HOUR_MS))).toBeUndefined()
})

test('a clock that jumped is believed when it has said the same for a day, and not when it jumps again meanwhile', () => {
  const time = new SteadyTime(NOON_MS)
  expect(time.sure(now(0))).toBe(NOON_MS)
  const later = 3650 * DAY_MS
  expect(time.sure(now(HOUR_MS, NOON_MS + HOUR_MS + later))).toBeUndefined()
  expect(time.sure(now(DAY_MS, NOON_MS + DAY_MS + later))).toBeUndefined()
  expect(time.sure(now(DAY_MS + 1, NOON_MS))).toBeUndefined()
  expect(time.sure(now(DAY_MS + HOUR_MS, NOON_MS + later))).toBeUndefined()
  expect(time.sure(now(2 * DAY_MS + HOUR_MS, NOON_MS + DAY_MS + later))).toBe(NOON_MS + DAY_MS + later)
})

test('a jump that is taken back costs nothing', () => {
  const time = new SteadyTime(NOON_MS)
  expect(time.sure(now(0))).toBe(NOON_MS)
  expect(time.sure(now(1, NOON_MS + DAY_MS))).toBeUndefined()
  expect(time.sure(now(2))).toBe(NOON_MS + 2)
})

/** Times in whole hours. */
const ages = (beforeHour: number) => ({ keepMs: NOON_MS - beforeHour * HOUR_MS, nowMs: NOON_MS })
const rowsOf = (...hours: (number | undefined)[]) => {
  const rows: RowAge[] = hours.map((hour, n) => ({
    lastSeq: 10 * (n + 1),
    newestMs: hour === undefined ? undefined : hour * HOUR_MS,
  }))
  return (behindSeq: number): RowAge[] => rows.filter(({ lastSeq }) => lastSeq > behindSeq)
}

test('what is old proves what stands before it old, whether or not that had a time', () => {
  const rows = rowsOf(undefined, 1000, undefined, 1500, undefined, 3000, 1200)
  expect(new Ageing().expiredSeq('alarm', ages(2000), rows)).toBe(40)
  expect(new Ageing().expiredSeq('alarm', ages(500), rows)).toBe(0)
  expect(new Ageing().expiredSeq('alarm', ages(2000), rowsOf(undefined, undefined))).toBe(0)
})

test('a row from the future has no time', () => {
  expect(new Ageing().expiredSeq('alarm', ages(2000), rowsOf((NOON_MS + DAY_MS) / HOUR_MS, 1000))).toBe(20)
})

test('many rows without a time are passed over in several searches, and no search begins anew', () => {
  const ageing = new Ageing()
  const rows = rowsOf(...Array.from({ length: 1200 }, () => undefined), 1000)
  let looked = 0
  const counted = (behindSeq: number): Iterable<RowAge> => {
    const found = rows(behindSeq)
    return (function* () {
      for (const row of found) {
        looked += 1
        yield row
      }
    })()
  }
  expect(ageing.expiredSeq('alarm', ages(2000), counted)).toBe(0)
  expect(ageing.expiredSeq('alarm', ages(2000), counted)).toBe(0)
  expect(ageing.expiredSeq('status', ages(2000), rowsOf(1000))).toBe(10)
  expect(ageing.expiredSeq('alarm', ages(2000), counted)).toBe(12_010)
  expect(looked).toBe(1201)
})

test('one search proves no more than a few chunks', () => {
  const rows = rowsOf(...Array.from({ length: 1000 }, () => 1000))
  expect(new Ageing().expiredSeq('alarm', ages(2000), rows)).toBe(2000)
})

test('a batch is waited for, an hour at most, and when it has begun all goes that is old enough', () => {
  const ageing = new Ageing()
  expect(ageing.expiredSeq('alarm', ages(2000), rowsOf(1999.1, 1999.9))).toBe(0)
  expect(ageing.expiredSeq('alarm', ages(2000), rowsOf(1998.9, 1999.9, 2000.1))).toBe(20)
  expect(ageing.expiredSeq('alarm', ages(2000), rowsOf(1999.9, 2000.1))).toBe(10)
  expect(ageing.expiredSeq('alarm', ages(2000), rowsOf(2000.1))).toBe(0)
  expect(ageing.expiredSeq('alarm', ages(2000), rowsOf(1999.9))).toBe(0)
  // Of what is kept for an hour, half a minute.
  const brief = { keepMs: HOUR_MS, nowMs: 100 * HOUR_MS }
  expect(ageing.expiredSeq('status', brief, rowsOf(99 - 0.001))).toBe(0)
  expect(ageing.expiredSeq('status', brief, rowsOf(99 - 0.011))).toBe(10)
})
