import type { EventClass } from '../contract/event.ts'

/** The clocks as whoever calls sees them. */
export interface Now {
  readonly wallMs: number
  readonly monoMs: number
  /** A time source agrees with the wall clock, or did in this boot. */
  readonly trusted: boolean
}

const HOUR_MS = 3_600_000
/** A wall clock that moved further than this against the monotonic one has jumped. */
const JUMP_MS = HOUR_MS
/** A hub may be switched off for so long before its clock counts as jumped when it comes back. */
const ABSENCE_MS = 7 * 24 * HOUR_MS
/** What a clock says after a jump is believed when it has said it for so long. */
const TRIAL_MS = 24 * HOUR_MS

/**
 * Says whether the wall clock is sure enough to let things go by it. A time source that is wrong by ten years would
 * end everything at once: so a jump has to prove itself for a day of monotonic time first.
 */
export class SteadyTime {
  /** Wall time less monotonic time, as it was last believed. */
  #offsetMs: number | undefined
  #trial: { readonly offsetMs: number; readonly sinceMonoMs: number } | undefined
  #lastSureMs: number | undefined

  /** @param lastSureMs what it said last in a run before; undefined when there was none */
  constructor(lastSureMs: number | undefined) {
    this.#lastSureMs = lastSureMs
  }

  /** The last time that was sure, to be kept for the next run: what a clock said in its trial is not proven by a restart. */
  get lastSureMs(): number | undefined {
    return this.#lastSureMs
  }

  /** The time to let things go by; undefined while it is not sure. */
  sure({ wallMs, monoMs, trusted }: Now): number | undefined {
    if (!trusted) return undefined
    const offsetMs = wallMs - monoMs
    if (this.#fits(offsetMs, wallMs) || this.#proven(offsetMs, monoMs)) {
      this.#offsetMs = offsetMs
      this.#trial = undefined
      this.#lastSureMs = wallMs
      return wallMs
    }
    return undefined
  }

  #fits(offsetMs: number, wallMs: number): boolean {
    if (this.#offsetMs !== undefined) return Math.abs(offsetMs - this.#offsetMs) <= JUMP_MS
    if (this.#lastSureMs === undefined) return true
    return wallMs >= this.#lastSureMs - JUMP_MS && wallMs <= this.#lastSureMs + ABSENCE_MS
  }

  #proven(offsetMs: number, monoMs: number): boolean {
    if (this.#trial === undefined || Math.abs(offsetMs - this.#trial.offsetMs) > JUMP_MS) {
      this.#trial = { offsetMs, sinceMonoMs: monoMs }
    }
    return monoMs - this.#trial.sinceMonoMs >= TRIAL_MS
  }
}

/** When the newest event of a row was, as far as the clock could be trusted then. */
export interface RowAge {
  readonly lastSeq: number
  readonly newestMs: number | undefined
}

/** Rows without a time that can be trusted which one search passes over; the next one goes on behind them. */
const SEARCHED_ROWS_MAX = 500
/** Where something is out of its age a whole batch is waited for, so much of the age or an hour: each one wears the card. */
const BATCH_PART = 0.01
const BATCH_MS_MAX = HOUR_MS
/** One search proves no more rows old than this: the next one goes on when they are gone. */
const PROVEN_ROWS_MAX = 200

/**
 * Finds up to where a class is out of its age. Events stand in the order in which they came, so a row whose time is
 * sure and past proves everything before it, also what was recorded while nobody knew the time.
 */
export class Ageing {
  readonly #passedSeq = new Map<EventClass, number>()
  /** Classes of which a batch is being let go of. */
  readonly #going = new Set<EventClass>()

  /**
   * @param rows the rows behind a place, oldest first
   * @returns the place up to which all are older than `keepMs`; 0 when none is, or a batch of them has not come together
   */
  expiredSeq(name: EventClass, ages: Ages, rows: (behindSeq: number) => Iterable<RowAge>): number {
    const expiredSeq = this.#search(name, ages, rows)
    if (expiredSeq > 0) this.#going.add(name)
    else this.#going.delete(name)
    return expiredSeq
  }

  #search(name: EventClass, { keepMs, nowMs }: Ages, rows: (behindSeq: number) => Iterable<RowAge>): number {
    const beforeMs = nowMs - keepMs
    const beginMs = this.#going.has(name) ? beforeMs : beforeMs - Math.min(keepMs * BATCH_PART, BATCH_MS_MAX)
    let expiredSeq = 0
    let searched = 0
    let proven = 0
    for (const { lastSeq, newestMs } of rows(this.#passedSeq.get(name) ?? 0)) {
      if (newestMs === undefined || newestMs > nowMs + JUMP_MS) {
        if (proven === 0) this.#passedSeq.set(name, lastSeq)
        searched += 1
        if (searched >= SEARCHED_ROWS_MAX) break
      } else if (newestMs < (proven === 0 ? beginMs : beforeMs)) {
        expiredSeq = lastSeq
        proven += 1
        if (proven >= PROVEN_ROWS_MAX) break
      } else {
        break
      }
    }
    return expiredSeq
  }
}

interface Ages {
  readonly keepMs: number
  readonly nowMs: number
}
