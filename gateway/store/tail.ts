import type { StoredEvent } from '../contract/event.ts'
import { maySee } from '../contract/rights.ts'
import { correctedEvent } from './clock-fixes.ts'
import type { Page, ReadQuery } from './store.ts'

/** The newest events, kept so that consumers at the head of the log cost no call to the worker. */
export const TAIL_EVENTS = 2048
const CHARS_MAX = 1024 * 1024

/** A bounded window on the end of the log, without holes. */
export class Tail {
  #events: StoredEvent[] = []
  /** Events before this index are let go of; the list is cut now and then. */
  #start = 0
  #chars = 0
  #lastSeq: number
  readonly #eventsMax: number
  #offsetMs: number | undefined

  /** @param lastSeq the end of the log, of which nothing is held yet */
  constructor(lastSeq: number, eventsMax: number, offsetMs: number | undefined = undefined) {
    this.#lastSeq = lastSeq
    this.#offsetMs = offsetMs
    this.#eventsMax = eventsMax
  }

  push(event: StoredEvent): void {
    this.#events.push(correctedEvent(event, this.#offsetMs))
    this.#chars += event.body.length
    this.#lastSeq = event.seq
    while (this.#events.length - this.#start > this.#eventsMax || this.#chars > CHARS_MAX) this.#dropOldest()
  }

  /** The clock was found: from now on all are read with the time that it would have shown. */
  correct(offsetMs: number | undefined): void {
    const anew = this.#offsetMs !== undefined
    this.#offsetMs = offsetMs
    // What was corrected before cannot be told from what was not: the file knows.
    if (anew) this.passOver(this.#lastSeq)
    else this.#events = this.#events.map((event) => correctedEvent(event, offsetMs))
  }

  /** Something that is not at hand stands at the end now: the window begins anew behind it. */
  passOver(lastSeq: number): void {
    this.#events = []
    this.#start = 0
    this.#chars = 0
    this.#lastSeq = lastSeq
  }

  /** Let go of everything up to a place, because the log did. */
  trim(seq: number): void {
    while ((this.#events[this.#start]?.seq ?? Number.POSITIVE_INFINITY) <= seq) this.#dropOldest()
  }

  /** Whether everything behind a place, up to the end of the log, is at hand. */
  covers(seq: number): boolean {
    return seq >= this.#lastSeq - (this.#events.length - this.#start)
  }

  /** @param query its position is covered */
  read({ after, limit, bytesMax, rights, classes }: ReadQuery & { readonly bytesMax: number }): Page {
    const entries: StoredEvent[] = []
    let chars = 0
    let seq = after.seq
    let index = this.#events.length - (this.#lastSeq - after.seq)
    for (; index < this.#events.length; index++) {
      const event = this.#events[index]!
      if (entries.length >= limit || (entries.length > 0 && chars >= bytesMax)) break
      seq = event.seq
      if (classes !== undefined && !classes.includes(event.class)) continue
      if (rights !== undefined && !maySee(rights, event)) continue
      entries.push(event)
      chars += event.body.length
    }
    return { entries, next: { epoch: after.epoch, seq }, more: seq < this.#lastSeq }
  }

  #dropOldest(): void {
    this.#chars -= this.#events[this.#start]!.body.length
    this.#start += 1
    if (this.#start > TAIL_EVENTS) {
      this.#events = this.#events.slice(this.#start)
      this.#start = 0
    }
  }
}
