import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { promiseOf } from './broken.ts'
import { type Fault, faultsOf, KINDS } from './faults.ts'
import { MUTANTS } from './mutants.ts'
import { shrink, simulate } from './run.ts'

// Hours of virtual time, seconds of ours; more of it: npm run sim:soak, npm run sim:mutants.
const LONG_MS = 60_000

test('hours with crashes, power cuts, a failing and a full disk, a bad platform and a clock that is lost break no promise', {
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

test('every kind of fault is drawn by some seed of a soak', () => {
  const drawn = new Set(Array.from({ length: 25 }, (_, n) => faultsOf(n + 1, 24).map(({ kind }) => kind)).flat())
  expect(KINDS.filter((kind) => !drawn.has(kind as Fault['kind']))).toEqual([])
})

test('each planted bug changes a text that stands in its file, and names the promises that it breaks', () => {
  expect(MUTANTS.length).toBeGreaterThanOrEqual(15)
  for (const { name, breaks, also, ...change } of MUTANTS) {
    expect(breaks, name).not.toEqual([])
    for (const { file, from, to } of [change, ...(also === undefined ? [] : [also])]) {
      const source = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8')
      expect(source, `${name}: ${file}`).toContain(from)
      expect(to, name).not.toBe(from)
    }
  }
})

test('a broken promise is told by its name', () => {
  expect(promiseOf('Broken: L13: it went too early')).toBe('L13')
  expect(promiseOf('Fault: the event log is closed')).toBe('error')
})
