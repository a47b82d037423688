import type { Clock } from '../gateway/contract/clock.ts'
import type { Random } from '../gateway/contract/io.ts'

/** Rounding of times must not hold back a byte that is over. */
const TIME_ROUNDING_MS = 1e-6

export interface BabbleOptions {
  readonly clock: Clock
  readonly random: Random
  /** How many bytes come at once. */
  readonly pieceBytes: number
  /** How long one is on the wire now. */
  readonly characterMs: () => number
  readonly deliver: (bytes: Uint8Array) => void
}

/** A device that sends chance bytes at the speed of the wire until it is stopped. */
export class Babble {
  readonly #options: BabbleOptions
  #cancel: (() => void) | undefined

  constructor(options: BabbleOptions) {
    this.#options = options
  }

  get on(): boolean {
    return this.#cancel !== undefined
  }

  start(): void {
    if (!this.on) this.#next(this.#options.clock.monoMs())
  }

  stop(): void {
    this.#cancel?.()
    this.#cancel = undefined
  }

  #next(fromMs: number): void {
    const { clock, random, pieceBytes, deliver } = this.#options
    const characterMs = this.#options.characterMs()
    this.#cancel = clock.after(fromMs + pieceBytes * characterMs - clock.monoMs(), () => {
      const overBytes = Math.floor((clock.monoMs() - fromMs + TIME_ROUNDING_MS) / characterMs)
      deliver(random.bytes(overBytes))
      if (this.on) this.#next(fromMs + overBytes * characterMs)
    })
  }
}
