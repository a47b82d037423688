import { EVENT_CLASSES, type EventClass } from '../contract/event.ts'
import { eventsBehind } from './collect.ts'
import { type GapRun, type Gaps, runsOf } from './gaps.ts'
import { decodeBody, decodeHead, type RowEncoder } from './row.ts'
import type { Sqlite } from './sqlite.ts'

/** Rows that one transaction of a trim takes away at most: nothing else is written while it lasts. */
const TRIM_ROWS_MAX = 200

/** Lets go of everything up to a place, of all classes alike, because somebody says so. */
export class Trimmer {
  readonly #db: Sqlite
  readonly #gaps: Gaps
  readonly #encoder: RowEncoder

  constructor(db: Sqlite, gaps: Gaps, encoder: RowEncoder) {
    this.#db = db
    this.#gaps = gaps
    this.#encoder = encoder
  }

  /** One chunk of what is up to a place, in the transaction that is open; true when none is left. */
  chunk(seq: number): boolean {
    let bound = seq
    for (const name of EVENT_CLASSES) {
      const over = this.#db
        .prepare<[number, number], number>(`SELECT last FROM ${name} WHERE last <= ? ORDER BY last LIMIT 1 OFFSET ?`)
        .pluck()
        .get(seq, TRIM_ROWS_MAX / EVENT_CLASSES.length)
      if (over !== undefined) bound = Math.min(bound, over)
    }
    const runs: GapRun[] = []
    for (const name of EVENT_CLASSES) {
      const heads = this.#db.prepare<[number], { last: number; head: Buffer }>(
        `SELECT last, head FROM ${name} WHERE last <= ?`,
      )
      for (const { last, head } of heads.all(bound)) runs.push(...runsOf(decodeHead(name, last, head), 'evicted'))
      this.#db.prepare(`DELETE FROM ${name} WHERE last <= ?`).run(bound)
      if (bound === seq) runs.push(...this.#cutRow(name, seq))
    }
    this.#gaps.add(runs)
    return bound === seq
  }

  /** Where a row reaches over the place, keep only what is behind it. */
  #cutRow(name: EventClass, seq: number): GapRun[] {
    const row = this.#db
      .prepare<[number], { last: number; head: Buffer; body: Buffer }>(
        `SELECT last, head, body FROM ${name} WHERE last > ? ORDER BY last LIMIT 1`,
      )
      .get(seq)
    if (row === undefined) return []
    const head = decodeHead(name, row.last, row.head)
    if (head.firstSeq > seq) return []
    const kept = this.#encoder.encode(eventsBehind(decodeBody(head, row.body), seq), head.boot)
    this.#db.prepare(`UPDATE ${name} SET head = ?, body = ? WHERE last = ?`).run(kept.head, kept.body, row.last)
    return runsOf(head, 'evicted')
      .filter((run) => run.fromSeq <= seq)
      .map((run) => (run.toSeq <= seq ? run : { ...run, toSeq: seq, counts: { [name]: seq - run.fromSeq + 1 } }))
  }
}
