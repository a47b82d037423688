import { createHash } from 'node:crypto'

/** Everything that happened, as one number: the same seed gives the same. Epochs are drawn by SQLite, so they are counted. */
export class Trace {
  readonly #nowMs: () => number
  readonly #hash = createHash('sha256')
  readonly #epochs = new Map<string, number>()
  lines = 0

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  note(what: string, ...numbers: readonly (number | string)[]): void {
    this.lines += 1
    this.#hash.update(`${this.#nowMs()} ${what} ${numbers.join(' ')}\n`)
  }

  epoch(epoch: string): number {
    const known = this.#epochs.get(epoch) ?? this.#epochs.size
    this.#epochs.set(epoch, known)
    return known
  }

  /** `epoch/place` with the epoch as its number. */
  place(text: string): string {
    const [epoch = '', seq] = text.split('/')
    return `${this.epoch(epoch)}/${seq}`
  }

  digest(): string {
    return this.#hash.copy().digest('hex').slice(0, 16)
  }
}
