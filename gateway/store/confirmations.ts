import type { EventClass } from '../contract/event.ts'
import type { Cursors } from './cursors.ts'

export interface RequiredConsumer {
  /** As it names itself to `confirm`. */
  readonly consumer: string
  /** What its rights let it see of. */
  readonly classes: readonly EventClass[]
}

/** What everybody has confirmed who must have it. */
export class Confirmations {
  readonly #cursors: Cursors
  readonly #epoch: string
  readonly #required: readonly RequiredConsumer[]

  constructor(cursors: Cursors, epoch: string, required: readonly RequiredConsumer[]) {
    this.#cursors = cursors
    this.#epoch = epoch
    this.#required = required
  }

  /** Where the slowest of those stands who must have this class; infinite where nobody must. */
  seq(name: EventClass): number {
    let least = Number.POSITIVE_INFINITY
    for (const { consumer, classes } of this.#required) {
      if (!classes.includes(name)) continue
      const cursor = this.#cursors.get(consumer, [name])
      least = Math.min(least, cursor?.epoch === this.#epoch ? cursor.seq : 0)
    }
    return least
  }
}
