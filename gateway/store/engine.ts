import { EVENT_CLASSES, type EventClass } from '../contract/event.ts'
import { Boots, type Opening } from './boots.ts'
import { eventsBehind } from './collect.ts'
import { Cursors, type Standing } from './cursors.ts'
import { type GapRun, Gaps, runsOf } from './gaps.ts'
import { type NewRow, rowsOf } from './pack.ts'
import { COLUMNS, type Parcel, type Stream } from './parcel.ts'
import { quarantine } from './quarantine.ts'
import { type PageQuery, type RawPage, Reader } from './reader.ts'
import { DamagedRow, decodeBody, decodeHead, RowEncoder } from './row.ts'
import type { Sqlite, Statement } from './sqlite.ts'

/** Rows that one transaction of a trim takes away at most: nothing else is written while it lasts. */
const TRIM_ROWS_MAX = 200
/** The WAL is copied into the database when nobody waits, from so many frames on ... */
const CHECKPOINT_FRAMES = 1000
/** ... and at once from so many on. */
const CHECKPOINT_FRAMES_MAX = 4000
/** Asking SQLite for the length of its WAL costs as much as a small commit, so it is asked about every so many frames. */
const FRAMES_UNASKED_MAX = 250

export interface Places {
  readonly firstSeq: number
  readonly lastSeq: number
}

/** A consumer's cursor is to be moved on to a place; or with `force` to it, wherever the cursor was. */
export interface Confirm {
  readonly consumer: string
  readonly seq: number
  readonly force: boolean
  /** Only in these classes; in all of them when left out. */
  readonly classes?: readonly EventClass[]
}

/**
 * The log on an open database: everything here is synchronous and runs in the worker. An error of SQLite leaves
 * the engine unfit for writing: it must be closed and the file opened anew (`service.ts` does).
 */
export class Engine {
  readonly epoch: string
  #lastSeq: number
  readonly #db: Sqlite
  /** The number of this run. */
  readonly boot: number
  readonly #gaps: Gaps
  readonly #reader: Reader
  readonly #cursors: Cursors
  readonly #encoder = new RowEncoder()
  readonly #inserts = new Map<EventClass, Statement<[number, Buffer, Buffer]>>()
  readonly #firsts = new Map<EventClass, Statement<[], { last: number; head: Buffer }>>()
  readonly #commitMany: (rows: readonly NewRow[], confirms: readonly Confirm[]) => number[]
  readonly #trimChunk: (seq: number) => boolean
  #framesGuess = 0
  #framesUnasked = 0

