import type { Events } from './collect.ts'
import { type Gaps, placesIn } from './gaps.ts'
import { KeptNumber } from './kept-number.ts'
import { COLUMNS, MONO_US } from './parcel.ts'
import { decodeBody, decodeHead, type RowEncoder, type RowHead } from './row.ts'
import type { Sqlite, Statement } from './sqlite.ts'
import {
  addTo,
  earliest,
  endOf,
  isOf,
  newPass,
  type Pass,
  readingsOf,
  rowsOf,
  runsOfMembers,
  summariesOf,
} from './thin-pass.ts'
import { PERIOD_MS, SUMMARY_TYPE } from './thinning.ts'
import { bytesOnDisk, type Usage } from './usage.ts'

/** One step looks at so many rows or events at most: whoever waits for a commit waits for one of them. */
const STEP_ROWS_MAX = 50
const STEP_EVENTS_MAX = 1000
/** A period that has more becomes several summaries of each source: so much at most is taken away in one transaction. */
const PASS_ROWS_MAX = 2000
const PASS_EVENTS_MAX = 20_000
/** What is younger may still belong to a period that goes on. */
const THIN_AFTER_MS = 2 * PERIOD_MS
/** It is left as it is where it would not become smaller than this part of what it was. */
const WORTH_PART = 0.8

interface RowRecord {
  readonly last: number
  readonly head: Buffer
  readonly body: Buffer
}

export interface Thinned {
  /** So many stand behind the end of the log now. */
  readonly summaries: number
  /** Events that became part of a summary. */
  readonly thinned: number
  /** False when there is nothing to thin. */
  readonly worked: boolean
}

const NOTHING: Thinned = { summaries: 0, thinned: 0, worked: false }
const LOOKED: Thinned = { ...NOTHING, worked: true }

/**
 * Makes the oldest readings 15-minute summaries, a period at a time. The rows of a period are read in several steps and
 * taken away in one transaction, in which the summaries are appended and the gap records written.
 */
export class Thinner {
  readonly #gaps: Gaps
  readonly #usage: Usage
  readonly #encoder: RowEncoder
  readonly #boot: number
  readonly #next: Statement<[number, number], RowRecord>
  readonly #insert: Statement<[number, Buffer, Buffer]>
  readonly #delete: Statement<[number, number]>
  readonly #keptSeq: KeptNumber
  readonly #write: (pass: Pass, lastSeq: number) => Thinned
  /** Readings up to here are thinned, or not worth it. */
  #doneSeq: number
  #pass: Pass | undefined

  constructor(db: Sqlite, boot: number, gaps: Gaps, usage: Usage, encoder: RowEncoder) {
    this.#gaps = gaps
    this.#usage = usage
    this.#encoder = encoder
    this.#boot = boot
    this.#next = db.prepare('SELECT last, head, body FROM telemetry WHERE last > ? ORDER BY last LIMIT ?')
    this.#insert = db.prepare('INSERT INTO telemetry (last, head, body) VALUES (?, ?, ?)')
    this.#delete = db.prepare('DELETE FROM telemetry WHERE last >= ? AND last <= ?')
    this.#keptSeq = new KeptNumber(db, 'thinned')
    this.#write = db.transaction((pass: Pass, lastSeq: number) => this.#writePass(pass, lastSeq)).immediate
    this.#doneSeq = this.#keptSeq.get() ?? 0
  }

  /** Rows went that a pass may have read: what was read does not count. */
  disturbed(): void {
    this.#pass = undefined
  }

