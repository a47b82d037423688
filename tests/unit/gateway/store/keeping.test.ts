import { existsSync, statSync } from 'node:fs'
import { expect, test } from 'vitest'
import { EVENT_CLASSES, type EventClass, type NewEvent } from '../../../../gateway/contract/event.ts'
import { directPort } from '../../../../gateway/store/direct-port.ts'
import type { Retention } from '../../../../gateway/store/keeper.ts'
import type { OpenedStore } from '../../../../gateway/store/opened-store.ts'
import { roomOf } from '../../../../gateway/store/retention.ts'
import type { StorePort } from '../../../../gateway/store/service.ts'
import { newEvent, newEvents } from '../../../contract/memory-store.ts'
import { readAll, storeRig } from './rig.ts'

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS
const KEEP_MS = { telemetry: 2 * DAY_MS, status: 4 * DAY_MS, alarm: 30 * DAY_MS, audit: 90 * DAY_MS }
/** The log is looked after so often. */
const ROUND_MS = MINUTE_MS
/** What is out of its age waits so long for more of it. */
const BATCH_MS = 61 * MINUTE_MS

/** A log with room for about half a megabyte. */
function small(changes: Partial<Retention> = {}): Retention {
  return { keepMs: KEEP_MS, maxBytes: 1_000_000, required: [], ...changes }
}

/** Bodies that nothing makes smaller, each its own. */
let seed = 1
function noise(chars: number): string {
  let text = ''
  while (text.length < chars) {
    seed = (seed * 16_807) % 2_147_483_647
    text += seed.toString(36)
  }
  return JSON.stringify(text.slice(0, chars))
}

function noisy(count: number, changes: Partial<NewEvent> = {}, chars = 400): NewEvent[] {
  return Array.from({ length: count }, () => newEvent({ ...changes, body: noise(chars) }))
}

/** Every place from 1 to the end is in an event or in a gap, once, and the gaps count what is missing. */
async function accountFor(store: OpenedStore): Promise<{ held: Record<EventClass, number>; gone: number }> {
  const held = Object.fromEntries(EVENT_CLASSES.map((name) => [name, 0])) as Record<EventClass, number>
  let next = 1
  let gone = 0
  for (const entry of await readAll(store, { limit: 500 })) {
    const [from, to] = entry.kind === 'event' ? [entry.seq, entry.seq] : [entry.fromSeq, entry.toSeq]
    expect(from).toBe(next)
    next = to + 1
    if (entry.kind === 'event') held[entry.class] += 1
    else {
      const counted = EVENT_CLASSES.reduce((sum, name) => sum + (entry.counts[name] ?? 0), 0)
      expect(counted).toBe(to - from + 1)
      gone += counted
    }
  }
  expect(next).toBe(store.lastSeq() + 1)
  return { held, gone }
}

function figure(store: OpenedStore, name: string, labels: Record<string, string> = {}): number {
  const found = store
    .figures()
    .find((each) => each.name === name && Object.entries(labels).every(([key, value]) => each.labels?.[key] === value))
  return found?.value ?? Number.NaN
}

test('a log that is full lets go of its oldest readings, says so, and keeps every alarm', async () => {
  const rig = storeRig()
  const store = await rig.open({ retention: small() })
  for (let round = 0; round < 60; round++) {
    await store.append(noisy(50))
    await store.append(noisy(1, { class: 'alarm' }, 100))
    await rig.clock.advance(0)
    expect(statSync(rig.path).size + statSync(`${rig.path}-wal`).size).toBeLessThanOrEqual(1_000_000)
  }
  const { held, gone } = await accountFor(store)
  expect(held.alarm).toBe(60)
  expect(held.telemetry + gone).toBe(3000)
  expect(held.telemetry).toBeGreaterThan(500)
  expect(gone).toBeGreaterThan(500)
  await store.ping()
  expect(figure(store, 'linli_log_evicted_events_total', { class: 'telemetry', why: 'size' })).toBe(gone)
  expect(figure(store, 'linli_log_evicted_events_total', { class: 'alarm', why: 'size' })).toBe(0)
})

test('a flood of alarms takes no more from readings than what is not reserved for them', async () => {
  const rig = storeRig()
  const store = await rig.open({ retention: small() })
  for (let round = 0; round < 30; round++) await store.append(noisy(50))
  for (let round = 0; round < 60; round++) {
    await store.append(noisy(50, { class: 'alarm' }))
    await rig.clock.advance(0)
  }
  const { held } = await accountFor(store)
  expect(held.alarm).toBeLessThan(3000)
  await store.ping()
  const [telemetry, alarm] = (['telemetry', 'alarm'] as const).map((name) =>
    figure(store, 'linli_log_class_bytes', { class: name }),
  )
  expect(telemetry! / (telemetry! + alarm!)).toBeCloseTo(0.4, 1)
})