  /** @param db a database that `log-file.ts` has found to be a log in order */
  constructor(db: Sqlite, epoch: string, lastSeq: number, opening: Opening) {
    this.#db = db
    this.epoch = epoch
    this.#lastSeq = lastSeq
    this.#gaps = new Gaps(db)
    this.#reader = new Reader(db, this.#gaps)
    this.#cursors = new Cursors(db, epoch)
    for (const name of EVENT_CLASSES) {
      this.#inserts.set(name, db.prepare(`INSERT INTO ${name} (last, head, body) VALUES (?, ?, ?)`))
      this.#firsts.set(name, db.prepare(`SELECT last, head FROM ${name} ORDER BY last LIMIT 1`))
    }
    this.#commitMany = db.transaction((rows: readonly NewRow[], confirms: readonly Confirm[]) => {
      for (const row of rows) this.#insert(row)
      this.#framesUnasked += confirms.length
      return confirms.map(({ consumer, seq, force, classes }) =>
        force ? this.#cursors.reset(consumer, seq, classes) : this.#cursors.confirm(consumer, seq, classes),
      )
    }).immediate
    this.#trimChunk = db.transaction((seq: number) => this.#trimWithin(seq)).immediate
    this.boot = new Boots(db).begin(opening, lastSeq + 1)
  }

  get lastSeq(): number {
    return this.#lastSeq
  }

  /** Make events durable in one transaction, and confirmations with them. */
  commit(
    parcel: Parcel,
    streams: readonly Stream[],
    confirms: readonly Confirm[],
  ): Places & { confirmed: readonly number[] } {
    const count = parcel.rows.length / COLUMNS
    const firstSeq = this.#lastSeq + 1
    const rows = rowsOf(parcel, streams, firstSeq)
    const confirmed = this.#write(rows, confirms)
    this.#lastSeq += count
    return { firstSeq, lastSeq: this.#lastSeq, confirmed }
  }

  /** A row alone is a transaction of its own: SQLite begins and ends it with the statement. */
  #write(rows: readonly NewRow[], confirms: readonly Confirm[]): readonly number[] {
    if (rows.length !== 1 || confirms.length > 0) return this.#commitMany(rows, confirms)
    this.#insert(rows[0]!)
    return []
  }

  #insert({ class: name, events }: NewRow): void {
    const { lastSeq, head, body } = this.#encoder.encode(events, this.boot)
    this.#inserts.get(name)!.run(lastSeq, head, body)
    this.#framesUnasked += 2 + Math.ceil(body.length / 4096)
  }

  read(query: PageQuery): RawPage {
    for (;;) {
      try {
        return this.#reader.page(query, this.#lastSeq)
      } catch (error) {
        if (!(error instanceof DamagedRow)) throw error
        this.#setRowAside(error)
      }
    }
  }

  cursor(consumer: string, classes?: readonly EventClass[]): { epoch: string; seq: number } | undefined {
    return this.#cursors.get(consumer, classes)
  }

  /** Where every consumer stands, in each class. */
  standings(): readonly Standing[] {
    return this.#cursors.all()
  }

  /** The place of the oldest event held; one behind the end when there is none. */
  firstSeq(): number {
    let first = this.#lastSeq + 1
    for (const [name, statement] of this.#firsts) {
      for (let row = statement.get(); row !== undefined; row = statement.get()) {
        try {
          first = Math.min(first, decodeHead(name, row.last, row.head).firstSeq)
          break
        } catch (error) {
          if (!(error instanceof DamagedRow)) throw error
          this.#setRowAside(error)
        }
      }
    }
    return first
  }

  /** Take away the oldest rows up to a place; true when none is left. Each call is one small transaction. */
  trim(seq: number): boolean {
    for (;;) {
      try {
        const done = this.#trimChunk(Math.min(seq, this.#lastSeq))
        this.#framesUnasked += TRIM_ROWS_MAX
        return done
      } catch (error) {
        if (!(error instanceof DamagedRow)) throw error
        this.#setRowAside(error)
      } finally {
        this.#reader.forget()
      }
    }
  }

  #trimWithin(seq: number): boolean {
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

  #setRowAside(damaged: DamagedRow): void {
    this.#reader.forget()
    this.#db.transaction(() => quarantine(this.#db, this.#gaps, damaged, this.#lastSeq)).immediate()
  }

  /** Whether the WAL should be copied into the database: as soon as nobody waits, or now. */
  checkpointDue(): 'no' | 'idle' | 'now' {
    const frames = this.#walFrames()
    return frames >= CHECKPOINT_FRAMES_MAX ? 'now' : frames >= CHECKPOINT_FRAMES ? 'idle' : 'no'
  }

  /** Length of the WAL in frames, about. */
  #walFrames(): number {
    if (this.#framesUnasked >= FRAMES_UNASKED_MAX) {
      const [state] = this.#db.pragma('wal_checkpoint(NOOP)') as [{ log: number; checkpointed: number }]
      this.#framesGuess = state.log === state.checkpointed ? 0 : state.log
      this.#framesUnasked = 0
    }
    return this.#framesGuess
  }

  /** Copy the WAL into the database and sync it; the WAL is then written from its start again. */
  checkpoint(): void {
    this.#db.pragma('wal_checkpoint(PASSIVE)')
    this.#framesGuess = 0
    this.#framesUnasked = 0
  }

  close(): void {
    this.#db.close()
  }
}
