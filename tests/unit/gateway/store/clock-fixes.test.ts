import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Entry } from '../../../../gateway/contract/event.ts'
import { VirtualClock } from '../../../../hardware-sim/clock.ts'
import { newEvent } from '../../../contract/memory-store.ts'
import { readAll, storeRig } from './rig.ts'

/** Seconds after 1970 of events that were recorded before anybody had set the clock. */
const early = (monoMs: number) => newEvent({ monoMs, wallMs: monoMs, clock: 'never' })
/** The event that tells of the finding. */
const told = newEvent({ class: 'audit', type: 'linli.clock.set', monoMs: 3000, wallMs: 9, body: '{}' })
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
  await store.fixClock(NOON, told)
  const corrected = [
    '1 2026-11-27T12:00:01.000Z holdover',
    '2 2026-11-27T12:00:02.500Z holdover',
    '3 1970-01-01T00:00:00.005Z synced',
    '4 1970-01-01T00:00:00.009Z synced',
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
  await fromMemory.fixClock(NOON + 0.4, told)
  // A source that went away again: it is still the same clock.
  await fromMemory.append([newEvent({ monoMs: 3000.999, wallMs: 7, clock: 'unsynced' })])
  const memory = await readAll(fromMemory)
  await fromMemory.close()
  const file = await readAll(await rig.open())
  expect(file).toEqual(memory)
  expect(times(file)).toEqual([
    '1 2026-11-27T12:00:01.000Z holdover',
    '2 1970-01-01T00:00:00.009Z synced',
    '3 2026-11-27T12:00:03.001Z holdover',
  ])
})

test('runs in one boot of the machine share the finding, also one that begins behind it; runs of another boot do not', async () => {
  const rig = storeRig()
  const append = async (monoMs: number, fixMs?: number): Promise<void> => {
    const store = await rig.open()
    await store.append([early(monoMs)])
    if (fixMs !== undefined) await store.fixClock(fixMs, told)
    await store.close()
    await rig.clock.advance(10_000)
  }
  await append(1000)
  rig.machine.id = 'boot-2'
  await append(500)
  await append(700, NOON)
  await append(900)
  rig.machine.id = 'boot-3'
  await append(800)
  expect(times(await readAll(await rig.open()))).toEqual([
    '1 1970-01-01T00:00:01.000Z never',
    '2 2026-11-27T12:00:00.500Z holdover',
    '3 2026-11-27T12:00:00.700Z holdover',
    '4 1970-01-01T00:00:00.009Z synced',
    '5 2026-11-27T12:00:00.900Z holdover',
    '6 1970-01-01T00:00:00.800Z never',
  ])
})

test('where each process counts its time from its own start, the uptime of the machine is what they share', async () => {
  const rig = storeRig()
  const first = await rig.open({ clock: new VirtualClock(0, 'never'), machine: () => ({ id: 'b', uptimeS: 20 }) })
  await first.append([early(1000)])
  await first.close()
  const second = await rig.open({ clock: new VirtualClock(0, 'never'), machine: () => ({ id: 'b', uptimeS: 50 }) })
  await second.fixClock(NOON, told)
  // The second process began at noon, thirty seconds behind the first.
  expect(times(await readAll(second))[0]).toBe('1 2026-11-27T11:59:31.000Z holdover')
})

test('a start of the machine that has no name is shared with nobody', async () => {
  const rig = storeRig()
  rig.machine.id = ''
  const first = await rig.open()
  await first.append([early(1000)])
  await first.close()
  const second = await rig.open()
  await second.fixClock(NOON, told)
  expect(times(await readAll(second))[0]).toBe('1 1970-01-01T00:00:01.000Z never')
})

test('a run that knows the time from its start hears of one before it that did not, until it is corrected', async () => {
  const rig = storeRig()
  rig.clock.jumpWall(0, 'never')
  await (await rig.open()).close()
  rig.clock.jumpWall(0, 'synced')
  const second = await rig.open()
  expect(second.clock.unfound).toBe(true)
  await second.fixClock(NOON, told)
  await second.close()
  const third = await rig.open()
  expect(third.clock.unfound).toBe(false)
  await third.close()
  rig.machine.id = 'boot-2'
  expect((await rig.open()).clock.unfound).toBe(false)
})

test('the newest finding counts, in memory as in the file', async () => {
  const rig = storeRig()
  const earlier = await rig.open()
  await earlier.append([early(500)])
  await earlier.close()
  const store = await rig.open({ tailEvents: 100 })
  await store.append([early(1000)])
  await store.fixClock(NOON, told)
  await store.fixClock(NOON - 3_600_000, told)
  await store.append([early(2000)])
  const memory = await readAll(store)
  await store.close()
  const file = await readAll(await rig.open())
  expect(file).toEqual(memory)
  expect(times(file).filter((line) => line.endsWith('holdover'))).toEqual([
    '1 2026-11-27T11:00:00.500Z holdover',
    '2 2026-11-27T11:00:01.000Z holdover',
    '5 2026-11-27T11:00:02.000Z holdover',
  ])
})

