import { mkdtempSync, rmSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createCursorCodec } from '../../gateway/api/cursor.ts'
import { startApi } from '../../gateway/api/server.ts'
import { rightsSchema } from '../../gateway/contract/rights-schema.ts'
import { createClock } from '../../gateway/io/clock.ts'
import { openStore } from '../../gateway/store/open.ts'
import type { Store } from '../../gateway/store/store.ts'
import { Broker } from '../../hardware-sim/broker.ts'
import { newEvents } from '../contract/memory-store.ts'
import { hubFacts, noBackup, nobodysDesk, noConnections } from '../unit/gateway/api/api-rig.ts'
import { atEnd, kept } from './kept.ts'
import { drained, logInto, runUpstream } from './upstream-rig.ts'

const key = Buffer.alloc(32, 3)
const cursors = createCursorCodec(key, 'property')

/** The real log in a folder of its own. */
function logOn(): { open(): Promise<Store>; path: string } {
  const folder = mkdtempSync(join(tmpdir(), 'log-'))
  atEnd(async () => rmSync(folder, { recursive: true }))
  const path = join(folder, 'hub.db')
  return { path, open: () => openStore({ path, hub: 'hub-01', clock: createClock(), log: logInto([]) }) }
}

async function apiOn(store: Store): Promise<(path: string) => Promise<{ status: number; body: Body }>> {
  const api = await startApi({
    listen: '127.0.0.1:0',
    hub: hubFacts,
    key,
    store,
    desk: nobodysDesk,
    connections: noConnections,
    backup: noBackup,
    clock: createClock(),
    log: logInto([]),
    signal: new AbortController().signal,
    consumers: [{ id: 'property', rights: rightsSchema.parse({}), required: false, commands: [] }],
    tokens: { verify: () => ({ consumer: 'property', id: '1' }) },
    health: () => ({ ok: true }),
    figures: () => [],
  })
  atEnd(() => api.close())
  return async (path) => {
    const answer = await fetch(api.url + path, { headers: { authorization: 'Bearer any' } })
    return { status: answer.status, body: (await answer.json()) as Body }
  }
}
interface Body {
  readonly events: readonly {
    readonly type: string
    readonly linliseq?: number
    readonly data: Record<string, unknown>
  }[]
  readonly next: string
  readonly oldest: string
}

test('the real log: drained over a restart of the hub, nothing twice, cursor on disk', async () => {
  const { open } = logOn()
  const broker = kept(await Broker.start({ clock: createClock() }))
  for (let life = 1; life <= 3; life++) {
    const store = await open()
    await store.append(newEvents(2000))
    const upstream = runUpstream({ url: broker.url }, { store })
    await drained(upstream)
    await upstream.stop()
    expect(await store.cursor('up:city')).toEqual({ epoch: store.epoch, seq: 2000 * life })
    await store.close()
  }
  expect(broker.record.report()).toMatchObject({ unique: 6000, duplicates: 0, missing: 0 })
})

test('a log that was damaged and begun anew: both ways out are told, and go on', async () => {
  const { open, path } = logOn()
  const broker = kept(await Broker.start({ clock: createClock() }))
  const before = await open()
  await before.append(newEvents(300))
  const first = runUpstream({ url: broker.url }, { store: before })
  await drained(first)
  await first.stop()
  const old = cursors.write({ epoch: before.epoch, seq: 120 })
  await before.close()
  truncateSync(path, 5000)
  const store = await open()
  atEnd(() => store.close())
  expect(store.epoch).not.toBe(before.epoch)
  await store.append(newEvents(5))

  const upstream = kept(runUpstream({ url: broker.url }, { store }))
  await drained(upstream)
  // The log itself says in two events that it was set aside, besides the gap record.
  expect(broker.record.report()).toMatchObject({
    gapsAnnounced: 1,
    epoch: store.epoch,
    unique: 300 + 2 + 5,
    missing: 0,
  })

  const ask = await apiOn(store)
  const refused = await ask(`/v1/events?after=${old}`)
  expect(refused.status).toBe(409)
  const { body } = await ask(`/v1/events?after=${refused.body.oldest}`)
  expect(body.events[0]).toMatchObject({ type: 'linli.log.gap', data: { reason: 'epoch-change' } })
  expect(body.events.slice(1, 3).map(({ type }) => type)).toEqual(['linli.log.set-aside', 'linli.log.epoch'])
  expect(body.events.slice(3)).toHaveLength(5)
})

test('what was trimmed is announced by both ways out', async () => {
  const { open } = logOn()
  const broker = kept(await Broker.start({ clock: createClock() }))
  const store = await open()
  atEnd(() => store.close())
  await store.append(newEvents(1000))
  await store.trim(400)
  const upstream = kept(runUpstream({ url: broker.url }, { store }))
  await drained(upstream)
  expect(broker.record.report()).toMatchObject({ gapsAnnounced: 1, unique: 600, missing: 0 })
  const ask = await apiOn(store)
  const { body } = await ask(`/v1/events?limit=3&after=${cursors.write({ epoch: store.epoch, seq: 10 })}`)
  expect(body.events[0]).toMatchObject({ type: 'linli.log.gap', data: { reason: 'evicted', toSeq: 400 } })
  expect(body.events.slice(1).map(({ linliseq }) => linliseq)).toEqual([401, 402])
})
