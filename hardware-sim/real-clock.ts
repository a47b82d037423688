import type { Clock } from '../gateway/contract/clock.ts'

/** From here on a fine timer no longer trusts setTimeout, which knows whole milliseconds only. */
const NEAR_MS = 2
const TIMEOUT_EARLY_MS = 1.2
/** A nap lets the processor go; waking from it takes about 0.1 ms, so the very last stretch is spun. */
const NAP_MAX_MS = 0.25
const NAP_LATE_MS = 0.15

/**
 * The machine's time for simulators that run as a process. A plain one is up to a millisecond late, which is
 * well enough to look at. A `fine` one keeps deadlines to about 0.05 ms, as measuring a line at 115200 baud
 * wants it, and costs up to a fifth of a core while something is due within two milliseconds.
 */
export function createRealClock(options: { readonly fine?: boolean } = {}): Clock {
  const timers = options.fine === true ? new FineTimers() : undefined
  const after = (ms: number, run: () => void): (() => void) => {
    if (timers !== undefined) return timers.add(performance.now() + ms, run)
    const timer = setTimeout(run, Math.max(0, Math.ceil(ms)))
    return () => clearTimeout(timer)
  }
  return {
    wallMs: () => Date.now(),
    monoMs: () => performance.now(),
    state: () => 'synced',
    after,
    sleep(ms, signal) {
      return new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason)
        const onAbort = (): void => {
          cancel()
          reject(signal?.reason)
        }
        const cancel = after(ms, () => {
          signal?.removeEventListener('abort', onAbort)
          resolve()
        })
        signal?.addEventListener('abort', onAbort, { once: true })
      })
    },
  }
}

interface FineTimer {
  readonly atMs: number
  readonly run: () => void
}

/** All fine deadlines of a process in one place, so that a nap for one is never longer than the next of another. */
class FineTimers {
  readonly #timers = new Set<FineTimer>()
  readonly #nap = new Int32Array(new SharedArrayBuffer(4))
  #timeout: NodeJS.Timeout | undefined
  #timeoutAtMs = Number.POSITIVE_INFINITY
  #ticking = false

  add(atMs: number, run: () => void): () => void {
    const timer: FineTimer = { atMs, run }
    this.#timers.add(timer)
    this.#arm()
    return () => {
      this.#timers.delete(timer)
      if (this.#timers.size === 0) this.#disarm()
    }
  }

  #arm(): void {
    if (this.#ticking) return
    const atMs = this.#earliest()?.atMs
    if (atMs === undefined) {
      this.#disarm()
      return
    }
    const leftMs = atMs - performance.now()
    if (leftMs <= NEAR_MS) {
      this.#disarm()
      this.#ticking = true
      setImmediate(() => this.#tick())
    } else if (atMs !== this.#timeoutAtMs) {
      this.#disarm()
      this.#timeoutAtMs = atMs
      this.#timeout = setTimeout(
        () => {
          this.#disarm()
          this.#arm()
        },
        Math.max(1, Math.floor(leftMs - TIMEOUT_EARLY_MS)),
      )
    }
  }

  #disarm(): void {
    clearTimeout(this.#timeout)
    this.#timeout = undefined
    this.#timeoutAtMs = Number.POSITIVE_INFINITY
  }

  #tick(): void {
    for (;;) {
      const due = this.#earliest()
      if (due === undefined || due.atMs > performance.now()) break
      this.#timers.delete(due)
      due.run()
    }
    const next = this.#earliest()
    const leftMs = next === undefined ? Number.POSITIVE_INFINITY : next.atMs - performance.now()
    if (leftMs > NEAR_MS) {
      this.#ticking = false
      this.#arm()
      return
    }
    if (leftMs > NAP_LATE_MS * 2) Atomics.wait(this.#nap, 0, 0, Math.min(NAP_MAX_MS, leftMs - NAP_LATE_MS))
    setImmediate(() => this.#tick())
  }

  #earliest(): FineTimer | undefined {
    let first: FineTimer | undefined
    for (const timer of this.#timers) if (first === undefined || timer.atMs < first.atMs) first = timer
    return first
  }
}
