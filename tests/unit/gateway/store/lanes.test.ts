import { expect, test } from 'vitest'
import type { EventClass } from '../../../../gateway/contract/event.ts'
import { newEvents } from '../../../contract/memory-store.ts'
import { storeRig } from './rig.ts'

/** A log with the waits of a real one, on virtual time: who was acknowledged when. */
async function lanes() {
  const rig = storeRig()
  const store = await rig.open({ gatherMs: 1000, urgentMs: 20 })
  // The first readings of a run do not wait; their second begins with them.
  const first = store.append(newEvents(1))
  await rig.clock.advance(20)
  await first
  const acknowledged: string[] = []
  const committed = (): number => store.figures().find(({ name }) => name === 'linli_log_commits_total')?.value ?? -1
  const [commitsBefore, startMs] = [committed(), rig.clock.monoMs()]
  const commits = (): number => committed() - commitsBefore
  const append = (name: string, eventClass: EventClass, count = 1): void =>
    void store.append(newEvents(count, { class: eventClass })).then(() => {
      acknowledged.push(`${name} at ${rig.clock.monoMs() - startMs}`)
    })
  return { rig, store, acknowledged, append, commits }
}

test('readings wait a second for each other and go in one commit', async () => {
  const { rig, acknowledged, append, commits } = await lanes()
  append('meter 1', 'telemetry')
  await rig.clock.advance(300)
  append('meter 2', 'telemetry')
  await rig.clock.advance(699)
  expect(acknowledged).toEqual([])
  await rig.clock.advance(1)
  expect(acknowledged).toEqual(['meter 1 at 1000', 'meter 2 at 1000'])
  expect(commits()).toBe(1)
  expect(rig.clock.pending).toBe(0)
})

test('an alarm is durable at once, and with it what was handed over before it', async () => {
  const { rig, acknowledged, append, commits } = await lanes()
  append('meter', 'telemetry')
  await rig.clock.advance(10)
  append('door', 'alarm')
  await rig.clock.advance(0)
  expect(acknowledged).toEqual(['meter at 10', 'door at 10'])
  expect(commits()).toBe(1)
})

test('a storm of status costs fifty commits a second and no more', async () => {
  const { rig, acknowledged, append, commits } = await lanes()
  for (let ms = 0; ms < 1000; ms++) {
    append(`edge ${ms}`, 'status')
    await rig.clock.advance(1)
  }
  await rig.clock.advance(20)
  expect(acknowledged).toHaveLength(1000)
  expect(commits()).toBeGreaterThanOrEqual(50)
  expect(commits()).toBeLessThanOrEqual(52)
})

test('a thousand events wait for no clock', async () => {
  const { rig, acknowledged, append } = await lanes()
  append('backfill', 'telemetry', 1000)
  await rig.clock.advance(0)
  expect(acknowledged).toEqual(['backfill at 0'])
})

test('a confirmation goes with the next commit', async () => {
  const { rig, store, append, commits } = await lanes()
  append('door', 'alarm')
  await rig.clock.advance(100)
  const confirmed = store.confirm('city', { epoch: store.epoch, seq: 1 })
  append('door', 'alarm')
  await rig.clock.advance(0)
  expect(await confirmed).toEqual({ epoch: store.epoch, seq: 1 })
  expect(commits()).toBe(2)
})

test('an alarm that has to wait its 20 ms does not wait for the second of the readings', async () => {
  const { rig, acknowledged, append } = await lanes()
  append('door 1', 'alarm')
  await rig.clock.advance(5)
  append('meter', 'telemetry')
  await rig.clock.advance(1)
  append('door 2', 'alarm')
  await rig.clock.advance(100)
  expect(acknowledged).toEqual(['door 1 at 0', 'meter at 20', 'door 2 at 20'])
})
