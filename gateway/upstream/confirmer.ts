import type { Clock } from '../contract/clock.ts'
import type { Log } from '../contract/log.ts'
import type { Position, Store } from '../store/store.ts'

/**
 * A confirmed cursor costs a commit: it is written once for so many acknowledgements or after so long, whichever
 * comes first. What was acknowledged since is sent again after a power cut, with the same ids.
 */
export const CONFIRM_EVENTS = 1000
export const CONFIRM_MS = 1000

export interface ConfirmerParts {
  readonly store: Pick<Store, 'confirm'>
  readonly consumer: string
  readonly clock: Clock
  readonly log: Log
}

/** Keeps the durable cursor close behind what is acknowledged, with one write at a time. */
export class Confirmer {
  readonly #parts: ConfirmerParts
  #position: Position | undefined
  #unconfirmed = 0
  #writing: Promise<void> | undefined
  #cancelTimer: (() => void) | undefined
  #failing = false

  constructor(parts: ConfirmerParts) {
    this.#parts = parts
  }

  /** Everything up to `position` is acknowledged; `events` of it are new. */
  advance(position: Position, events: number): void {
    this.#position = position
    this.#unconfirmed += events
    if (this.#unconfirmed >= CONFIRM_EVENTS) this.#write()
    else this.#cancelTimer ??= this.#parts.clock.after(CONFIRM_MS, () => this.#write())
  }

  /** Resolves once everything acknowledged so far is durable, or could not be made so. */
  async flush(): Promise<void> {
    await this.#writing
    if (this.#position !== undefined) this.#write()
    await this.#writing
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
  }

  #write(): void {
    if (this.#writing !== undefined || this.#position === undefined) return
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    const position = this.#position
    this.#position = undefined
    this.#unconfirmed = 0
    this.#writing = this.#confirm(position).finally(() => {
      this.#writing = undefined
      if (this.#position !== undefined) this.#cancelTimer ??= this.#parts.clock.after(CONFIRM_MS, () => this.#write())
    })
  }

  /** A cursor that can't be written holds nothing up: events are sent again after a restart, that is all. */
  async #confirm(position: Position): Promise<void> {
    const { store, consumer, log } = this.#parts
    try {
      await store.confirm(consumer, position)
      if (this.#failing) log.info('the place of the upstream in the log is written again', { seq: position.seq })
      this.#failing = false
    } catch (error) {
      this.#position ??= position
      if (!this.#failing) {
        log.warn('the place of the upstream in the log could not be written; after a restart events are sent again', {
          error,
        })
      }
      this.#failing = true
    }
  }
}
