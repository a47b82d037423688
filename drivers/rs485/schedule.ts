/** Pauses before a device that did not answer is asked again, from one failure to the next; the last one stays. */
const BACKOFF_MS = [0, 500, 1000, 2000, 4000, 8000, 16_000, 30_000] as const
/** A device that failed so often in a row is taken for silent; one failure may be a disturbance, and waits for nobody. */
const SILENT_AFTER = 2
/** So much of the time may go to silent devices while others wait. */
const PROBE_SHARE = 0.03
/** A silent device never waits for more credit than this. */
const CREDIT_MS_MAX = 1

export interface Due {
  readonly id: string
  readonly everyMs: number
}

export interface Turn {
  readonly id: string
  /** It answered last time, so that a lost answer is worth a repetition; who did not is asked once. */
  readonly repeat: boolean
}

interface Entry extends Due {
  dueMs: number
  failures: number
  asking: boolean
  answered: boolean
  /** Others wait while it is asked. */
  charged: boolean
}

/**
 * Whose turn it is, as a function of the time given to it. Devices with the same interval are due at the same
 * tick, on every connection of the hub, so that one commit takes a round. Whoever is due longest is first: under too
 * much load everybody is read less often, and nobody starves. Who is silent is asked again after a pause that
 * grows, and takes next to nothing from those who answer.
 */
export class Schedule {
  readonly #entries = new Map<string, Entry>()
  /** What of the time was put by for silent devices; spent below zero it has to grow again. */
  #creditMs = 0
  #creditAtMs: number

  /** All are due at once, and nobody has failed. */
  constructor(devices: readonly Due[], nowMs: number) {
    for (const { id, everyMs } of devices) {
      this.#entries.set(id, { id, everyMs, dueMs: nowMs, failures: 0, asking: false, answered: true, charged: false })
    }
    this.#creditAtMs = nowMs
  }

  /** The next device to ask now, which then counts as being asked until `answered` or `failed`. */
  take(nowMs: number): Turn | undefined {
    this.#earn(nowMs)
    const well = this.#longestDue(nowMs, false)
    const silent = this.#longestDue(nowMs, true)
    const pick = silent !== undefined && (well === undefined || this.#creditMs > 0) ? silent : well
    if (pick === undefined) return undefined
    pick.asking = true
    // Time that nobody else wanted costs nothing.
    pick.charged = pick === silent && well !== undefined
    return { id: pick.id, repeat: pick.answered }
  }

  answered(id: string, nowMs: number): void {
    const entry = this.#end(id)
    entry.failures = 0
    entry.answered = true
    const { dueMs, everyMs } = entry
    // The tick after the one that was served; of ticks that were missed only the last is made up for.
    entry.dueMs = Math.max(Math.floor(dueMs / everyMs) + 1, Math.floor(nowMs / everyMs)) * everyMs
  }

  /** @param tookMs how long it held up the others */
  failed(id: string, nowMs: number, tookMs: number): void {
    const entry = this.#end(id)
    if (entry.charged) this.#creditMs -= tookMs
    const pauseMs = BACKOFF_MS[Math.min(entry.failures, BACKOFF_MS.length - 1)]!
    entry.failures += 1
    entry.answered = false
    entry.dueMs = nowMs + pauseMs
  }

  /** When somebody is due next; undefined when everybody is being asked. In the past: now. */
  nextDueMs(): number | undefined {
    let next: number | undefined
    for (const { asking, dueMs } of this.#entries.values()) {
      if (!asking && (next === undefined || dueMs < next)) next = dueMs
    }
    return next
  }

  #earn(nowMs: number): void {
    this.#creditMs = Math.min(CREDIT_MS_MAX, this.#creditMs + (nowMs - this.#creditAtMs) * PROBE_SHARE)
    this.#creditAtMs = nowMs
  }

  #longestDue(nowMs: number, silent: boolean): Entry | undefined {
    let first: Entry | undefined
    for (const entry of this.#entries.values()) {
      if (entry.asking || entry.dueMs > nowMs || entry.failures >= SILENT_AFTER !== silent) continue
      if (first === undefined || entry.dueMs < first.dueMs) first = entry
    }
    return first
  }

  #end(id: string): Entry {
    const entry = this.#entries.get(id)
    if (entry === undefined) throw new Error(`no device ${id} in this schedule`)
    entry.asking = false
    return entry
  }
}
