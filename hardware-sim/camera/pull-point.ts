import type { Clock } from '../../gateway/contract/clock.ts'

/** Notifications that wait for a client; the oldest are dropped beyond. */
const WAITING_MAX = 200

/** One pull point: notifications wait here until somebody pulls them. */
export class PullPoint {
  readonly id: number
  /** On `Clock.monoMs`. */
  endsMs: number
  readonly #clock: Clock
  #messages: string[] = []
  #wake: (() => void) | undefined

  constructor(id: number, endsMs: number, clock: Clock) {
    this.id = id
    this.endsMs = endsMs
    this.#clock = clock
  }

  get over(): boolean {
    return this.#clock.monoMs() >= this.endsMs
  }

  put(message: string): void {
    this.#messages.push(message)
    if (this.#messages.length > WAITING_MAX) this.#messages.shift()
    this.#wake?.()
  }

  /** It is gone: whoever waits is let go. */
  end(): void {
    this.endsMs = Number.NEGATIVE_INFINITY
    this.#wake?.()
  }

  /** Up to `limit` messages; waits at most `timeoutMs` for the first. The signal is the client's, who may have left. */
  async pull(limit: number, timeoutMs: number, signal: AbortSignal): Promise<string[]> {
    if (this.#messages.length === 0 && timeoutMs > 0 && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          cancel()
          signal.removeEventListener('abort', done)
          this.#wake = undefined
          resolve()
        }
        const cancel = this.#clock.after(timeoutMs, done)
        this.#wake = done
        signal.addEventListener('abort', done, { once: true })
      })
    }
    // What nobody takes stays: a client that left lost nothing.
    return signal.aborted ? [] : this.#messages.splice(0, limit)
  }
}
