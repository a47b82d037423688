import { EVENT_CLASSES, type EventClass } from '../contract/event.ts'
import { type GapRun, type Gaps, runsOf } from './gaps.ts'
import type { Trim } from './retention.ts'
import { decodeHead } from './row.ts'
import type { Sqlite, Statement } from './sqlite.ts'
import { bytesOnDisk, type Usage } from './usage.ts'

/** Rows that one transaction takes away at most: nothing else is written while it lasts. */
const CHUNK_ROWS_MAX = 200

interface RowRecord {
  readonly last: number
  readonly head: Buffer
  readonly bodyBytes: number
}

export interface Evicted {
  readonly rows: number
  readonly events: number
  /** The place of the last of them; 0 where there is none. */
  readonly toSeq: number
  /** Of them, those that not every consumer has confirmed who must have them. */
  readonly unconfirmed: number
}

/** Takes the oldest rows of a class away, with the gap records in the same transaction. */
export class Evictor {
  readonly #gaps: Gaps
  readonly #usage: Usage
  readonly #oldest = new Map<EventClass, Statement<[number, number], RowRecord>>()
  readonly #delete = new Map<EventClass, Statement<[number]>>()
  readonly #evict: (trim: Trim, confirmedSeq: number, lastSeq: number) => Evicted

  constructor(db: Sqlite, gaps: Gaps, usage: Usage) {
    this.#gaps = gaps
    this.#usage = usage
    for (const name of EVENT_CLASSES) {
      this.#oldest.set(
        name,
        db.prepare(`SELECT last, head, length(body) AS bodyBytes FROM ${name} WHERE last <= ? ORDER BY last LIMIT ?`),
      )
      this.#delete.set(name, db.prepare(`DELETE FROM ${name} WHERE last <= ?`))
    }
    this.#evict = db.transaction((trim: Trim, confirmedSeq: number, lastSeq: number) =>
      this.#chunk(trim, confirmedSeq, lastSeq),
    ).immediate
  }

  /**
   * One chunk of it, and at least one row where there is one.
   * @throws DamagedRow when a row to go is not what was written; then nothing is done
   */
  evict(trim: Trim, confirmedSeq: number, lastSeq: number): Evicted {
    return this.#usage.attempt(() => this.#evict(trim, confirmedSeq, lastSeq))
  }

  #chunk({ class: name, untilSeq, bytes }: Trim, confirmedSeq: number, lastSeq: number): Evicted {
    const runs: GapRun[] = []
    let rows = 0
    let events = 0
    let unconfirmed = 0
    let freed = 0
    let reachedSeq = 0
    for (const { last, head, bodyBytes } of this.#oldest.get(name)!.all(Math.min(untilSeq, lastSeq), CHUNK_ROWS_MAX)) {
      if (freed >= bytes) break
      const row = decodeHead(name, last, head)
      runs.push(...runsOf(row, 'evicted'))
      this.#usage.removed(name, last, head.length, bodyBytes)
      freed += bytesOnDisk(head.length, bodyBytes)
      rows += 1
      events += row.count
      if (last > confirmedSeq) unconfirmed += row.count
      reachedSeq = last
    }
    if (rows === 0) return { rows, events, toSeq: 0, unconfirmed }
    this.#delete.get(name)!.run(reachedSeq)
    this.#gaps.add(runs)
    this.#usage.save(lastSeq)
    return { rows, events, toSeq: reachedSeq, unconfirmed }
  }
}
