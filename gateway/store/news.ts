import type { SeenData } from '../contract/event.ts'
import { EVICTED_TYPE, type EvictedTold, QUARANTINED_TYPE } from './audit-events.ts'
import { MissingPlaces } from './coverage.ts'
import type { Loss } from './quarantine.ts'

/** What the log did by itself and the chain of the audit events has to say, until it is told. */
export interface News {
  readonly type: string
  readonly data: SeenData
}

/** A file full of damaged rows tells of the first ones; gap records speak for all. */
const KEPT_MAX = 100

export class NewsBook {
  #news: News[] = []
  #evicted: EvictedTold | undefined

  add(type: string, data: SeenData): void {
    if (this.#news.length < KEPT_MAX) this.#news.push({ type, data })
  }

  /** A damaged row was taken out, or nothing was found in its place; where the transaction fails, it is told once more. */
  quarantined(loss: Loss): void {
    const { message: reason } = loss
    if (loss instanceof MissingPlaces) this.add(QUARANTINED_TYPE, { fromSeq: loss.fromSeq, toSeq: loss.toSeq, reason })
    else this.add(QUARANTINED_TYPE, { class: loss.class, seq: loss.lastSeq, reason })
  }

  /** Audit events were let go of: what went in many steps is told as one. */
  evicted(toSeq: number, events: number): void {
    this.#evicted = { toSeq, events: (this.#evicted?.events ?? 0) + events }
  }

  /** What was not taken yet. */
  take(): readonly News[] {
    const gone: News[] = this.#evicted === undefined ? [] : [{ type: EVICTED_TYPE, data: { ...this.#evicted } }]
    const all = [...this.#news, ...gone]
    this.#news = []
    this.#evicted = undefined
    return all
  }
}
