import type { Host } from '../../gateway/contract/driver.ts'
import type { Seen } from '../../gateway/contract/event.ts'

/** So many batches may be on their way to the disk: a line that chatters while the disk is slow fills no memory. */
const UNDER_WAY_MAX = 500

/** What a door says goes to the log beside it: nobody at the door waits for the disk. */
export class Voice {
  readonly #host: Pick<Host<unknown>, 'connection' | 'clock' | 'emit'>
  readonly #fail: (bug: unknown) => void
  #underWay = 0
  #unsaid = 0
  #untold = 0

  constructor(host: Pick<Host<unknown>, 'connection' | 'clock' | 'emit'>, fail: (bug: unknown) => void) {
    this.#host = host
    this.#fail = fail
  }

  /** How many events were left out so far, because too many were on their way. */
  get untold(): number {
    return this.#untold
  }

  say(batch: readonly Seen[]): void {
    if (batch.length === 0) return
    if (this.#underWay >= UNDER_WAY_MAX) {
      this.#unsaid += batch.length
      this.#untold += batch.length
      return
    }
    const all = this.#unsaid === 0 ? batch : [this.#hole(), ...batch]
    this.#unsaid = 0
    this.#underWay += 1
    this.#host
      .emit(all)
      .then(() => {
        this.#underWay -= 1
      })
      .catch((bug) => this.#fail(bug))
  }

  /** What is missing is announced before what comes next. */
  #hole(): Seen {
    const { connection, clock } = this.#host
    const data = { count: this.#unsaid }
    return {
      device: connection,
      type: 'linli.door.untold',
      class: 'alarm',
      privacy: 'public',
      monoMs: clock.monoMs(),
      data,
    }
  }
}
