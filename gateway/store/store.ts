import type { Entry, EventClass, NewEvent } from '../contract/event.ts'
import type { Figure } from '../contract/figure.ts'
import type { Rights } from '../contract/rights.ts'

/** Where a consumer stands: everything up to and including `seq` of this epoch is behind it. */
export interface Position {
  readonly epoch: string
  readonly seq: number
}

export interface Page {
  /** In order of `seq`, gaps at their place; only what the rights allow. */
  readonly entries: readonly Entry[]
  /** Go on from here: behind the last entry, or behind what the rights left out. */
  readonly next: Position
  /** True when there is more to read now. */
  readonly more: boolean
}

export interface ReadQuery {
  readonly after: Position
  /** At most so many entries, and about so many bytes of bodies (one entry is always given). */
  readonly limit: number
  readonly bytesMax?: number
  readonly rights?: Rights
  readonly classes?: readonly EventClass[]
}

/** The log of one hub. Every consumer is a cursor; there is no second queue. */
export interface Store {
  readonly epoch: string
  /**
   * Resolves with the places of the events once they survive a power cut; rejects with a Fault of reach
   * `connection` and code `store` when that can't be promised. Calls are kept in order.
   */
  append(batch: readonly NewEvent[]): Promise<{ readonly firstSeq: number; readonly lastSeq: number }>
  /** A position of another epoch rejects with EpochChanged; one ahead of the log with PositionAhead. */
  read(query: ReadQuery): Promise<Page>
  /** The last place assigned and durable; 0 in an empty log. */
  lastSeq(): number
  /** The oldest place still held; lastSeq + 1 in an empty log. */
  firstSeq(): number
  /** Resolves when something stands behind `seq`; rejects with `signal.reason`. The bell: it carries no data. */
  beyond(seq: number, signal: AbortSignal): Promise<void>
  /**
   * Up to where the named consumer has confirmed all of these classes (all there are, when left out); undefined where
   * it never confirmed one of them.
   */
  cursor(consumer: string, classes?: readonly EventClass[]): Promise<Position | undefined>
  /**
   * Confirm these classes (all, when left out) up to `position`: durable when it resolves, idempotent, never moves
   * back (the larger wins, in each class). Resolves with the place up to which all of these classes are confirmed.
   */
  confirm(consumer: string, position: Position, classes?: readonly EventClass[]): Promise<Position>
  /** Move a cursor back or forth because its owner asks; in these classes, or in all. */
  reset(consumer: string, position: Position, classes?: readonly EventClass[]): Promise<void>
  /**
   * The wall clock was found: what was recorded in this run while it was not trusted is read with the time that it would
   * have shown, from now on; when it is found anew, the newest finding counts. Nothing that is stored changes.
   * @param offsetMs wall time less monotonic time
   * @param event tells it to whoever has read the earlier times: both are durable when it resolves, or neither ever is
   */
  fixClock(offsetMs: number, event: NewEvent): Promise<void>
  /** Let go of everything up to `seq`, leaving a gap record in the same transaction. */
  trim(seq: number): Promise<void>
  /** Resolves while the worker is alive; for the watchdog. */
  ping(): Promise<void>
  figures(): readonly Figure[]
  close(): Promise<void>
}

/** The position belongs to another log: `oldest` is where to go on. */
export class EpochChanged extends Error {
  readonly asked: Position
  readonly oldest: Position
  constructor(asked: Position, oldest: Position) {
    super(`position ${asked.epoch}/${asked.seq} belongs to another log; this one is ${oldest.epoch}`)
    this.name = 'EpochChanged'
    this.asked = asked
    this.oldest = oldest
  }
}

/** The position lies ahead of what was ever given out. */
export class PositionAhead extends Error {
  readonly asked: Position
  readonly lastSeq: number
  constructor(asked: Position, lastSeq: number) {
    super(`position ${asked.seq} lies ahead of the log, which ends at ${lastSeq}`)
    this.name = 'PositionAhead'
    this.asked = asked
    this.lastSeq = lastSeq
  }
}
