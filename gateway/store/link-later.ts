import { LINKED_TYPE, type LinkedTold } from './audit-events.ts'
import type { Opening } from './boots.ts'
import type { Events } from './collect.ts'
import type { Engine } from './engine.ts'
import { SEQ } from './parcel.ts'
import { DamagedRow, decodeBody, decodeHead } from './row.ts'
import type { Sqlite } from './sqlite.ts'

/** The newest so many of them are linked: the start waits for it, a second or two. What is older the chain does not vouch for. */
const LINKED_MAX = 100_000

/**
 * Link the audit events at the end of the log that have no link, because a version of the program wrote them that knows no
 * chain (before an update, or in the time of one that was rolled back). The chain says so itself, in the same transaction:
 * from there on it vouches for what they were then.
 */
export function linkLater(db: Sqlite, engine: Engine, { wallMs, monoUs, clock }: Opening): void {
  const { seq } = engine.audit.head
  const oldest = db
    .prepare<[number, number], number>('SELECT last FROM audit WHERE last > ? ORDER BY last DESC LIMIT 1 OFFSET ?')
    .pluck()
    .get(seq, LINKED_MAX)
  const rows = db.prepare<[number], { last: number; head: Buffer; body: Buffer }>(
    'SELECT last, head, body FROM audit WHERE last > ? ORDER BY last LIMIT 1000',
  )
  db.transaction(() => {
    let told: Omit<LinkedTold, 'reason'> | undefined
    let behind = Math.max(seq, oldest ?? 0)
    for (let page = rows.all(behind); page.length > 0; page = rows.all(behind)) {
      for (const { last, head, body } of page) {
        behind = last
        const events = wholeEvents(last, head, body)
        if (events === undefined) continue
        engine.audit.add(events)
        told = { fromSeq: told?.fromSeq ?? events.rows[SEQ]!, toSeq: last, events: (told?.events ?? 0) + 1 }
      }
    }
    if (told === undefined) return
    engine.audit.settle()
    const reason = 'they had no link: a version that knows no chain wrote them, or their links were lost'
    const text = JSON.stringify({ ...told, reason } satisfies LinkedTold)
    const numbers = Float64Array.of(0, 0, Math.floor(wallMs), Math.round(monoUs), text.length)
    const stream = { class: 'audit', type: LINKED_TYPE, source: '', privacy: 'public', clock } as const
    engine.commit([{ rows: numbers, text }], [stream], [])
  }).immediate()
}

/** A row that is damaged is found by whoever reads it next. */
function wholeEvents(last: number, head: Buffer, body: Buffer): Events | undefined {
  try {
    return decodeBody(decodeHead('audit', last, head), body)
  } catch (error) {
    if (error instanceof DamagedRow) return undefined
    throw error
  }
}
