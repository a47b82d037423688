import { isFault } from '../../gateway/contract/fault.ts'
import type { Random } from '../../gateway/contract/io.ts'
import type { OpenedStore } from '../../gateway/store/opened-store.ts'
import { EpochChanged, type Position, PositionAhead } from '../../gateway/store/store.ts'
import { Broken, must } from './broken.ts'
import type { Model } from './model.ts'

export const PULLER = 'pull:property'
const PAGE = 50

/** Those who pull: one that reads and confirms, and goes back at times; and one that has its place wrong. */
export class Consumers {
  readonly #random: Random
  readonly #model: Model

  constructor(random: Random, model: Model) {
    this.#random = random
    this.#model = model
  }

  /** Read a page and confirm it, or forget to. */
  async pull(store: OpenedStore): Promise<void> {
    const { epoch } = store
    const at = await store.cursor(PULLER)
    this.#model.cursor(PULLER, at)
    const page = await store.read({ after: at?.epoch === epoch ? at : { epoch, seq: 0 }, limit: PAGE })
    if (this.#random.next() < 0.7) await this.#moves(() => store.confirm(PULLER, page.next))
  }

  /** Its owner has lost what it had, and wants it once more. */
  async goBack(store: OpenedStore): Promise<void> {
    const { epoch } = store
    const at = await store.cursor(PULLER)
    if (at?.epoch !== epoch) return
    const seq = Math.max(0, at.seq - Math.floor(this.#random.next() * 200))
    this.#model.cursorUnsure(PULLER)
    await store.reset(PULLER, { epoch, seq })
    this.#model.cursorReset(PULLER, { epoch, seq })
  }

  /** Nobody gets anything for a place that is not one of this log, and nothing is moved by it. */
  async stray(store: OpenedStore): Promise<void> {
    const { epoch } = store
    const [ahead, other, none] = [
      { epoch, seq: store.lastSeq() + 1_000_000 },
      { epoch: 'f'.repeat(16), seq: 1 },
      { epoch, seq: -1 },
    ]
    await this.#refused(store, ahead, PositionAhead)
    await this.#refused(store, other, EpochChanged)
    await this.#refused(store, none, RangeError)
    this.#model.stands(PULLER, await store.cursor(PULLER))
  }

  async #refused(store: OpenedStore, at: Position, kind: new (...parts: never[]) => Error): Promise<void> {
    const asks = {
      read: () => store.read({ after: at, limit: 1 }),
      confirm: () => store.confirm(PULLER, at),
      reset: () => store.reset(PULLER, at),
    }
    for (const [name, ask] of Object.entries(asks)) {
      let answer: unknown
      try {
        answer = await ask()
      } catch (error) {
        if (isFault(error)) throw error
        must(
          error instanceof kind,
          () => `L6: ${name} of ${at.epoch}/${at.seq} says ${String(error)}, not ${kind.name}`,
        )
        continue
      }
      throw new Broken(`L6: ${name} of ${at.epoch}/${at.seq} was answered with ${JSON.stringify(answer)}`)
    }
  }

  async #moves(move: () => Promise<Position>): Promise<void> {
    try {
      this.#model.cursor(PULLER, await move())
    } catch (error) {
      this.#model.cursorUnsure(PULLER)
      throw error
    }
  }
}
