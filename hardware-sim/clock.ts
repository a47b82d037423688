import type { Clock, ClockState } from '../gateway/contract/clock.ts'

interface Timer {
  readonly atMs: number
  readonly order: number
  readonly run: () => void
}

/**
 * Time that passes only when told to: a week in a millisecond, the same every time. Wall time can be made to
 * jump; monotonic time cannot. `advance` runs what is due in order of its time, and lets every promise that
 * became ready go on before it looks at the next timer.
 */
export class VirtualClock implements Clock {
  #monoMs = 0
  #wallOffsetMs: number
  #state: ClockState
  #order = 0
  readonly #timers = new Set<Timer>()

  constructor(startWallMs = Date.UTC(2026, 10, 23, 8), state: ClockState = 'synced') {
    this.#wallOffsetMs = startWallMs
    this.#state = state
  }

  wallMs(): number {
    return this.#wallOffsetMs + this.#monoMs
  }

  monoMs(): number {
    return this.#monoMs
  }

  state(): ClockState {
    return this.#state
  }

  /** What somebody setting the clock does: wall time jumps, monotonic time does not. */
  jumpWall(byMs: number, state: ClockState = this.#state): void {
    this.#wallOffsetMs += byMs
    this.#state = state
  }

  after(ms: number, run: () => void): () => void {
    const timer: Timer = { atMs: this.#monoMs + Math.max(0, ms), order: this.#order++, run }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const onAbort = (): void => {
        cancel()
        reject(signal?.reason)
      }
      const cancel = this.after(ms, () => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      })
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }

  /** How many timers wait; a test counts them to find a leak. */
  get pending(): number {
    return this.#timers.size
  }

  /** Let `ms` pass. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#monoMs + ms
    for (;;) {
      await settle()
      const next = this.#next()
      if (next === undefined || next.atMs > untilMs) break
      this.#timers.delete(next)
      this.#monoMs = Math.max(this.#monoMs, next.atMs)
      next.run()
    }
    this.#monoMs = untilMs
    await settle()
  }

  #next(): Timer | undefined {
    let first: Timer | undefined
    for (const timer of this.#timers) {
      if (first === undefined || timer.atMs < first.atMs || (timer.atMs === first.atMs && timer.order < first.order)) {
        first = timer
      }
    }
    return first
  }
}

/** Let microtasks, and what they queue, run out: setImmediate comes behind all of them. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
