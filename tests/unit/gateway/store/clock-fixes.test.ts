import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Entry } from '../../../../gateway/contract/event.ts'
import { VirtualClock } from '../../../../hardware-sim/clock.ts'
import { newEvent } from '../../../contract/memory-store.ts'
import { readAll, storeRig } from './rig.ts'

/** Seconds after 1970 of events that were recorded before anybody had set the clock. */
const early = (monoMs: number) => newEvent({ monoMs, wallMs: monoMs, clock: 'never' })
const NOON = Date.UTC(2026, 10, 27, 12)

function times(entries: readonly Entry[]): string[] {
  return entries.map((entry) =>
    entry.kind === 'event' ? `${entry.seq} ${new Date(entry.wallMs).toISOString()} ${entry.clock}` : entry.reason,
  )
}

test('when the clock is found, what was recorded before is read with the time that it would have shown', async () => {
  const rig = storeRig()
  const store = await rig.open()
  await store.append([early(1000), early(2500), newEvent({ monoMs: 2600, wallMs: 5, clock: 'synced' })])
  expect(times(await readAll(store))).toEqual([
    '1 1970-01-01T00:00:01.000Z never',
    '2 1970-01-01T00:00:02.500Z never',
    '3 1970-01-01T00:00:00.005Z synced',
  ])
  await store.fixClock(NOON)
  const corrected = [
    '1 2026-11-27T12:00:01.000Z holdover',
    '2 2026-11-27T12:00:02.500Z holdover',
    '3 1970-01-01T00:00:00.005Z synced',
  ]
  expect(times(await readAll(store))).toEqual(corrected)
  await store.close()
  // It is kept, and the rows are as they were.
  const next = await rig.open()
  expect(times(await readAll(next))).toEqual(corrected)
  expect(rig.lines).toEqual([])
})

test('memory and file say the same, before and behind the finding', async () => {
  const rig = storeRig()
  const fromMemory = await rig.open({ tailEvents: 100 })
  await fromMemory.append([early(1000.25)])
  await fromMemory.fixClock(NOON + 0.4)
  // A source that went away again: it is still the same clock.
  await fromMemory.append([newEvent({ monoMs: 3000.999, wallMs: 7, clock: 'unsynced' })])
  const memory = await readAll(fromMemory)
  await fromMemory.close()
  const file = await readAll(await rig.open())
  expect(file).toEqual(memory)
  expect(times(file)).toEqual(['1 2026-11-27T12:00:01.000Z holdover', '2 2026-11-27T12:00:03.001Z holdover'])
})

test('runs in one boot of the machine share the finding, also one that begins behind it; runs of another boot do not', async () => {
  const rig = storeRig()
  const first = await rig.open()
  await first.append([early(1000)])
  await first.close()
  // The same machine was switched off in between: no clock connects the two.
  rig.harm("UPDATE boot SET kernel = 'another boot', crc = 0")
  const second = await rig.open()
  await second.append([early(500)])
  await second.close()
  const third = await rig.open()
  await third.append([early(700)])
  await third.fixClock(NOON)
  const years = async (): Promise<number[]> =>
    (await readAll(third)).map((entry) => (entry.kind === 'event' ? new Date(entry.wallMs).getUTCFullYear() : 0))
  expect(await years()).toEqual([1970, 2026, 2026])
  await third.close()
  const fourth = await rig.open()
  await fourth.append([early(900)])
  const last = (await readAll(fourth)).at(-1)
  expect(last?.kind === 'event' && new Date(last.wallMs).getUTCFullYear()).toBe(2026)
})

test('a finding with a turned bit is none', async () => {
  const rig = storeRig()
  const store = await rig.open()
  await store.append([early(1000)])
  await store.fixClock(NOON)
  await store.close()
  rig.harm('UPDATE clock_fix SET offset_ms = offset_ms + 1')
  rig.harm("UPDATE boot SET kernel = '', crc = 0")
  expect(times(await readAll(await rig.open()))).toEqual(['1 1970-01-01T00:00:01.000Z never'])
})

test('a damaged log takes its findings along', async () => {
  const rig = storeRig()
  const store = await rig.open()
  await store.append([early(1000)])
  await store.fixClock(NOON)
  await store.close()
  rig.harm('DROP TABLE cursor')
  expect(times(await readAll(await rig.open())).slice(0, 2)).toEqual([
    '1 2026-11-27T12:00:01.000Z holdover',
    'epoch-change',
  ])
})

test('in whatever order they were recorded: of one run, later on the monotonic clock is never earlier on the wall', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 10_000_000 }), fc.constantFrom('never', 'unsynced')), {
        minLength: 1,
        maxLength: 20,
      }),
      fc.integer({ min: -1_000_000, max: 2_000_000_000_000 }),
      async (moments, offsetMs) => {
        const rig = storeRig()
        const store = await rig.open({ clock: new VirtualClock() })
        await store.append(moments.map(([monoUs, clock]) => newEvent({ monoMs: monoUs / 1000, wallMs: 0, clock })))
        await store.fixClock(offsetMs)
        const events = (await readAll(store)).flatMap((entry) => (entry.kind === 'event' ? [entry] : []))
        await store.close()
        for (const { monoMs, wallMs } of events) {
          expect(wallMs).toBeLessThanOrEqual(offsetMs + monoMs)
          expect(wallMs).toBeGreaterThan(offsetMs + monoMs - 1)
        }
      },
    ),
    { numRuns: 30 },
  )
})
