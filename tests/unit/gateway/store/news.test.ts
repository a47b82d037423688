import { expect, test } from 'vitest'
import type { StoredEvent } from '../../../../gateway/contract/event.ts'
import type { Retention } from '../../../../gateway/store/keeper.ts'
import { NewsBook } from '../../../../gateway/store/news.ts'
import type { OpenedStore } from '../../../../gateway/store/opened-store.ts'
import { newEvent, newEvents } from '../../../contract/memory-store.ts'
import { readAll, storeRig } from './rig.ts'

const YEAR_MS = 365 * 24 * 3_600_000
const ROUND_MS = 60_000
const RETENTION: Retention = {
  keepMs: { telemetry: YEAR_MS, status: YEAR_MS, alarm: YEAR_MS, audit: YEAR_MS },
  maxBytes: 32e6,
  required: [],
}

/** What the chain says of the log's own deeds. */
async function told(store: OpenedStore): Promise<string[]> {
  const events = (await readAll(store)).filter((entry): entry is StoredEvent => entry.kind === 'event')
  return events
    .filter((event) => event.class === 'audit' && event.source === '')
    .map(({ type, body }) => `${type} ${body}`)
}

test('a row that was quarantined is told in the chain, once', async () => {
  const rig = storeRig()
  const first = await rig.open({ retention: RETENTION })
  for (let n = 0; n < 3; n++) await first.append([newEvent({ class: 'alarm', type: 'linli.fire.active' })])
  await first.close()
  rig.harm("UPDATE alarm SET body = x'00' WHERE last = 2")
  const store = await rig.open({ retention: RETENTION })
  await readAll(store)
  await rig.clock.advance(2 * ROUND_MS)
  const reason = 'alarm row 2 is damaged: the CRC of its body is wrong'
  const event = `linli.log.quarantined ${JSON.stringify({ class: 'alarm', seq: 2, reason })}`
  await expect.poll(() => told(store)).toEqual([event])
  await rig.clock.advance(5 * ROUND_MS)
  expect(await told(store)).toEqual([event])
})

test('settings that keep less than before are told, with both; the same settings are not', async () => {
  const rig = storeRig()
  await (await rig.open({ retention: RETENTION })).close()
  await (await rig.open({ retention: RETENTION })).close()
  const keepMs = { ...RETENTION.keepMs, audit: YEAR_MS / 365 }
  const store = await rig.open({ retention: { ...RETENTION, keepMs } })
  await rig.clock.advance(2 * ROUND_MS)
  const data = { before: { audit: YEAR_MS }, now: { audit: YEAR_MS / 365 } }
  await expect.poll(() => told(store)).toEqual([`linli.log.retention ${JSON.stringify(data)}`])
  await store.close()
  const again = await rig.open({ retention: { ...RETENTION, keepMs } })
  await rig.clock.advance(2 * ROUND_MS)
  await again.append(newEvents(1))
  expect(await told(again)).toHaveLength(1)
})

test('audit events that were let go of are told in the chain, as one however many steps it took', () => {
  const book = new NewsBook()
  book.evicted(200, 200)
  book.evicted(390, 150)
  expect(book.take()).toEqual([{ type: 'linli.audit.evicted', data: { toSeq: 390, events: 350 } }])
  expect(book.take()).toEqual([])
})

test('by age: the chain says up to where its own events were let go of', async () => {
  const rig = storeRig()
  const keepMs = { ...RETENTION.keepMs, audit: 3_600_000 }
  const store = await rig.open({ retention: { ...RETENTION, keepMs } })
  for (let n = 0; n < 3; n++) {
    await store.append([
      newEvent({
        class: 'audit',
        type: 'linli.door.unlocked',
        monoMs: rig.clock.monoMs(),
        wallMs: rig.clock.wallMs(),
        clock: 'synced',
      }),
    ])
  }
  await rig.clock.advance(2 * 3_600_000)
  await expect.poll(() => told(store)).toEqual(['linli.audit.evicted {"toSeq":3,"events":3}'])
})

test('of a file full of damaged rows the first hundred are told', () => {
  const book = new NewsBook()
  for (let n = 0; n < 150; n++) book.add('linli.log.quarantined', { seq: n })
  expect(book.take()).toHaveLength(100)
})