  /**
   * Read some more of the oldest period, and write its summaries when it is whole.
   * @param nowMonoMs the monotonic time now
   * @param lastSeq the end of the log, behind which the summaries are put
   */
  step(nowMonoMs: number, lastSeq: number): Thinned {
    const fromSeq = this.#pass?.rows.at(-1)?.last ?? this.#doneSeq
    let events = 0
    const rows = this.#next.all(fromSeq, STEP_ROWS_MAX)
    for (const { last, head, body } of rows) {
      const row = decodeHead('telemetry', last, head)
      if (row.streams.every(({ type }) => type === SUMMARY_TYPE)) {
        if (this.#pass !== undefined) return this.#finish(lastSeq, true)
        this.#doneSeq = last
        continue
      }
      const read = decodeBody(row, body)
      if (this.#isYoung(row, read, nowMonoMs)) return this.#finishBefore(read, lastSeq)
      if (!this.#take(row, read, head.length, body.length)) return this.#finish(lastSeq, true)
      events += row.count
      if (events >= STEP_EVENTS_MAX) return LOOKED
    }
    return rows.length < STEP_ROWS_MAX ? this.#finish(lastSeq, false) : LOOKED
  }

  /** Only rows of this run can be too young; those of others are whole. */
  #isYoung({ boot }: RowHead, { rows }: Events, nowMonoMs: number): boolean {
    return boot === this.#boot && rows[rows.length - COLUMNS + MONO_US]! / 1000 > nowMonoMs - THIN_AFTER_MS
  }

  /** A row that is too young ends the pass; where the period reaches into it, all of it waits. */
  #finishBefore(young: Events, lastSeq: number): Thinned {
    const { period } = this.#pass ?? {}
    if (period !== undefined && [...readingsOf(young)].some(({ reading }) => isOf(period, reading))) {
      this.#pass = undefined
    }
    return this.#finish(lastSeq, false)
  }

  /** Take a row into the pass, or begin one with it. False when it belongs to the next one. */
  #take(row: RowHead, events: Events, headBytes: number, bodyBytes: number): boolean {
    const begun = this.#pass
    if (begun !== undefined && (begun.boot !== row.boot || isFull(begun))) return false
    const readings = [...readingsOf(events)].filter(({ reading }) => reading.seq > this.#doneSeq)
    const period = begun?.period ?? earliest(readings)
    const pass: Pass = begun ?? newPass(row.boot, period)
    if (begun !== undefined && !readings.some(({ reading }) => isOf(period, reading))) return false
    for (const { reading, kept } of readingsOf(events)) {
      if (reading.seq <= this.#doneSeq || !addTo(pass, reading, kept)) pass.kept.push(kept)
    }
    pass.rows.push({ last: row.lastSeq, headBytes, bodyBytes })
    pass.events += row.count
    this.#pass = pass
    return true
  }

  /** The period is read: write it where that is worth it, and go on behind it. @param more whether something comes behind it */
  #finish(lastSeq: number, more: boolean): Thinned {
    const pass = this.#pass
    this.#pass = undefined
    if (pass === undefined) return more ? LOOKED : NOTHING
    for (const [name, { members, first }] of pass.groups) {
      if (members.length > 1) continue
      pass.groups.delete(name)
      pass.kept.push(first)
    }
    if (pass.groups.size > 0) {
      const written = this.#usage.attempt(() => this.#write(pass, lastSeq))
      if (written.worked) {
        this.#doneSeq = endOf(pass)
        return written
      }
    }
    // Where a later reading stands before all of the period, nothing would be gained by looking at the row again.
    this.#doneSeq = endOf(pass) > this.#doneSeq ? endOf(pass) : pass.rows[0]!.last
    return LOOKED
  }

  #writePass(pass: Pass, lastSeq: number): Thinned {
    const summaries = summariesOf(pass, lastSeq)
    const rows = [...rowsOf(pass.kept.sort((a, b) => a.seq - b.seq)), summaries].map((events) =>
      this.#encoder.encode(events, pass.boot),
    )
    const before = pass.rows.reduce((sum, { headBytes, bodyBytes }) => sum + bytesOnDisk(headBytes, bodyBytes), 0)
    const after = rows.reduce((sum, { head, body }) => sum + bytesOnDisk(head.length, body.length), 0)
    if (after > before * WORTH_PART) return NOTHING
    this.#delete.run(pass.rows[0]!.last, pass.rows.at(-1)!.last)
    for (const { last, headBytes, bodyBytes } of pass.rows) this.#usage.removed('telemetry', last, headBytes, bodyBytes)
    for (const { lastSeq: last, head, body } of rows) {
      this.#insert.run(last, head, body)
      this.#usage.added('telemetry', head.length, body.length)
    }
    const runs = runsOfMembers(pass)
    this.#gaps.add(runs)
    this.#keptSeq.put(endOf(pass))
    const count = summaries.rows.length / COLUMNS
    this.#usage.save(lastSeq + count)
    return {
      summaries: count,
      thinned: placesIn(runs),
      worked: true,
    }
  }
}

function isFull({ rows, events }: Pass): boolean {
  return rows.length >= PASS_ROWS_MAX || events >= PASS_EVENTS_MAX
}
