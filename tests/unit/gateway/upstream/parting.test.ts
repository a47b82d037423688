import { expect, test } from 'vitest'
import { partingFrom } from '../../../../gateway/upstream/parting.ts'
import { VirtualClock } from '../../../../hardware-sim/clock.ts'

/** Links that are where a test puts them. */
function linkAt(connected: boolean, lag: number) {
  const state = { connected, lag, sinceMonoMs: 0, position: undefined }
  return { state: () => state, moved: state }
}

async function partedAfter(
  links: readonly ReturnType<typeof linkAt>[],
  meanwhile: (clock: VirtualClock) => Promise<void>,
) {
  const clock = new VirtualClock()
  let parted = false
  const parting = partingFrom(links, clock).then(() => {
    parted = true
  })
  await meanwhile(clock)
  await clock.advance(0)
  const seen = parted
  await clock.advance(10_000)
  await parting
  return seen
}

test('a hub parts from its platforms once all of them have everything', async () => {
  const [near, far] = [linkAt(true, 1), linkAt(true, 3)]
  const before = await partedAfter([near, far], async (clock) => {
    near.moved.lag = 0
    await clock.advance(500)
  })
  expect(before).toBe(false)
  const after = await partedAfter([near, far], async (clock) => {
    far.moved.lag = 0
    await clock.advance(20)
  })
  expect(after).toBe(true)
})

test('one that is away is not waited for, one that is slow not for longer than two seconds', async () => {
  expect(await partedAfter([linkAt(false, 9)], async () => undefined)).toBe(true)
  expect(await partedAfter([linkAt(true, 9)], (clock) => clock.advance(1900))).toBe(false)
  expect(await partedAfter([linkAt(true, 9)], (clock) => clock.advance(2020))).toBe(true)
})
