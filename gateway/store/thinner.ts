import { Collector, type Events } from './collect.ts'
import { type GapRun, type Gaps, joined } from './gaps.ts'
import { CHARS, COLUMNS, MONO_US, SEQ, STREAM, WALL_MS } from './parcel.ts'
import { decodeBody, decodeHead, type RowEncoder, type RowHead } from './row.ts'
import { recordCrc } from './schema.ts'
import type { Sqlite, Statement } from './sqlite.ts'
import {
  groupOf,
  PERIOD_MS,
  type Period,
  parseReading,
  periodOf,
  type Reading,
  SUMMARY_TYPE,
  Summary,
} from './thinning.ts'
import { bytesOnDisk, type Usage } from './usage.ts'

/** One step looks at so many rows or events at most: whoever waits for a commit waits for one of them. */
const STEP_ROWS_MAX = 50
const STEP_EVENTS_MAX = 2000
/** A period that has more rows becomes several summaries: so much at most is taken away in one transaction. */
const PASS_ROWS_MAX = 2000
/** What is younger may still belong to a period that goes on. */
const THIN_AFTER_MS = 2 * PERIOD_MS
/** It is left as it is where it would not become smaller than this part of what it was. */
const WORTH_PART = 0.8
/** Events of one row that is written. */
const ROW_EVENTS_MAX = 1024
/** Name in the table `meta` of the place up to which everything is thinned. */
const META = 'thinned'

interface RowRecord {
  readonly last: number
  readonly head: Buffer
  readonly body: Buffer
}

/** An event that is kept as it is: where it stands in its row. */
interface Kept {
  readonly seq: number
  readonly events: Events
  readonly at: number
  readonly start: number
}

interface Group {
  readonly summary: Summary
  readonly members: { readonly seq: number; readonly wallMs: number }[]
  readonly first: Kept
}

/** Rows that are being made one period's summaries. */
interface Pass {
  readonly boot: number
  readonly period: Period
  readonly groups: Map<string, Group>
  readonly kept: Kept[]
  readonly rows: { readonly last: number; readonly headBytes: number; readonly bodyBytes: number }[]
  /** Place of the first event of a later period that was met; infinite when there is none. */
  laterSeq: number
}

/** What one step did. `summaries` stand behind the end of the log now. */
export interface Thinned {
  readonly summaries: Events | undefined
  /** Events that a summary stands for now. */
  readonly thinned: number
  /** False when there is nothing to thin. */
  readonly worked: boolean
}

const NOTHING: Thinned = { summaries: undefined, thinned: 0, worked: false }
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
  readonly #putMeta: Statement<[string, string, number]>
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
    this.#putMeta = db.prepare('INSERT OR REPLACE INTO meta (name, value, crc) VALUES (?, ?, ?)')
    this.#write = db.transaction((pass: Pass, lastSeq: number) => this.#writePass(pass, lastSeq)).immediate
    this.#doneSeq = doneSeq(db)
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
    if (begun !== undefined && (begun.boot !== row.boot || begun.rows.length >= PASS_ROWS_MAX)) return false
    const readings = [...readingsOf(events)].filter(({ reading }) => reading.seq > this.#doneSeq)
    const period = begun?.period ?? earliest(readings)
    const pass: Pass = begun ?? newPass(row.boot, period)
    if (begun !== undefined && !readings.some(({ reading }) => isOf(period, reading))) return false
    for (const { reading, kept } of readingsOf(events)) {
      if (reading.seq <= this.#doneSeq || !addTo(pass, reading, kept)) pass.kept.push(kept)
    }
    pass.rows.push({ last: row.lastSeq, headBytes, bodyBytes })
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
    const members = [...pass.groups.values()].flatMap((group) => group.members)
    this.#gaps.add(joined(members.map(runOf)))
    const doneSeq = String(endOf(pass))
    this.#putMeta.run(META, doneSeq, recordCrc(META, doneSeq))
    this.#usage.save(lastSeq + summaries.rows.length / COLUMNS)
    return { summaries, thinned: members.length, worked: true }
  }
}

