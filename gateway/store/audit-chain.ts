import { createHash } from 'node:crypto'
import type { Events } from './collect.ts'
import { NewsBook } from './news.ts'
import { MONO_US, SEQ, STREAM, WALL_MS } from './parcel.ts'
import type { Sqlite, Statement } from './sqlite.ts'

/**
 * The chain of the audit events: link = SHA-256(link before, record), so whoever changes, removes or moves one has to
 * make every later link anew, and the last one was signed and sent away (`core/audit-heads.ts`). The first link follows
 * SHA-256("linli-audit-1"). A record is the JSON text, in UTF-8, of
 *
 *     [place, type, source, privacy, clock, wall time in ms, monotonic time in us, body as its text]
 *
 * as they are stored. Links stand in a table of their own, beside the rows and in the same transaction; when rows are
 * let go of, the last of their links stays, as what the next one follows.
 */
export const FIRST_LINK = createHash('sha256').update('linli-audit-1').digest()
export const LINK_BYTES = 32

/** The record of one row of class audit, which is one event. */
export function recordText({ rows, streams, text }: Events): string {
  const { type, source, privacy, clock } = streams[rows[STREAM]!]!
  return JSON.stringify([rows[SEQ], type, source, privacy, clock, rows[WALL_MS], rows[MONO_US], text])
}

export function nextLink(before: Uint8Array, events: Events): Buffer {
  return createHash('sha256').update(before).update(recordText(events)).digest()
}

/** Where the chain ends: the place of its last event, and its link. */
export interface AuditHead {
  readonly epoch: string
  readonly seq: number
  readonly hash: Uint8Array
  /** How many events were put into the chain since the log was opened. */
  readonly events: number
}
type End = Omit<AuditHead, 'epoch'>

/** The links of a log that is open. */
export class AuditChain {
  readonly #put: Statement<[number, Buffer]>
  readonly #prune: Statement<[]>
  readonly #epoch: string
  /** What the log did by itself, for whoever tells it in the chain. */
  readonly news = new NewsBook()
  #end: End
  #next: End

  constructor(db: Sqlite, epoch: string) {
    this.#epoch = epoch
    this.#put = db.prepare('INSERT OR REPLACE INTO audit_link (last, hash) VALUES (?, ?)')
    this.#prune = db.prepare(`DELETE FROM audit_link WHERE last <
      (SELECT max(last) FROM audit_link WHERE last < (SELECT min(last) FROM audit))`)
    const newest = db.prepare<[], { last: number; hash: Buffer }>(
      'SELECT last, hash FROM audit_link ORDER BY last DESC',
    )
    const record = newest.get()
    const { last, hash } = record ?? { last: 0, hash: FIRST_LINK }
    this.#end = { seq: last, hash, events: 0 }
    this.#next = this.#end
  }

  get head(): AuditHead {
    return { epoch: this.#epoch, ...this.#end }
  }

  /** A transaction begins, or begins once more: what a refused one added is forgotten. */
  begin(): void {
    this.#next = this.#end
  }

  /** An audit row goes into the transaction that is open. */
  add(events: Events): void {
    const hash = nextLink(this.#next.hash, events)
    this.#next = { seq: events.rows[SEQ]!, hash, events: this.#next.events + 1 }
    this.#put.run(this.#next.seq, hash)
  }

  /** The transaction stands. */
  settle(): void {
    this.#end = this.#next
  }

  /** Links whose rows were let go of, but for the last one. */
  prune(): void {
    this.#prune.run()
  }
}