test('what comes is never refused for want of room, even before there was time to make some', async () => {
  const rig = storeRig()
  const store = await rig.open({ retention: small() })
  const calls = Array.from({ length: 200 }, () => store.append(noisy(20, {}, 300)))
  await Promise.all(calls)
  await rig.clock.advance(0)
  expect(statSync(rig.path).size).toBeLessThanOrEqual(roomOf(1_000_000).databaseBytes)
  await accountFor(store)
  const large = await store.append(noisy(1, { class: 'audit' }, 200_000))
  const [last] = await readAll(store, {}, large.lastSeq - 1)
  expect(last).toMatchObject({ kind: 'event', class: 'audit' })
})

test('by age only what every consumer that must have it has confirmed, and only while the time is sure', async () => {
  const rig = storeRig()
  const required = [{ consumer: 'city', classes: ['telemetry' as const, 'alarm' as const] }]
  const store = await rig.open({ retention: small({ required }) })
  const at = (wallMs: number): NewEvent[] => newEvents(10, { wallMs })
  await store.append(at(rig.clock.wallMs()))
  await store.append(newEvents(10, { class: 'status', wallMs: rig.clock.wallMs() }))
  await rig.clock.advance(2 * DAY_MS)
  await store.append(at(rig.clock.wallMs()))
  await rig.clock.advance(BATCH_MS)
  expect((await accountFor(store)).gone).toBe(0)
  await store.confirm('city', { epoch: store.epoch, seq: 15 })
  await rig.clock.advance(BATCH_MS)
  expect(await accountFor(store)).toMatchObject({ gone: 10, held: { telemetry: 10, status: 10 } })
  await rig.clock.advance(2 * DAY_MS + BATCH_MS)
  // Nobody must have changes of state; but of readings those from 21 on are not confirmed, however old.
  expect(await accountFor(store)).toMatchObject({ gone: 20, held: { telemetry: 10, status: 0 } })
})

test('nothing goes by age while nobody vouches for the clock, or after it has jumped', async () => {
  const rig = storeRig()
  const store = await rig.open({ retention: small() })
  await store.append(newEvents(10, { wallMs: rig.clock.wallMs() }))
  rig.clock.jumpWall(3650 * DAY_MS, 'unsynced')
  await rig.clock.advance(2 * ROUND_MS)
  expect((await accountFor(store)).gone).toBe(0)
  rig.clock.jumpWall(0, 'synced')
  await rig.clock.advance(DAY_MS - ROUND_MS)
  expect((await accountFor(store)).gone).toBe(0)
  await rig.clock.advance(2 * ROUND_MS)
  expect((await accountFor(store)).gone).toBe(10)
})

test('an alarm tells once when the room for who did what is almost full', async () => {
  const rig = storeRig()
  const store = await rig.open({ retention: small() })
  const alarms = async (): Promise<string[]> =>
    (await readAll(store, { classes: ['alarm'] })).flatMap((entry) => (entry.kind === 'event' ? [entry.type] : []))
  const audit = (): NewEvent[] => noisy(10, { class: 'audit' })
  for (let round = 0; round < 15; round++) await store.append(audit())
  await rig.clock.advance(ROUND_MS)
  expect(await alarms()).toEqual([])
  for (let round = 0; round < 15; round++) await store.append(audit())
  await rig.clock.advance(3 * ROUND_MS)
  expect(await alarms()).toEqual(['linli.log.audit-room'])
})

test('however much is let go of, a commit waits for one chunk of it at most', async () => {
  const rig = storeRig()
  const large = await rig.open({ retention: small({ maxBytes: 4_000_000 }) })
  for (let round = 0; round < 100; round++) await large.append(noisy(50, { class: 'status' }))
  await large.close()
  const writer = directPort()
  const asked: string[] = []
  const port: StorePort = {
    call(name, argument) {
      asked.push(name)
      return writer.call(name, argument)
    },
  }
  const store = await rig.open({ retention: small(), port: () => port })
  for (let alarm = 0; alarm < 5; alarm++) {
    const before = asked.length
    await store.append(noisy(1, { class: 'alarm' }))
    expect(asked.slice(before).filter((name) => name === 'tend').length).toBeLessThanOrEqual(2)
  }
  await rig.clock.advance(0)
  expect(asked.filter((name) => name === 'tend').length).toBeGreaterThan(10)
  await accountFor(store)
})

