import { EVENT_CLASSES, type EventClass } from '../contract/event.ts'
import type { Now } from './ageing.ts'
import { AuditChain } from './audit-chain.ts'
import { Boots, type Opening } from './boots.ts'
import { ClockFixes, type OpenedClock } from './clock-fixes.ts'
import { type Confirm, Cursors, type Standing } from './cursors.ts'
import type { DiskWatch } from './disk-watch.ts'
import { Gaps } from './gaps.ts'
import { Keeper, type Kept, NOTHING_KEPT, type Retention } from './keeper.ts'
import { pastMs } from './known-time.ts'
import { type NewRow, rowsOf } from './pack.ts'
import type { PageQuery, RawPage } from './page-builder.ts'
import { COLUMNS, type Parcel, type Stream } from './parcel.ts'
import { isLoss, type Loss, quarantine } from './quarantine.ts'
import { Reader } from './reader.ts'
import { DamagedRow, decodeHead, RowEncoder } from './row.ts'
import { type Sqlite, type Statement, trouble } from './sqlite.ts'
import { Trimmer } from './trimmer.ts'
import { WalLength } from './wal-length.ts'

/** A commit that finds no room lets go of so many chunks at most before it gives up. */
const CHUNKS_A_COMMIT_MAX = 50
/** What letting go of a chunk writes, about. */
const FRAMES_A_CHUNK = 200

export interface Places {
  readonly firstSeq: number
  readonly lastSeq: number
}