function newPass(boot: number, period: Period): Pass {
  return { boot, period, groups: new Map(), kept: [], rows: [], laterSeq: Number.POSITIVE_INFINITY }
}

/** Up to where no reading is left that could be thinned. */
function endOf({ rows, laterSeq }: Pass): number {
  return Math.min(rows.at(-1)!.last, laterSeq - 1)
}

/** 0 where nothing was thinned, or nobody vouches for what the record says. */
function doneSeq(db: Sqlite): number {
  const record = db
    .prepare<[string], { value: string; crc: number }>('SELECT value, crc FROM meta WHERE name = ?')
    .get(META)
  return record !== undefined && record.crc === recordCrc(META, record.value) ? Number(record.value) : 0
}

function* readingsOf(events: Events): Generator<{ readonly reading: Reading; readonly kept: Kept }> {
  const { rows, streams, text } = events
  let start = 0
  for (let at = 0; at < rows.length; at += COLUMNS) {
    const seq = rows[at + SEQ]!
    const end = start + rows[at + CHARS]!
    const [wallMs, monoUs] = [rows[at + WALL_MS]!, rows[at + MONO_US]!]
    const reading = { seq, stream: streams[rows[at + STREAM]!]!, wallMs, monoUs, body: text.slice(start, end) }
    yield { reading, kept: { seq, events, at, start } }
    start = end
  }
}

/** The earliest period in a row that is counted as that of its first event is. */
function earliest(readings: readonly { readonly reading: Reading }[]): Period {
  const [first, ...others] = readings.map(({ reading }) => periodOf(reading))
  let number = first?.number ?? 0
  for (const other of others) if (other.by === first!.by) number = Math.min(number, other.number)
  return { by: first?.by ?? 'wall', number }
}

function isOf({ by, number }: Period, reading: Reading): boolean {
  const own = periodOf(reading)
  return own.by === by && own.number === number
}

/** False for a reading of another period, or of a shape that no summary stands for. */
function addTo(pass: Pass, reading: Reading, kept: Kept): boolean {
  if (!isOf(pass.period, reading)) {
    const own = periodOf(reading)
    if (own.by !== pass.period.by || own.number > pass.period.number)
      pass.laterSeq = Math.min(pass.laterSeq, reading.seq)
    return false
  }
  const parsed = parseReading(reading)
  if (parsed === undefined) return false
  const name = groupOf(reading.stream)
  let group = pass.groups.get(name)
  if (group === undefined) {
    group = { summary: new Summary(), members: [], first: kept }
    pass.groups.set(name, group)
  }
  if (!group.summary.add(reading, parsed)) return false
  group.members.push({ seq: reading.seq, wallMs: reading.wallMs })
  return true
}

/** Events that stay, in rows of their own. */
function rowsOf(kept: readonly Kept[]): Events[] {
  const rows: Events[] = []
  const collector = new Collector()
  for (const { seq, events, at, start } of kept) {
    collector.add(events.rows, at, seq, events.streams[events.rows[at + STREAM]!]!, events.text, start)
    if (collector.count >= ROW_EVENTS_MAX) rows.push(collector.take())
  }
  if (collector.count > 0) rows.push(collector.take())
  return rows
}

/** The summaries of a period as one row, behind the end of the log. */
function summariesOf(pass: Pass, lastSeq: number): Events {
  const collector = new Collector()
  let seq = lastSeq
  for (const { summary } of pass.groups.values()) {
    const { stream, wallMs, monoUs, body } = summary.event()
    seq += 1
    collector.add(Float64Array.of(0, seq, wallMs, monoUs, body.length), 0, seq, stream, body, 0)
  }
  return collector.take()
}

function runOf({ seq, wallMs }: { readonly seq: number; readonly wallMs: number }): GapRun {
  return { fromSeq: seq, toSeq: seq, reason: 'thinned', counts: { telemetry: 1 }, firstMs: wallMs, lastMs: wallMs }
}
