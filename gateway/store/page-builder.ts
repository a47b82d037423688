import type { EventClass } from '../contract/event.ts'
import type { Rights } from '../contract/rights.ts'
import { Collector, type Events } from './collect.ts'
import type { GapRun } from './gaps.ts'
import { SEQ, STREAM } from './parcel.ts'

export interface PageQuery {
  readonly afterSeq: number
  readonly limit: number
  readonly bytesMax: number
  readonly rights: Rights | undefined
  readonly classes: readonly EventClass[] | undefined
}

/** A page as it crosses between the threads; events and gaps are put in order on the other side. */
export interface RawPage {
  readonly events: Events
  readonly gaps: readonly GapRun[]
  readonly nextSeq: number
  readonly more: boolean
}

/** What goes into one page, and when it is full. */
export class PageBuilder {
  /** The place up to which everything wanted is in the page. */
  position: number
  readonly #limit: number
  readonly #bytesMax: number
  readonly #events = new Collector()
  readonly #gaps: GapRun[] = []

  constructor(query: PageQuery) {
    this.position = query.afterSeq
    this.#limit = Math.max(1, query.limit)
    this.#bytesMax = query.bytesMax
  }

  full(): boolean {
    const count = this.#events.count + this.#gaps.length
    return count >= this.#limit || (count > 0 && this.#events.chars >= this.#bytesMax)
  }

  add({ rows, streams, text }: Events, at: number, start: number): void {
    this.position = rows[at + SEQ]!
    this.#events.add(rows, at, this.position, streams[rows[at + STREAM]!]!, text, start)
  }

  addGap(run: GapRun): void {
    this.#gaps.push(run)
    this.position = run.toSeq
  }

  take(nextSeq: number, more: boolean): RawPage {
    return { events: this.#events.take(), gaps: this.#gaps, nextSeq, more }
  }
}
