import type { ClockState } from '../contract/clock.ts'
import { EVENT_CLASSES, type EventClass } from '../contract/event.ts'
import { Ageing, type Now, type RowAge, SteadyTime } from './ageing.ts'
import type { Cursors } from './cursors.ts'
import { Evictor } from './evictor.ts'
import type { Gaps } from './gaps.ts'
import {
  type ClassState,
  confined,
  EVICTION_ORDER,
  type Keeping,
  type LogState,
  nextTrim,
  type Room,
  roomOf,
} from './retention.ts'
import { DamagedRow, decodeHead, type RowHead } from './row.ts'
import type { Sqlite, Statement } from './sqlite.ts'
import { Usage } from './usage.ts'

/** After so many bytes the file is asked again how much of it is in use. */
const UNASKED_BYTES_MAX = 64 * 1024
const PAGE_BYTES = 4096

/** Settings of retention, and who must have confirmed what goes by age. */
export interface Retention extends Keeping {
  readonly required: readonly RequiredConsumer[]
}

export interface RequiredConsumer {
  /** As it names itself to `confirm`. */
  readonly consumer: string
  /** What its rights let it see of. */
  readonly classes: readonly EventClass[]
}

export interface ClassReport {
  readonly rows: number
  readonly bytes: number
  /** Wall time of the oldest event held, where a clock vouched for it. */
  readonly oldestMs: number | undefined
  /** Events that went since the file was opened. */
  readonly evicted: Readonly<Record<'age' | 'size', number>>
}

/** How the log stands, for figures. */
export interface KeepingReport {
  readonly classes: Readonly<Record<EventClass, ClassReport>>
  readonly usedBytes: number
  readonly roomBytes: number
}

/** What one step of upkeep did. */
export interface Kept {
  /** True when there is more to do now. */
  readonly more: boolean
  /** Events that went although a consumer that must have them had not confirmed them, by class. */
  readonly unconfirmed: Partial<Record<EventClass, number>>
}

export interface KeeperParts {
  readonly db: Sqlite
  readonly epoch: string
  /** The number of this run. */
  readonly boot: number
  readonly gaps: Gaps
  readonly cursors: Cursors
}

/** Keeps the log within its room and its age: one small step at a time, each a transaction of its own. */
export class Keeper {
  readonly #db: Sqlite
  /** As the settings have it. */
  readonly #wholeRoom: Room
  #room: Room
  readonly #retention: Retention
  readonly #epoch: string
  readonly #cursors: Cursors
  readonly #usage: Usage
  readonly #evictor: Evictor
  readonly #ageing = new Ageing()
  readonly #time: SteadyTime
  readonly #heads = new Map<EventClass, Statement<[number], { last: number; head: Buffer }>>()
  readonly #pages: readonly [Statement<[], number>, Statement<[], number>]
  readonly #evicted = new Map<EventClass, Record<'age' | 'size', number>>()
  #making = false
  #usedBytes = 0
  #unaskedBytes = 0

  /** @param lastSeq where the log ends now; whatever comes behind is told by `added` */
  constructor(parts: KeeperParts, retention: Retention, lastSeq: number) {
    const { db, epoch, boot, gaps, cursors } = parts
    this.#retention = retention
    this.#epoch = epoch
    this.#cursors = cursors
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
    for (const name of EVENT_CLASSES) {
      this.#heads.set(name, db.prepare(`SELECT last, head FROM ${name} WHERE last > ? ORDER BY last`))
      this.#evicted.set(name, { age: 0, size: 0 })
    }
    this.#time = new SteadyTime(newestKnownMs(db))
    this.#askUsed()
  }

  get room(): Room {
    return this.#room
  }

