import { EVENT_CLASSES, type EventClass } from '../contract/event.ts'
import { Ageing, type Now, type RowAge, SteadyTime } from './ageing.ts'
import { Confirmations, type RequiredConsumer } from './confirmations.ts'
import type { Cursors } from './cursors.ts'
import { Evictor } from './evictor.ts'
import { type ClassGrowth, EMPTY_BYTES, type Forecast, forecastOf } from './forecast.ts'
import type { Gaps } from './gaps.ts'
import type { ClassReport, KeepingReport } from './keeping-report.ts'
import { KeptKeeping } from './kept-keeping.ts'
import { KeptNumber } from './kept-number.ts'
import { earliestMs, knownMs, newestKnownMs } from './known-time.ts'
import type { News, NewsBook } from './news.ts'
import { Rates } from './rates.ts'
import {
  type ClassState,
  confined,
  EVICTION_ORDER,
  type Keeping,
  type LogState,
  nextTrim,
  RESERVED_PARTS,
  type Room,
  roomOf,
  type Trim,
} from './retention.ts'
import { decodeHead, type RowEncoder } from './row.ts'
import type { Sqlite, Statement } from './sqlite.ts'
import { Thinner } from './thinner.ts'
import { bytesOnDisk, Usage } from './usage.ts'
import { writeShrunk } from './worker-shrink.ts'

/** After so many bytes the file is asked again how much of it is in use. */
const UNASKED_BYTES_MAX = 64 * 1024
const PAGE_BYTES = 4096

/** Settings of retention, and who must have confirmed what goes by age. */
export interface Retention extends Keeping {
  readonly required: readonly RequiredConsumer[]
}

/** What one step of upkeep did. */
export interface Kept {
  /** True when there is more to do now. */
  readonly more: boolean
  /** Events that went although a consumer that must have them had not confirmed them, by class. */
  readonly unconfirmed: Partial<Record<EventClass, number>>
  /** Summaries of readings that stand behind the end of the log now, so many. */
  readonly appended: number
  /** How full the reserved room of audit events is: 1 is full. */
  readonly auditPart: number
  /** What is to be told in the chain of the audit events. */
  readonly news: readonly News[]
}
export const NOTHING_KEPT: Kept = { more: false, unconfirmed: {}, appended: 0, auditPart: 0, news: [] }
type Done = Omit<Kept, 'auditPart' | 'news'>

export interface KeeperParts {
  readonly db: Sqlite
  readonly epoch: string
  /** The number of this run. */
  readonly boot: number
  readonly gaps: Gaps
  readonly cursors: Cursors
  readonly encoder: RowEncoder
  readonly news: NewsBook
}

/** Keeps the log within its room and its age: one small step at a time, each a transaction of its own. */
export class Keeper {
  readonly #db: Sqlite
  /** As the settings have it. */
  readonly #wholeRoom: Room
  #room: Room
  readonly #retention: Retention
  readonly #news: NewsBook
  readonly #keeping: KeptKeeping
  readonly #confirmations: Confirmations
  readonly #usage: Usage
  readonly #evictor: Evictor
  readonly #thinner: Thinner
  readonly #ageing = new Ageing()
  readonly #time: SteadyTime
  readonly #keptMs: KeptNumber
  readonly #heads = new Map<EventClass, Statement<[number], { last: number; head: Buffer }>>()
  readonly #pages: readonly [Statement<[], number>, Statement<[], number>]
  readonly #evicted = new Map<EventClass, Record<'age' | 'size', number>>()
  #thinned = 0
  #rates: Rates | undefined
  #tendedMonoMs = 0
  #making = false
  #usedBytes = 0
  #unaskedBytes = 0