test('a finding and its event are in one transaction: cut off between them, neither is there', async () => {
  const rig = storeRig()
  const store = await rig.open()
  await store.append([early(1000)])
  await store.fixClock(NOON, told)
  await store.close()
  const whole = rig.ask('SELECT offset_ms FROM clock_fix').length
  expect([whole, (await readAll(await rig.open())).length]).toEqual([1, 2])
  const other = storeRig()
  const refusing = await other.open()
  await refusing.append([early(1000)])
  await refusing.close()
  other.harm("CREATE TRIGGER no_audit BEFORE INSERT ON audit BEGIN SELECT raise(ABORT, 'cut off'); END")
  const cut = await other.open()
  cut.failed.catch(() => undefined)
  await expect(cut.fixClock(NOON, told)).rejects.toThrow('cut off')
  expect(other.ask('SELECT * FROM clock_fix', other.copied('left.db'))).toEqual([])
})

test('what is known to be past: the newest time of a clock that anybody had set', async () => {
  const rig = storeRig()
  const store = await rig.open()
  expect(store.clock.pastMs).toBeUndefined()
  await store.append([newEvent({ wallMs: NOON, clock: 'unsynced' })])
  await store.append([newEvent({ class: 'status', wallMs: NOON + 5, clock: 'synced' })])
  await store.append([newEvent({ class: 'alarm', wallMs: NOON + 9, clock: 'never' })])
  await store.close()
  expect((await rig.open()).clock.pastMs).toBe(NOON + 5)
})

test('a finding with a turned bit is none', async () => {
  const rig = storeRig()
  const store = await rig.open()
  await store.append([early(1000)])
  await store.fixClock(NOON, told)
  await store.close()
  rig.harm('UPDATE clock_fix SET offset_ms = offset_ms + 1')
  rig.harm("UPDATE boot SET kernel = '', crc = 0")
  expect(times(await readAll(await rig.open()))).toEqual([
    '1 1970-01-01T00:00:01.000Z never',
    '2 1970-01-01T00:00:00.009Z synced',
  ])
})

test('a damaged log takes its findings along', async () => {
  const rig = storeRig()
  const store = await rig.open()
  await store.append([early(1000)])
  await store.fixClock(NOON, told)
  await store.close()
  rig.harm('DROP TABLE cursor')
  expect(times(await readAll(await rig.open())).slice(0, 3)).toEqual([
    '1 2026-11-27T12:00:01.000Z holdover',
    '2 1970-01-01T00:00:00.009Z synced',
    'epoch-change',
  ])
})

/** What happens to a hub: readings in a run that does not know the time, a finding of it, a restart, a loss of power. */
type Deed = readonly ['read', number] | readonly ['find', number] | readonly ['restart'] | readonly ['power']
const ERROR_MAX_MS = 50
const deed: fc.Arbitrary<Deed> = fc.oneof(
  { weight: 5, arbitrary: fc.tuple(fc.constant('read' as const), fc.integer({ min: 0, max: 10_000_000 })) },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.constant('find' as const), fc.integer({ min: -ERROR_MAX_MS, max: ERROR_MAX_MS })),
  },
  { weight: 2, arbitrary: fc.constant(['restart'] as const) },
  { weight: 1, arbitrary: fc.constant(['power'] as const) },
)

/** Do all of it; and say of each reading in which start of the machine it was, and in which of these the time was found. */
async function live(deeds: readonly Deed[]) {
  const rig = storeRig()
  const boots: number[] = []
  const found = new Set<number>()
  let boot = 1
  let store = await rig.open({ tailEvents: 5 })
  for (const [what, number] of deeds) {
    await rig.clock.advance(1000.125)
    if (what === 'read') {
      await store.append([early(rig.clock.monoMs() + number / 1000)])
      boots.push(boot)
    } else if (what === 'find') {
      await store.fixClock(NOON + number, told)
      found.add(boot)
    } else {
      await store.close()
      if (what === 'power') {
        boot += 1
        rig.machine.id = `boot-${boot}`
        rig.machine.onMonoMs = rig.clock.monoMs()
      }
      store = await rig.open({ tailEvents: 5 })
    }
  }
  const fromMemory = await readAll(store, {}, Math.max(0, store.lastSeq() - 5))
  await store.close()
  const all = await readAll(await rig.open())
  expect(all.slice(all.length - fromMemory.length)).toEqual(fromMemory)
  const readings = all.flatMap((entry) => (entry.kind === 'event' && entry.class === 'telemetry' ? [entry] : []))
  return readings.map((reading, n) => ({ ...reading, boot: boots[n]!, found: found.has(boots[n]!) }))
}

test('through any restarts, losses of power and findings: right within the error of the finding, in order, or left alone', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(deed, { minLength: 1, maxLength: 25 }), async (deeds) => {
      const readings = await live(deeds)
      expect(readings).toHaveLength(deeds.filter(([what]) => what === 'read').length)
      for (const { found, clock, wallMs, monoMs } of readings) {
        expect(clock).toBe(found ? 'holdover' : 'never')
        if (found) expect(Math.abs(wallMs - (NOON + monoMs))).toBeLessThanOrEqual(ERROR_MAX_MS + 1)
        else expect(wallMs).toBe(Math.floor(monoMs))
      }
      for (const one of readings) {
        for (const other of readings) {
          if (one.boot === other.boot && one.monoMs >= other.monoMs + 0.01) {
            expect(one.wallMs).toBeGreaterThanOrEqual(other.wallMs)
          }
        }
      }
    }),
    { numRuns: 25 },
  )
})
