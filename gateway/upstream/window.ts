import type { Entry } from '../contract/event.ts'

/** An entry of the log on its way, or read ahead. */
export interface Item {
  readonly entry: Entry
  /** Where the cursor may stand once this item, and all before it, are acknowledged. */
  after: number
}

/** A message in flight: sent, acknowledged while an earlier one is not, or refused and waiting for its next try. */
export interface Slot {
  readonly item: Item
  readonly topic: string
  readonly payload: Buffer
  /** On `Clock.monoMs`. */
  sentMs: number
  state: 'sent' | 'acknowledged' | 'refused'
}

/**
 * The messages in flight, in order of the log. Acknowledgements may come in any order; the cursor moves only over
 * an unbroken run of them from the front.
 */
export class Window {
  readonly #slots: (Slot | undefined)[]
  #first = 0
  #length = 0

  constructor(capacity: number) {
    this.#slots = new Array(capacity).fill(undefined)
  }

  get length(): number {
    return this.#length
  }

  push(slot: Slot): void {
    if (this.#length === this.#slots.length) throw new Error(`the window of ${this.#slots.length} is full`)
    this.#slots[(this.#first + this.#length) % this.#slots.length] = slot
    this.#length += 1
  }

  /** Drop the acknowledged from the front; the last of them, or undefined when the front still waits. */
  settle(): Slot | undefined {
    let last: Slot | undefined
    while (this.#length > 0) {
      const slot = this.#slots[this.#first] as Slot
      if (slot.state !== 'acknowledged') break
      last = slot
      this.#slots[this.#first] = undefined
      this.#first = (this.#first + 1) % this.#slots.length
      this.#length -= 1
    }
    return last
  }

  /** From the front to the back. */
  *slots(): Generator<Slot> {
    for (let i = 0; i < this.#length; i++) yield this.#slots[(this.#first + i) % this.#slots.length] as Slot
  }
}
