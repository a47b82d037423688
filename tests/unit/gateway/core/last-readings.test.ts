import { expect, test } from 'vitest'
import type { NewEvent } from '../../../../gateway/contract/event.ts'
import { recallReadings } from '../../../../gateway/core/last-readings.ts'
import { storeRig } from '../store/rig.ts'

const silent = { debug() {}, info() {}, warn() {}, error() {}, with: () => silent }

const reading = (device: string, v: number, type = 'linli.meter.reading'): NewEvent => ({
  class: 'telemetry',
  type,
  source: `devices/${device}`,
  privacy: 'personal',
  monoMs: v,
  wallMs: v,
  clock: 'synced',
  body: JSON.stringify({ points: { energy: { v } } }),
})

test('the newest reading of each device comes back after a restart, and nothing else', async () => {
  const rig = storeRig()
  const store = await rig.open()
  await store.append([reading('a', 1), reading('b', 2), reading('a', 3), reading('c', 4, 'linli.meter.other')])
  await store.append([reading('b', 5)])
  await store.close()
  const again = await rig.open()
  const readings = await recallReadings({ store: again, clock: rig.clock, log: silent })
  expect(Object.fromEntries(readings)).toEqual({
    a: { points: { energy: { v: 3 } } },
    b: { points: { energy: { v: 5 } } },
  })
})

test('an empty log knows nothing', async () => {
  const rig = storeRig()
  expect((await recallReadings({ store: await rig.open(), clock: rig.clock, log: silent })).size).toBe(0)
})
