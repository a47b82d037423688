import { createHash } from 'node:crypto'

/** Printed when a promise is broken. */
const TAIL_LINES = 40

/** Everything that happened, as one number: the same seed gives the same. Epochs are drawn by SQLite, so they are counted. */
export class Trace {
  readonly #last: string[] = []
  readonly #nowMs: () => number
  readonly #hash = createHash('sha256')
  readonly #epochs = new Map<string, number>()
  lines = 0

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  note(what: string, ...numbers: readonly (number | string)[]): void {
    this.lines += 1
    const line = `${this.#nowMs()} ${what} ${numbers.join(' ')}`
    this.#hash.update(`${line}\n`)
    this.#last.push(line)
    if (this.#last.length > 2 * TAIL_LINES) this.#last.splice(0, TAIL_LINES)
  }

  epoch(epoch: string): number {
    const known = this.#epochs.get(epoch) ?? this.#epochs.size
    this.#epochs.set(epoch, known)
    return known
  }

  /** What was noted last. */
  tail(): readonly string[] {
    return this.#last.slice(-TAIL_LINES)
  }

  digest(): string {
    return this.#hash.copy().digest('hex').slice(0, 16)
  }
}