test('a jump is not proven by a restart: the day begins anew', async () => {
  const rig = storeRig()
  const first = await rig.open({ retention: small() })
  await first.append(newEvents(10, { wallMs: rig.clock.wallMs() }))
  await rig.clock.advance(ROUND_MS)
  rig.clock.jumpWall(3650 * DAY_MS)
  await rig.clock.advance(DAY_MS / 2)
  await first.append(newEvents(10, { wallMs: rig.clock.wallMs() }))
  await first.close()
  const store = await rig.open({ retention: small() })
  await rig.clock.advance(DAY_MS - ROUND_MS)
  expect((await accountFor(store)).gone).toBe(0)
  await rig.clock.advance(2 * ROUND_MS)
  expect((await accountFor(store)).gone).toBe(10)
})

test('a consumer that never confirms reaches the end of the room, is told what it missed, and so is everybody', async () => {
  const rig = storeRig()
  const required = [{ consumer: 'city', classes: EVENT_CLASSES }]
  const store = await rig.open({ retention: small({ required }) })
  for (let round = 0; round < 60; round++) {
    await store.append(noisy(50))
    await rig.clock.advance(0)
  }
  const [first] = await readAll(store, { limit: 1 })
  expect(first).toMatchObject({ kind: 'gap', fromSeq: 1, reason: 'evicted' })
  const alarms = (await readAll(store, { classes: ['alarm'] })).filter((entry) => entry.kind === 'event')
  expect(alarms.map(({ type }) => type)).toEqual(['linli.log.evicted-unconfirmed'])
  expect(JSON.parse(alarms[0]!.body)).toMatchObject({ class: 'telemetry', count: expect.any(Number) })
  await rig.clock.advance(DAY_MS)
  await accountFor(store)
})

test('how much each class takes is known again after a crash, and in a log that never counted', async () => {
  const rig = storeRig()
  const usage = async (store: OpenedStore): Promise<number[]> => {
    await rig.clock.advance(0)
    await store.ping()
    return EVENT_CLASSES.flatMap((name) =>
      ['linli_log_class_rows', 'linli_log_class_bytes'].map((each) => figure(store, each, { class: name })),
    )
  }
  const crashed = await rig.open({ retention: small() })
  await crashed.append(noisy(3))
  await crashed.append(noisy(3, { class: 'alarm' }, 9000))
  const before = await usage(crashed)
  expect(before.slice(0, 2)).toEqual([1, expect.any(Number)])
  const copy = rig.copied('crashed.db')
  const again = await rig.open({ path: copy, retention: small() })
  expect(await usage(again)).toEqual(before)
  await again.close()
  const unaware = await rig.open({ path: copy })
  await unaware.append(noisy(5, { class: 'status' }))
  await unaware.trim(1)
  await unaware.close()
  const aware = await rig.open({ path: copy, retention: small() })
  const counted = await usage(aware)
  expect(counted[2]).toBe(5)
  expect(counted[1]).toBeLessThan(before[1]!)
})

test('a crash right behind an eviction leaves a count that is right', async () => {
  const rig = storeRig()
  const writer = directPort()
  const crashed: string[] = []
  const port: StorePort = {
    async call(name, argument) {
      const answer = await writer.call(name, argument)
      if (name === 'tend' && (answer as { more: boolean }).more) {
        crashed.push(rig.copied(`crashed-${crashed.length}.db`))
      }
      return answer
    },
  }
  const store = await rig.open({ retention: small(), port: () => port })
  for (let round = 0; round < 100; round++) {
    await store.append(noisy(50))
    await rig.clock.advance(0)
  }
  expect(crashed.length).toBeGreaterThan(3)
  for (const path of crashed) {
    const again = await rig.open({ path, retention: small() })
    await rig.clock.advance(0)
    await again.ping()
    const rows = figure(again, 'linli_log_class_rows', { class: 'telemetry' })
    await again.close()
    expect(rig.ask('SELECT count(*) AS rows FROM telemetry', path)).toEqual([{ rows }])
  }
})

test('a log whose room was made smaller gives it back to the disk at a start, and loses no place by it', async () => {
  const rig = storeRig()
  const large = await rig.open({ retention: small({ maxBytes: 8_000_000 }) })
  for (let round = 0; round < 60; round++) await large.append(noisy(100))
  await large.close()
  const grownBytes = statSync(rig.path).size
  expect(grownBytes).toBeGreaterThan(1_500_000)
  const trimming = await rig.open({ retention: small() })
  const epoch = trimming.epoch
  await rig.clock.advance(10 * ROUND_MS)
  await trimming.close()
  expect(statSync(rig.path).size).toBe(grownBytes)
  const shrunk = await rig.open({ retention: small() })
  expect(statSync(rig.path).size).toBeLessThan(1_000_000)
  expect(shrunk.epoch).toBe(epoch)
  const { held, gone } = await accountFor(shrunk)
  expect(held.telemetry + gone).toBe(6000)
  expect(held.telemetry).toBeGreaterThan(500)
  expect(existsSync(`${rig.path}.shrunk`)).toBe(false)
})