  /** @param lastSeq where the log ends now; whatever comes behind is told by `added` */
  constructor(parts: KeeperParts, retention: Retention, lastSeq: number) {
    const { db, epoch, boot, gaps, cursors, encoder } = parts
    this.#news = parts.news
    this.#keeping = new KeptKeeping(db, retention, parts.news)
    this.#retention = retention
    this.#confirmations = new Confirmations(cursors, epoch, retention.required)
    this.#db = db
    this.#wholeRoom = roomOf(retention.maxBytes)
    this.#room = this.#wholeRoom
    this.#cap()
    db.pragma(`journal_size_limit=${this.#room.walBytes}`)
    this.#pages = [
      db.prepare<[], number>('PRAGMA page_count').pluck(),
      db.prepare<[], number>('PRAGMA freelist_count').pluck(),
    ]
    this.#usage = new Usage(db, boot, lastSeq)
    this.#evictor = new Evictor(db, gaps, this.#usage)
    this.#thinner = new Thinner(db, boot, gaps, this.#usage, encoder)
    for (const name of EVENT_CLASSES) {
      this.#heads.set(name, db.prepare(`SELECT last, head FROM ${name} WHERE last > ? ORDER BY last`))
      this.#evicted.set(name, { age: 0, size: 0 })
    }
    this.#keptMs = new KeptNumber(db, 'sure-ms')
    this.#time = new SteadyTime(this.#keptMs.get() ?? newestKnownMs(db))
    this.#askUsed()
  }

  get room(): Room {
    return this.#room
  }

  /**
   * While somebody else fills the disk the database keeps to the room that it has and a part of what the ballast
   * gave: new events take the place of old ones.
   */
  confine(full: boolean, ballastGave = true): void {
    if (full === (this.#room !== this.#wholeRoom)) return
    const takenBytes = (this.#pages[0].get() ?? 0) * PAGE_BYTES
    this.#room = full ? confined(this.#wholeRoom, takenBytes, ballastGave) : this.#wholeRoom
    this.#cap()
  }

  #cap(): void {
    this.#db.pragma(`max_page_count=${this.#room.databaseBytes / PAGE_BYTES}`)
  }

  /** Write a smaller copy beside the database, where that takes more of the disk than it may. @returns whether it did */
  writeShrunk(path: string, freeBytes: number): boolean {
    return writeShrunk(this.#db, path, this.#wholeRoom.databaseBytes, freeBytes)
  }

  /** A row was added. */
  added(name: EventClass, headBytes: number, bodyBytes: number): void {
    this.#usage.added(name, headBytes, bodyBytes)
    this.#rates?.added(name, bytesOnDisk(headBytes, bodyBytes))
    this.#unaskedBytes += headBytes + bodyBytes
  }

  /** Rows were taken out by somebody else, in the transaction that is open. */
  disturbed(lastSeq: number): void {
    this.#usage.forget(lastSeq)
    this.#thinner.disturbed()
  }

  /** Keep what is in memory only, in the transaction that is open. */
  save(lastSeq: number): void {
    this.#usage.save(lastSeq)
    this.#keeping.save()
    const { lastSureMs } = this.#time
    if (lastSureMs !== undefined && lastSureMs !== this.#keptMs.get()) this.#keptMs.put(lastSureMs)
  }

  /** Whether room has to be made. Costs next to nothing, so that it can be asked behind each commit. */
  due(): boolean {
    if (this.#unaskedBytes >= UNASKED_BYTES_MAX) this.#askUsed()
    return this.#making || this.#usedBytes > this.#room.startBytes
  }

  /**
   * One step: count a part of what is not counted, or let go of one chunk.
   * @throws DamagedRow when a row in the way is not what was written; then nothing is done
   */
  tend(now: Now, lastSeq: number): Kept {
    const done = this.#step(now, lastSeq)
    const news = this.#news.take()
    return {
      ...done,
      news,
      auditPart: this.#usage.of('audit').bytes / (RESERVED_PARTS.audit * this.#room.databaseBytes),
    }
  }

  #step(now: Now, lastSeq: number): Done {
    this.#rates ??= new Rates(now.monoMs)
    this.#rates.turn(now.monoMs)
    this.#tendedMonoMs = now.monoMs
    if (!this.#usage.complete) {
      this.#usage.count()
      return { more: true, unconfirmed: {}, appended: 0 }
    }
    const log = this.#state(this.#time.sure(now))
    const trim = nextTrim(this.#room, log)
    if (trim?.why === 'size' && trim.class === 'telemetry') {
      const { worked, thinned, summaries } = this.#thinner.step(now.monoMs, lastSeq)
      this.#thinned += thinned
      if (worked) return { more: true, unconfirmed: {}, appended: summaries }
    }
    return this.#evict(trim, log, lastSeq)
  }

  /**
   * Let go of one chunk because a commit found no room.
   * @param bytes what the commit may take
   * @returns false when there was nothing to let go of
   */
  makeRoom(bytes: number, lastSeq: number): boolean {
    while (!this.#usage.complete) this.#usage.count()
    const stopBytes = Math.max(0, Math.min(this.#room.stopBytes, this.#room.databaseBytes - 2 * bytes))
    const log = this.#state(undefined)
    return this.#evict(nextTrim({ startBytes: stopBytes, stopBytes }, log), log, lastSeq).more
  }

  #evict(trim: Trim | undefined, log: LogState, lastSeq: number): Done {
    this.#making = trim?.why === 'size'
    if (trim === undefined) return { more: false, unconfirmed: {}, appended: 0 }
    const { events, toSeq, unconfirmed } = this.#evictor.evict(trim, log.classes[trim.class].confirmedSeq, lastSeq)
    this.#evicted.get(trim.class)![trim.why] += events
    if (trim.class === 'audit' && events > 0) this.#news.evicted(toSeq, events)
    if (trim.class === 'telemetry') this.#thinner.disturbed()
    this.#askUsed()
    return { more: true, unconfirmed: unconfirmed === 0 ? {} : { [trim.class]: unconfirmed }, appended: 0 }
  }

  #state(sureMs: number | undefined): LogState {
    this.#askUsed()
    const classes = Object.fromEntries(EVICTION_ORDER.map((name) => [name, this.#classState(name, sureMs)])) as Record<
      EventClass,
      ClassState
    >
    return { usedBytes: this.#usedBytes, classes, making: this.#making }
  }

  #classState(name: EventClass, sureMs: number | undefined): ClassState {
    const oldest = this.#heads.get(name)!.get(0)
    const confirmedSeq = this.#confirmations.seq(name)
    if (oldest === undefined) {
      return { rows: 0, bytes: 0, confirmedSeq, expiredSeq: 0, oldestSeq: Number.POSITIVE_INFINITY }
    }
    const { rows, bytes } = this.#usage.of(name)
    // What a crash or an older version left wrong in the count must not hide that there is a row.
    const counted = { rows: Math.max(1, rows), bytes: Math.max(1, bytes) }
    return { ...counted, confirmedSeq, expiredSeq: this.#expiredSeq(name, sureMs), oldestSeq: oldest.last }
  }

  #expiredSeq(name: EventClass, sureMs: number | undefined): number {
    if (sureMs === undefined) return 0
    const ages = { nowMs: sureMs, keepMs: this.#retention.keepMs[name] }
    return this.#ageing.expiredSeq(name, ages, (behindSeq) => this.#ages(name, behindSeq))
  }

  *#ages(name: EventClass, behindSeq: number): Generator<RowAge> {
    for (const { last, head } of this.#heads.get(name)!.iterate(behindSeq)) {
      yield { lastSeq: last, newestMs: knownMs(decodeHead(name, last, head)) }
    }
  }

  #askUsed(): void {
    const [all, free] = this.#pages.map((statement) => statement.get() ?? 0)
    this.#usedBytes = (all! - free!) * PAGE_BYTES
    this.#unaskedBytes = 0
  }

  report(): KeepingReport {
    const classes = Object.fromEntries(
      EVENT_CLASSES.map((name) => [
        name,
        { ...this.#usage.of(name), oldestMs: this.#oldestMs(name), evicted: this.#evicted.get(name)! },
      ]),
    ) as Record<EventClass, ClassReport>
    const [usedBytes, roomBytes, thinned] = [this.#usedBytes, this.#room.databaseBytes, this.#thinned]
    return { classes, usedBytes, roomBytes, thinned, forecast: this.#forecast() }
  }

  #forecast(): Forecast | undefined {
    const bytesADay = this.#rates?.bytesADay(this.#tendedMonoMs)
    if (bytesADay === undefined) return undefined
    const classes = Object.fromEntries(
      EVENT_CLASSES.map((name) => {
        const { bytes } = this.#usage.of(name)
        return [name, { bytes, bytesADay: bytesADay[name], keepMs: this.#retention.keepMs[name] }]
      }),
    ) as Record<EventClass, ClassGrowth>
    return forecastOf({ classes, usedBytes: this.#usedBytes - EMPTY_BYTES, startBytes: this.#room.startBytes })
  }

  #oldestMs(name: EventClass): number | undefined {
    const oldest = this.#heads.get(name)!.get(0)
    return oldest === undefined ? undefined : earliestMs(() => decodeHead(name, oldest.last, oldest.head))
  }
}
