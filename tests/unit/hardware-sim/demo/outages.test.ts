import { expect, test } from 'vitest'
import { outageNumber } from '../../../../hardware-sim/demo/outages.ts'

const outages = (runMs: number) =>
  [0, 1, 2, 3, 4, 5].map((index) => outageNumber(index, runMs)).filter((outage) => outage !== undefined)

test('a minute has one outage of ten seconds, with time to come back from it', () => {
  expect(outages(60_000)).toEqual([{ atMs: 15_000, forMs: 10_000 }])
})

test('three minutes have four, of different lengths', () => {
  expect(outages(180_000).map(({ forMs }) => forMs)).toEqual([10_000, 6000, 20_000, 12_000])
})

test.each([5000, 12_000, 28_000, 29_000, 60_000, 75_000, 600_000])(
  'a run of %i ms has at least one, over before its end',
  (runMs) => {
    expect(outages(runMs).length).toBeGreaterThanOrEqual(1)
    for (const { atMs, forMs } of outages(runMs)) expect(atMs + forMs).toBeLessThan(runMs)
  },
)

test('without an end they go on, one every 40 s', () => {
  expect(outageNumber(1000, undefined)).toEqual({ atMs: 15_000 + 40_000_000, forMs: 10_000 })
})
