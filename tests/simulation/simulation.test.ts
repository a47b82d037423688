import { expect, test } from 'vitest'
import { type Fault, faultsOf, shrink, simulate } from './run.ts'

// Hours of virtual time, seconds of ours; more of it: npm run sim:soak, npm run sim:mutants.
const LONG_MS = 60_000

test('a day with crashes, a failing disk, a platform that comes and goes, and a clock that jumps breaks no promise', {
  timeout: LONG_MS,
}, async () => {
  for (const seed of [1, 2, 3]) {
    const result = await simulate(seed, 3)
    expect(result.broken).toBeUndefined()
    expect(result.counts.events).toBeGreaterThan(1000)
  }
})

test('the same seed gives the same, to the last trace; another one does not', { timeout: LONG_MS }, async () => {
  const [first, again, other] = [await simulate(7, 2), await simulate(7, 2), await simulate(8, 2)]
  expect(again).toEqual(first)
  expect(other.digest).not.toBe(first.digest)
})

test('of many faults the least that still break it are found', async () => {
  const [guilty, other] = [faultsOf(2, 24)[3]!, faultsOf(2, 24).at(-2)!]
  const holds = (faults: readonly Fault[], wanted: Fault): boolean =>
    faults.some(({ step, kind }) => step === wanted.step && kind === wanted.kind)
  const least = await shrink(2, 24, async (left) => holds(left, guilty) && holds(left, other))
  expect(least).toEqual([guilty, other])
})
