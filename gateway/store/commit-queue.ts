import type { Clock } from '../contract/clock.ts'
import type { NewEvent } from '../contract/event.ts'
import type { Confirm } from './cursors.ts'

/** How long and how much is gathered before a commit. */
export interface GatherLimits {
  /** Telemetry waits so long for more of it. */
  readonly gatherMs: number
  /** Alarms, status and audit are committed at once, but not oftener than so. */
  readonly urgentMs: number
  /** With so many events waiting, nobody waits for the time. A commit takes no more, but for one call that brings more. */
  readonly commitEvents: number
  /** ... nor with so many characters of bodies. */
  readonly commitChars: number
}

/** The first readings after the start wait only so long: somebody stands there and wants to see that it works. */
const FIRST_MS = 20
/** More than this waiting is refused: the disk doesn't keep up, and memory is not a log. */
const WAITING_CHARS_MAX = 16 * 1024 * 1024
const WAITING_EVENTS_MAX = 50_000

export interface WaitingAppend {
  readonly events: readonly NewEvent[]
  resolve(places: { readonly firstSeq: number; readonly lastSeq: number }): void
  reject(reason: Error): void
}
export interface WaitingConfirm extends Confirm {
  resolve(seq: number): void
  reject(reason: Error): void
}
export interface Batch {
  readonly appends: readonly WaitingAppend[]
  readonly confirms: readonly WaitingConfirm[]
}

/**
 * What waits to be committed, in one queue, so that what one caller hands over keeps its order: an urgent event
 * takes everything before it along. Says when the next commit is due.
 */
export class CommitQueue {
  readonly #clock: Clock
  readonly #limits: GatherLimits
  #appends: WaitingAppend[] = []
  #confirms: WaitingConfirm[] = []
  #dueMonoMs = Number.POSITIVE_INFINITY
  #urgent = false
  #urgentMonoMs = Number.NEGATIVE_INFINITY
  #first = true
  #events = 0
  #chars = 0

  constructor(clock: Clock, limits: GatherLimits) {
    this.#clock = clock
    this.#limits = limits
  }

  /** Events that wait. */
  get events(): number {
    return this.#events
  }

  get empty(): boolean {
    return this.#appends.length === 0 && this.#confirms.length === 0
  }

  /** False when there is no room for more. */
  append(append: WaitingAppend): boolean {
    const chars = charsOf(append.events)
    if (this.#events + append.events.length > WAITING_EVENTS_MAX || this.#chars + chars > WAITING_CHARS_MAX) {
      if (this.#events > 0) return false
    }
    this.#appends.push(append)
    this.#events += append.events.length
    this.#chars += chars
    const now = this.#clock.monoMs()
    if (append.events.some((event) => event.class !== 'telemetry')) {
      this.#urgent = true
      this.#due(Math.max(now, this.#urgentMonoMs + this.#limits.urgentMs))
    } else {
      this.#due(now + this.#gatherMs)
    }
    return true
  }

  confirm(confirm: WaitingConfirm): void {
    this.#confirms.push(confirm)
    this.#due(this.#clock.monoMs() + this.#gatherMs)
  }

  /** Milliseconds until the next commit is due: 0 when it is, infinite when nothing waits. */
  dueInMs(): number {
    if (this.empty) return Number.POSITIVE_INFINITY
    if (this.#events >= this.#limits.commitEvents || this.#chars >= this.#limits.commitChars) return 0
    return Math.max(0, this.#dueMonoMs - this.#clock.monoMs())
  }

  /** Everything that waits, up to what one commit should hold. */
  take(): Batch {
    if (this.#urgent) this.#urgentMonoMs = this.#clock.monoMs()
    this.#first = false
    let count = 0
    let events = 0
    let chars = 0
    for (const append of this.#appends) {
      if (count > 0 && (events >= this.#limits.commitEvents || chars >= this.#limits.commitChars)) break
      count += 1
      events += append.events.length
      chars += charsOf(append.events)
    }
    const batch = { appends: this.#appends.splice(0, count), confirms: this.#confirms }
    this.#confirms = []
    this.#events -= events
    this.#chars -= chars
    if (this.#appends.length === 0) {
      this.#dueMonoMs = Number.POSITIVE_INFINITY
      this.#urgent = false
    }
    return batch
  }

  /** Everything that waits, to be rejected. */
  takeAll(): Batch {
    const batch = { appends: this.#appends, confirms: this.#confirms }
    this.#appends = []
    this.#confirms = []
    this.#dueMonoMs = Number.POSITIVE_INFINITY
    this.#urgent = false
    this.#events = 0
    this.#chars = 0
    return batch
  }

  get #gatherMs(): number {
    return this.#first ? Math.min(FIRST_MS, this.#limits.gatherMs) : this.#limits.gatherMs
  }

  #due(monoMs: number): void {
    this.#dueMonoMs = Math.min(this.#dueMonoMs, monoMs)
  }
}

function charsOf(events: readonly NewEvent[]): number {
  let chars = 0
  for (const event of events) chars += event.body.length
  return chars
}
