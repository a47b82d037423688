import type { Entry, EventClass } from '../contract/event.ts'
import type { Rights } from '../contract/rights.ts'
import type { Page, Position, Store } from '../store/store.ts'
import type { Item } from './window.ts'

const PAGE_EVENTS = 500
const PAGE_BYTES = 512 * 1024
/** Read the next page when no more than so many events wait, so that the sender never waits for the disk. */
const LOW_EVENTS = 250

export interface ReadAheadParts {
  readonly store: Pick<Store, 'read' | 'beyond'>
  readonly rights: Rights
  readonly classes?: readonly EventClass[]
  /** Something can be taken again. */
  readonly arrived: () => void
  /** Nothing to send stands up to this place, and all before it was taken and acknowledged or is in `last`. */
  readonly passed: (seq: number, last: Item | undefined) => void
}

/** Reads the log page by page, a page ahead of the sender at most. */
export class ReadAhead {
  readonly #parts: ReadAheadParts
  #items: Item[] = []
  #taken = 0
  #last: Item | undefined
  #room: (() => void) | undefined

  constructor(parts: ReadAheadParts) {
    this.#parts = parts
  }

  /** The next item, or undefined when none is there now. */
  take(): Item | undefined {
    const item = this.#items[this.#taken]
    if (item === undefined) return undefined
    this.#taken += 1
    if (this.#room !== undefined && this.#waiting <= LOW_EVENTS) this.#room()
    return item
  }

  /** Whether nothing waits to be taken. */
  get isEmpty(): boolean {
    return this.#waiting === 0
  }

  /** Read from behind `from` until the signal aborts. Rejects with what the store says, and with `signal.reason`. */
  async run(from: Position, signal: AbortSignal): Promise<never> {
    const { store, rights, classes } = this.#parts
    const onAbort = (): void => this.#room?.()
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      for (let after = from; ; ) {
        const page = await store.read({
          after,
          limit: PAGE_EVENTS,
          bytesMax: PAGE_BYTES,
          rights,
          ...(classes === undefined ? {} : { classes }),
        })
        signal.throwIfAborted()
        this.#add(page)
        after = page.next
        if (!page.more) await store.beyond(after.seq, signal)
        if (this.#waiting > LOW_EVENTS) await this.#lowWater()
        signal.throwIfAborted()
      }
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }

  get #waiting(): number {
    return this.#items.length - this.#taken
  }

  #lowWater(): Promise<void> {
    return new Promise((resolve) => {
      this.#room = () => {
        this.#room = undefined
        resolve()
      }
    })
  }

  #add(page: Page): void {
    const items = toItems(page)
    const last = items.at(-1)
    if (last === undefined) {
      this.#parts.passed(page.next.seq, this.#last)
      return
    }
    this.#items = this.#taken === this.#items.length ? items : [...this.#items.slice(this.#taken), ...items]
    this.#taken = 0
    this.#last = last
    this.#parts.arrived()
  }
}

/**
 * An item's place is just before the next one: what the rights left out between them is behind it too. A gap may
 * span events that are still there (one class was thinned, another kept), so its own end is no place to stand at.
 */
function toItems(page: Page): Item[] {
  return page.entries.map((entry, index) => {
    const next = page.entries[index + 1]
    return { entry, after: next === undefined ? page.next.seq : startOf(next) - 1 }
  })
}

function startOf(entry: Entry): number {
  return entry.kind === 'event' ? entry.seq : entry.fromSeq
}
