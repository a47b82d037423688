import { expect, test } from 'vitest'
import { VirtualClock } from '../../../hardware-sim/clock.ts'

test('a week passes at once, and what was due happened in order', async () => {
  const clock = new VirtualClock()
  const seen: string[] = []
  clock.after(2000, () => seen.push(`b at ${clock.monoMs()}`))
  clock.after(1000, () => seen.push(`a at ${clock.monoMs()}`))
  clock.after(2000, () => seen.push(`c at ${clock.monoMs()}`))
  await clock.advance(7 * 86_400_000)
  expect(seen).toEqual(['a at 1000', 'b at 2000', 'c at 2000'])
  expect(clock.monoMs()).toBe(7 * 86_400_000)
})

test('a chain of sleeps runs inside one advance', async () => {
  const clock = new VirtualClock()
  let rounds = 0
  const run = async (): Promise<void> => {
    for (; rounds < 100; rounds++) await clock.sleep(10)
  }
  const done = run()
  await clock.advance(1000)
  await done
  expect(rounds).toBe(100)
})

test('an aborted sleep rejects with the reason and leaves no timer', async () => {
  const clock = new VirtualClock()
  const ending = new AbortController()
  const sleeping = clock.sleep(1000, ending.signal)
  ending.abort(new Error('over'))
  await expect(sleeping).rejects.toThrow('over')
  await expect(clock.sleep(1, ending.signal)).rejects.toThrow('over')
  expect(clock.pending).toBe(0)
})

test('setting the wall clock moves wall time only', async () => {
  const clock = new VirtualClock(1000)
  await clock.advance(5)
  clock.jumpWall(-500, 'unsynced')
  expect([clock.wallMs(), clock.monoMs(), clock.state()]).toEqual([505, 5, 'unsynced'])
})
