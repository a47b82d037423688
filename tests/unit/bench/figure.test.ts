import { expect, test } from 'vitest'
import {
  alternatingPairs,
  figureOf,
  figureOfPairs,
  median,
  notMeasured,
  ratioAtLeast,
  valueAtMost,
} from '../../bench/figure.ts'

const measured = { name: 'log.ingest', unit: 'events/s', note: 'ours beside theirs' }

test('the median is the middle one, or the mean of the two in the middle', () => {
  expect(median([9, 1, 5])).toBe(5)
  expect(median([4, 1, 3, 2])).toBe(2.5)
  expect(() => median([])).toThrow('no values')
})

test('a ratio is the median of the ratios of each pair, not the ratio of the medians', () => {
  // Medians: 100 over 100. But in each pair that had the same weather ours took half.
  const pairs = [
    { value: 50, baseline: 100 },
    { value: 100, baseline: 200 },
    { value: 200, baseline: 50 },
  ]
  expect(figureOfPairs({ ...measured, goal: ratioAtLeast(0.6) }, pairs)).toEqual({
    ...measured,
    value: 100,
    baseline: 100,
    ratio: 0.5,
    spread: [0.5, 4],
    runs: 3,
    goal: 'ratio >= 0.6',
    ok: false,
  })
})

test('a value without a baseline is held against its bound, the bound itself included', () => {
  const figure = figureOf({ ...measured, goal: valueAtMost(130) }, [131, 130, 90])
  expect(figure).toMatchObject({ value: 130, baseline: null, ratio: null, spread: [90, 131], goal: 'value <= 130' })
  expect(figure.ok).toBe(true)
  expect(figureOf({ ...measured, goal: valueAtMost(130) }, [131]).ok).toBe(false)
  expect(figureOf({ ...measured, goal: null }, [131])).toMatchObject({ goal: null, ok: true })
})

test('a goal for a ratio needs a baseline', () => {
  expect(() => figureOf({ ...measured, goal: ratioAtLeast(1) }, [1])).toThrow('there is no baseline')
})

test('what could not be measured is not kept, and says why', () => {
  const figure = notMeasured({ ...measured, goal: ratioAtLeast(0.9) }, 'no compiler: apt-get install g++')
  expect(figure).toMatchObject({ ok: false, value: null, goal: 'ratio >= 0.9' })
  expect(figure.note).toContain('no compiler: apt-get install g++')
})

test('pairs take turns in who begins', async () => {
  const order: string[] = []
  const pairs = await alternatingPairs(
    5,
    async () => order.push('ours'),
    async () => -order.push('other'),
  )
  expect(order).toEqual(['ours', 'other', 'other', 'ours', 'ours', 'other', 'other', 'ours', 'ours', 'other'])
  expect(pairs[1]).toEqual({ value: 4, baseline: -3 })
})

test.each([3, 4, 6])('%i pairs have no fair median', async (count) => {
  const nothing = async () => 1
  await expect(alternatingPairs(count, nothing, nothing)).rejects.toThrow('an odd number of at least 5')
})
