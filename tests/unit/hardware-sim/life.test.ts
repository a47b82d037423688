import { expect, test } from 'vitest'
import { VirtualClock } from '../../../hardware-sim/clock.ts'
import { live } from '../../../hardware-sim/life.ts'
import { seededRandom } from '../../../hardware-sim/random.ts'

async function life(
  seed: number,
  endMs = 600_000,
): Promise<{ readonly seen: readonly string[]; readonly left: number }> {
  const clock = new VirtualClock()
  const seen: string[] = []
  const note = (what: string) => (): void => void seen.push(`${clock.monoMs().toFixed(0)} ${what}`)
  const ending = new AbortController()
  live({
    clock,
    random: seededRandom(seed),
    signal: ending.signal,
    door: {
      visit: async () => {
        note('visit')()
        await clock.sleep(2600, ending.signal)
        return true
      },
    },
    camera: { motion: (active) => note(active ? 'motion' : 'still')() },
    visitEvery: 12_000,
    motionEvery: 9000,
  })
  await clock.advance(endMs)
  ending.abort(new Error('over'))
  await clock.advance(60_000)
  return { seen, left: clock.pending }
}

test('people come about as often as asked, are seen before they are at the door, and go again', async () => {
  const { seen, left } = await life(1)
  const of = (what: string): number => seen.filter((line) => line.endsWith(what)).length
  // A round is a pause of 12 s and a walk of 1.5 s, and up to 3.3 s of being seen.
  expect(of('visit')).toBeGreaterThan(30)
  expect(of('visit')).toBeLessThan(55)
  expect(of('motion')).toBeGreaterThan(of('visit'))
  expect(Math.abs(of('motion') - of('still'))).toBeLessThanOrEqual(1)
  expect(left).toBe(0)
  const first = seen.findIndex((line) => line.endsWith('visit'))
  expect(seen.slice(0, first).some((line) => line.endsWith('motion'))).toBe(true)
})

test('the same seed gives the same day, another seed another', async () => {
  const [a, b, c] = [await life(1), await life(1), await life(2)]
  expect(a.seen).toEqual(b.seen)
  expect(a.seen).not.toEqual(c.seen)
})

test('it may end at any moment: no promise is left to fail alone', async () => {
  // Ends while somebody is seen, walks, or goes through the door; a rejection that nobody hears fails the run.
  for (let endMs = 5000; endMs < 25_000; endMs += 400) {
    expect((await life(1, endMs)).left).toBe(0)
  }
})