/** What goes into one transaction. */
type Writing = [rows: readonly NewRow[], confirms: readonly Confirm[], clockOffsetMs: number | undefined]

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
  readonly #fixes: ClockFixes
  readonly #cursors: Cursors
  readonly #encoder = new RowEncoder()
  readonly #inserts = new Map<EventClass, Statement<[number, Buffer, Buffer]>>()
  readonly #firsts = new Map<EventClass, Statement<[], { last: number; head: Buffer }>>()
  readonly #commitMany: (...what: Writing) => number[]
  readonly #trimChunk: (seq: number) => boolean
  #keeper: Keeper | undefined
  #watch: DiskWatch | undefined
  /** Rows of the commit at hand: class, length of head and body. */
  #inserted: [EventClass, number, number][] = []
  readonly #wal: WalLength
  readonly audit: AuditChain

  /** @param db a database that `log-file.ts` has found to be a log in order */
  constructor(db: Sqlite, epoch: string, lastSeq: number, opening: Opening) {
    this.#db = db
    this.#wal = new WalLength(db)
    this.audit = new AuditChain(db, epoch)
    this.epoch = epoch
    this.#lastSeq = lastSeq
    this.#gaps = new Gaps(db)
    this.#cursors = new Cursors(db, epoch)
    for (const name of EVENT_CLASSES) {
      this.#inserts.set(name, db.prepare(`INSERT INTO ${name} (last, head, body) VALUES (?, ?, ?)`))
      this.#firsts.set(name, db.prepare(`SELECT last, head FROM ${name} ORDER BY last LIMIT 1`))
    }
    this.#commitMany = db.transaction((...[rows, confirms, clockOffsetMs]: Writing) => {
      if (clockOffsetMs !== undefined) this.#fixes.found(clockOffsetMs)
      for (const row of rows) this.#insert(row)
      this.#wal.grew(confirms.length)
      return confirms.map(({ consumer, seq, force, classes }) =>
        force ? this.#cursors.reset(consumer, seq, classes) : this.#cursors.confirm(consumer, seq, classes),
      )
    }).immediate
    const trimmer = new Trimmer(db, this.#gaps, this.#encoder)
    this.#trimChunk = db.transaction((seq: number) => {
      this.#keeper?.disturbed(this.#lastSeq)
      return trimmer.chunk(seq)
    }).immediate
    this.boot = new Boots(db).begin(opening, lastSeq + 1)
    this.#fixes = new ClockFixes(db, this.boot)
    this.#reader = new Reader(db, this.#gaps, this.#fixes)
  }

  /** What keeps the log within its room, where the settings say how much that is. */
  get keeper(): Keeper | undefined {
    return this.#keeper
  }

  get lastSeq(): number {
    return this.#lastSeq
  }

  /** Make events durable in one transaction, and confirmations with them; and what the clock should have shown. */
  commit(
    parcels: readonly Parcel[],
    streams: readonly Stream[],
    confirms: readonly Confirm[],
    clockOffsetMs?: number,
  ): Places & { confirmed: readonly number[] } {
    const firstSeq = this.#lastSeq + 1
    const rows = rowsOf(parcels, streams, firstSeq)
    const chars = parcels.reduce((sum, { text }) => sum + text.length, 0)
    const confirmed = this.#writeWithRoom(chars, rows, confirms, clockOffsetMs)
    this.#lastSeq += parcels.reduce((sum, parcel) => sum + parcel.rows.length / COLUMNS, 0)
    if (clockOffsetMs !== undefined) {
      this.#fixes.load()
      this.#reader.forget()
    }
    if (this.#keeper !== undefined) for (const row of this.#inserted) this.#keeper.added(...row)
    return { firstSeq, lastSeq: this.#lastSeq, confirmed }
  }

  /** Where there is no room for it some is made: what comes is never refused while older things can go. */
  #writeWithRoom(chars: number, ...what: Writing): readonly number[] {
    for (let chunks = 0; ; chunks++) {
      try {
        this.#inserted = []
        this.audit.begin()
        const confirmed = this.#write(...what)
        this.audit.settle()
        return confirmed
      } catch (error) {
        if (trouble(error) !== 'full' || chunks >= CHUNKS_A_COMMIT_MAX || !this.#findRoom(chars)) throw error
      }
    }
  }

  /** What lies in the way is the cap of the database, or the end of the disk: then the ballast gives way first. */
  #findRoom(chars: number): boolean {
    const keeper = this.#keeper
    if (keeper === undefined) return false
    if (this.#watch?.nothingLeft() === true && this.#giveUpBallast(keeper)) return true
    return this.#letGo(keeper, chars) || this.#giveUpBallast(keeper) || this.#letGo(keeper, chars)
  }

  #letGo(keeper: Keeper, chars: number): boolean {
    try {
      return this.#settingAside(() => keeper.makeRoom(chars, this.#lastSeq))
    } catch (error) {
      if (trouble(error) !== 'full') throw error
      return false
    }
  }

  #giveUpBallast(keeper: Keeper): boolean {
    const gave = this.#watch?.giveUp() ?? false
    keeper.confine(this.#watch?.full ?? false, gave)
    return gave
  }

  /** A row alone is a transaction of its own: SQLite begins and ends it with the statement. */
  #write(...[rows, confirms, clockOffsetMs]: Writing): readonly number[] {
    const alone = rows.length === 1 && confirms.length === 0 && clockOffsetMs === undefined
    if (!alone || rows[0]!.class === 'audit') return this.#commitMany(rows, confirms, clockOffsetMs)
    this.#insert(rows[0]!)
    return []
  }

  #insert({ class: name, events }: NewRow): void {
    const { lastSeq, head, body } = this.#encoder.encode(events, this.boot)
    this.#inserts.get(name)!.run(lastSeq, head, body)
    if (name === 'audit') this.audit.add(events)
    this.#inserted.push([name, head.length, body.length])
    this.#wal.grew(2 + Math.ceil(body.length / 4096))
  }

  read(query: PageQuery): RawPage {
    for (;;) {
      try {
        return this.#reader.page(query, this.#lastSeq)
      } catch (error) {
        if (!isLoss(error)) throw error
        this.#setRowAside(error)
      }
    }
  }

  cursor(consumer: string, classes?: readonly EventClass[]): { epoch: string; seq: number } | undefined {
    return this.#cursors.get(consumer, classes)
  }

  /** What the log knows of the time now. */
  clock(): OpenedClock {
    return { offsetMs: this.#fixes.offsetMs(this.boot), unfound: this.#fixes.unfound(), pastMs: pastMs(this.#db) }
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

  /** From now on keep to what the settings say. */
  keep(retention: Retention, watch: DiskWatch): void {
    this.#watch = watch
    const [db, gaps, cursors, encoder, news] = [this.#db, this.#gaps, this.#cursors, this.#encoder, this.audit.news]
    const parts = { db, epoch: this.epoch, boot: this.boot, gaps, cursors, encoder, news }
    this.#keeper = new Keeper(parts, retention, this.#lastSeq)
  }

  /** One small step of what keeps the log within its room and its age. */
  tend(now: Now): Kept {
    const keeper = this.#keeper
    if (keeper === undefined) return NOTHING_KEPT
    keeper.confine(this.#watch?.full ?? false)
    const kept = this.#settingAside(() => keeper.tend(now, this.#lastSeq))
    this.#lastSeq += kept.appended
    return kept
  }

  keeping(): ReturnType<Keeper['report']> | undefined {
    return this.#keeper?.report()
  }

  /** Take away the oldest rows up to a place; true when none is left. Each call is one small transaction. */
  trim(seq: number): boolean {
    return this.#settingAside(() => this.#trimChunk(Math.min(seq, this.#lastSeq)))
  }

  /** Take something away; where a damaged row is in the way, set it aside and go on. */
  #settingAside<T>(take: () => T): T {
    for (;;) {
      try {
        const done = take()
        this.#wal.grew(FRAMES_A_CHUNK)
        return done
      } catch (error) {
        if (!(error instanceof DamagedRow)) throw error
        this.#setRowAside(error)
      } finally {
        this.#reader.forget()
      }
    }
  }

  #setRowAside(damaged: Loss): void {
    this.#reader.forget()
    this.#db
      .transaction(() => {
        quarantine(this.#db, this.#gaps, damaged, this.#lastSeq)
        this.audit.news.quarantined(damaged)
        this.#keeper?.disturbed(this.#lastSeq)
      })
      .immediate()
  }

  /** Whether the WAL should be copied into the database: as soon as nobody waits, or now. */
  checkpointDue(): 'no' | 'idle' | 'now' {
    return this.#wal.due(this.#keeper?.room.walFrames)
  }

  /** Copy the WAL into the database and sync it; the WAL is then written from its start again. */
  checkpoint(): void {
    this.save()
    this.#wal.copy()
  }

  /** Keep what is in memory only to spare a page in each commit; where there is no room, it is counted at the next start. */
  save(): void {
    const keeper = this.#keeper
    if (keeper === undefined) return
    try {
      this.#db
        .transaction(() => {
          keeper.save(this.#lastSeq)
          this.audit.prune()
        })
        .immediate()
    } catch (error) {
      if (trouble(error) !== 'full') throw error
    }
  }

  close(): void {
    this.#db.close()
  }
}
