import type { Clock } from '../../gateway/contract/clock.ts'

/** A subscription that nobody renews or pulls ends after so long. */
export const LIFETIME_MAX_MS = 600_000
const WAITING_MAX = 200

interface Waiting {
  resolve(): void
}

/** One pull point: notifications wait here until somebody pulls them. */
export class PullPoint {
  readonly id: number
  endsMs: number
  readonly #clock: Clock
  #messages: string[] = []
  #waiting: Waiting | undefined

  constructor(id: number, lifetimeMs: number, clock: Clock) {
    this.id = id
    this.#clock = clock
    this.endsMs = clock.monoMs() + lifetimeMs
  }

  get over(): boolean {
    return this.#clock.monoMs() > this.endsMs
  }

  put(message: string): void {
    this.#messages.push(message)
    if (this.#messages.length > WAITING_MAX) this.#messages.shift()
    this.#waiting?.resolve()
  }

  /** Up to `limit` messages; waits at most `timeoutMs` for the first. A pull keeps the subscription alive for its time. */
  async pull(limit: number, timeoutMs: number, signal: AbortSignal): Promise<string[]> {
    this.endsMs = Math.max(this.endsMs, this.#clock.monoMs() + timeoutMs)
    if (this.#messages.length === 0) {
      await new Promise<void>((resolve) => {
        const cancel = this.#clock.after(timeoutMs, resolve)
        const done = (): void => {
          cancel()
          resolve()
        }
        this.#waiting = { resolve: done }
        signal.addEventListener('abort', done, { once: true })
      })
      this.#waiting = undefined
    }
    return this.#messages.splice(0, limit)
  }
}

/** xs:duration of days to seconds, in ms; 60 s for what is none. */
export function durationMs(text: string): number {
  const parts = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?)?$/.exec(text)
  if (parts === null) return 60_000
  const [days, hours, minutes, seconds] = parts.slice(1).map((part) => Number(part ?? 0)) as [
    number,
    number,
    number,
    number,
  ]
  return Math.min(LIFETIME_MAX_MS, ((days * 24 + hours) * 60 + minutes) * 60_000 + seconds * 1000)
}