  /**
   * While somebody else fills the disk the database keeps to the room that it has and a part of what the ballast
   * gave: new events take the place of old ones.
   */
  confine(full: boolean): void {
    if (full === (this.#room !== this.#wholeRoom)) return
    this.#room = full ? confined(this.#wholeRoom, (this.#pages[0].get() ?? 0) * PAGE_BYTES) : this.#wholeRoom
    this.#cap()
  }

  #cap(): void {
    this.#db.pragma(`max_page_count=${this.#room.databaseBytes / PAGE_BYTES}`)
  }

  /** A row was added. */
  added(name: EventClass, headBytes: number, bodyBytes: number): void {
    this.#usage.added(name, headBytes, bodyBytes)
    this.#unaskedBytes += headBytes + bodyBytes
  }

  /** Rows were taken out by somebody else, in the transaction that is open. */
  disturbed(lastSeq: number): void {
    this.#usage.forget(lastSeq)
  }

  /** Keep what is in memory only, in the transaction that is open. */
  save(lastSeq: number): void {
    this.#usage.save(lastSeq)
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
    if (!this.#usage.complete) {
      this.#usage.count()
      return { more: true, unconfirmed: {} }
    }
    return this.#trim(this.#room, this.#state(this.#time.sure(now)), lastSeq)
  }

  /**
   * Let go of one chunk because a commit found no room.
   * @param bytes what the commit may take
   * @returns false when there was nothing to let go of
   */
  makeRoom(bytes: number, lastSeq: number): boolean {
    while (!this.#usage.complete) this.#usage.count()
    const stopBytes = Math.max(0, Math.min(this.#room.stopBytes, this.#room.databaseBytes - 2 * bytes))
    return this.#trim({ startBytes: stopBytes, stopBytes }, this.#state(undefined), lastSeq).more
  }

  #trim(room: Pick<Room, 'startBytes' | 'stopBytes'>, log: LogState, lastSeq: number): Kept {
    const trim = nextTrim(room, log)
    this.#making = trim?.why === 'size'
    if (trim === undefined) return { more: false, unconfirmed: {} }
    const { events, unconfirmed } = this.#evictor.evict(trim, log.classes[trim.class].confirmedSeq, lastSeq)
    this.#evicted.get(trim.class)![trim.why] += events
    this.#askUsed()
    return { more: true, unconfirmed: unconfirmed === 0 ? {} : { [trim.class]: unconfirmed } }
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
    const confirmedSeq = this.#confirmedSeq(name)
    if (oldest === undefined) {
      return { rows: 0, bytes: 0, confirmedSeq, expiredSeq: 0, oldestSeq: Number.POSITIVE_INFINITY }
    }
    const { rows, bytes } = this.#usage.of(name)
    // What a crash or an older version left wrong in the count must not hide that there is a row.
    const counted = { rows: Math.max(1, rows), bytes: Math.max(1, bytes) }
    return { ...counted, confirmedSeq, expiredSeq: this.#expiredSeq(name, sureMs), oldestSeq: oldest.last }
  }

  /** Where the slowest of those stands who must have this class. */
  #confirmedSeq(name: EventClass): number {
    let least = Number.POSITIVE_INFINITY
    for (const { consumer, classes } of this.#retention.required) {
      if (!classes.includes(name)) continue
      const cursor = this.#cursors.get(consumer, [name])
      least = Math.min(least, cursor?.epoch === this.#epoch ? cursor.seq : 0)
    }
    return least
  }

  #expiredSeq(name: EventClass, sureMs: number | undefined): number {
    if (sureMs === undefined) return 0
    const ages = { nowMs: sureMs, beforeMs: sureMs - this.#retention.keepMs[name] }
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
    return { classes, usedBytes: this.#usedBytes, roomBytes: this.#room.databaseBytes }
  }

  #oldestMs(name: EventClass): number | undefined {
    const oldest = this.#heads.get(name)!.get(0)
    return oldest === undefined ? undefined : earliestMs(() => decodeHead(name, oldest.last, oldest.head))
  }
}

const TRUSTED: readonly ClockState[] = ['synced', 'holdover']

function isTrusted({ streams }: RowHead): boolean {
  return streams.every(({ clock }) => TRUSTED.includes(clock))
}

function knownMs(head: RowHead): number | undefined {
  return isTrusted(head) ? head.wallMaxMs : undefined
}

function earliestMs(read: () => RowHead): number | undefined {
  try {
    const head = read()
    return isTrusted(head) ? head.wallMinMs : undefined
  } catch (error) {
    if (error instanceof DamagedRow) return undefined
    throw error
  }
}

/** The newest time in the log that a clock vouched for, among its last rows. */
function newestKnownMs(db: Sqlite): number | undefined {
  let newest: number | undefined
  for (const name of EVENT_CLASSES) {
    const row = db
      .prepare<[], { last: number; head: Buffer }>(`SELECT last, head FROM ${name} ORDER BY last DESC LIMIT 1`)
      .get()
    const known = row === undefined ? undefined : earliestMs(() => decodeHead(name, row.last, row.head))
    if (known !== undefined && (newest === undefined || known > newest)) newest = known
  }
  return newest
}
