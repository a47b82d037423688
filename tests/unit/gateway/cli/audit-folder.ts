import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { AuditHeads } from '../../../../gateway/core/audit-heads.ts'
import { createRecorder } from '../../../../gateway/core/recorder.ts'
import { loadAuditKey } from '../../../../gateway/io/audit-key.ts'
import { createLog } from '../../../../gateway/io/log.ts'
import type { AuditVerdict } from '../../../../gateway/store/audit-check.ts'
import type { SignedHead } from '../../../../gateway/store/audit-head.ts'
import { directPort } from '../../../../gateway/store/direct-port.ts'
import { openStore, type StoreOptions } from '../../../../gateway/store/open.ts'
import type { OpenedStore } from '../../../../gateway/store/opened-store.ts'
import { decodeBody, decodeHead, RowEncoder } from '../../../../gateway/store/row.ts'
import { openSqlite, type Sqlite } from '../../../../gateway/store/sqlite.ts'
import { VirtualClock } from '../../../../hardware-sim/clock.ts'
import { newEvent } from '../../../contract/memory-store.ts'
import { linli, temporaryFolder } from './told.ts'

export const DEED = { class: 'audit', type: 'linli.door.unlocked', source: 'devices/gate' } as const

/** A hub's folder: six deeds at places 2, 4 ... 12 among readings, and a head at 13. */
export async function folderWithAudit(): Promise<{ folder: string; path: string; head: SignedHead }> {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'hub.yaml'), 'hub: { id: hub-01 }\nstorage: { path: ./hub.db }\n')
  const path = join(folder, 'hub.db')
  const clock = new VirtualClock()
  const log = createLog('error', false, () => undefined)
  const waits = { gatherMs: 0, urgentMs: 0, tailEvents: 0 }
  const store = await openStore({ path, hub: 'hub-01', clock, log, ...waits, port: () => directPort() })
  for (let n = 1; n <= 6; n++) await store.append([newEvent(), newEvent({ ...DEED, body: JSON.stringify({ n }) })])
  const ending = new AbortController()
  const recorder = createRecorder({ store, clock, log, hash: String }, ending.signal)
  const key = loadAuditKey(folder)
  const heads = new AuditHeads({ hub: 'hub-01', store, recorder, clock, key, signal: ending.signal })
  await clock.advance(10_000)
  // The store answers by itself, not by virtual time.
  await expect.poll(() => store.lastSeq()).toBe(13)
  ending.abort(new Error('over'))
  await heads.done
  const page = await store.read({ after: { epoch: store.epoch, seq: 12 }, limit: 1 })
  const [entry] = page.entries
  await store.close()
  if (entry?.kind !== 'event') throw new Error('there is no head')
  return { folder, path, head: JSON.parse(entry.body) as SignedHead }
}

/** Somebody at the file, who knows the format as well as we do: checksums and links fit again. */
export function tamper(path: string, how: (db: Sqlite) => void): void {
  const db = openSqlite(path)
  how(db)
  db.close()
}

/** Another text in the place of an audit event, with the right checksums. */
export function forge(db: Sqlite, last: number, text: string): void {
  const { head, body } = db
    .prepare<[number], { head: Buffer; body: Buffer }>('SELECT head, body FROM audit WHERE last = ?')
    .get(last)!
  const decoded = decodeHead('audit', last, head)
  const events = decodeBody(decoded, body)
  const rows = events.rows.slice()
  rows[4] = text.length
  const forged = new RowEncoder().encode({ ...events, rows, text }, decoded.boot)
  db.prepare('UPDATE audit SET head = ?, body = ? WHERE last = ?').run(forged.head, forged.body, last)
}

export interface Judged {
  readonly code: number
  /** Such as `6 changed` or `50-250 removed`. */
  readonly places: readonly string[]
  readonly notes: readonly string[]
  readonly verdict: AuditVerdict
}

/** What `linli audit verify` says of the hub's folder. */
export async function judged(folder: string, ...more: string[]): Promise<Judged> {
  const { code, out, error } = await linli(['audit', 'verify', '--json', ...more], { folder })
  if (error !== '') throw new Error(error)
  const verdict = JSON.parse(out) as AuditVerdict
  const places = verdict.findings.map(({ seq, toSeq, what }) => `${seq === toSeq ? seq : `${seq}-${toSeq}`} ${what}`)
  return { code, places, notes: verdict.notes.map(({ text }) => text), verdict }
}

/** Open the hub's log as the hub does. */
export function reopened(path: string, changes: Partial<StoreOptions> = {}): Promise<OpenedStore> {
  const log = createLog('error', false, () => undefined)
  const waits = { gatherMs: 0, urgentMs: 0, tailEvents: 0 }
  return openStore({
    path,
    hub: 'hub-01',
    clock: new VirtualClock(),
    log,
    ...waits,
    port: () => directPort(),
    ...changes,
  })
}
