import type { ClockState } from '../contract/clock.ts'
import { recordCrc } from './schema.ts'
import { kernelBoot, type Sqlite } from './sqlite.ts'

/** The clocks at the moment the log was opened. All events of one run count their monotonic time from the same zero. */
export interface Opening {
  readonly wallMs: number
  readonly monoUs: number
  readonly clock: ClockState
}

/** The runs of the hub on this log. */
export class Boots {
  readonly #db: Sqlite

  constructor(db: Sqlite) {
    this.#db = db
  }

  /** The number of a new run, whose first event will stand at `fromSeq`. Durable when it returns. */
  begin(opening: Opening, fromSeq: number): number {
    // The kernel's id of this boot, and the time since then: two runs in one boot can share what the time was.
    const kernel = kernelBoot()
    const id = this.last() + 1
    const values = [
      id,
      fromSeq,
      Math.floor(opening.wallMs),
      Math.round(opening.monoUs),
      opening.clock,
      kernel.id,
      kernel.uptimeS,
    ]
    this.#db.prepare('INSERT INTO boot VALUES (?, ?, ?, ?, ?, ?, ?, ?)').run(...values, recordCrc(...values))
    return id
  }

  /** The number of the newest run; 0 when there was none. */
  last(): number {
    return (this.#db.prepare('SELECT max(id) FROM boot').pluck().get() as number | null) ?? 0
  }

  /** The largest place that any run began at; 1 when there is none. */
  lastFromSeq(): number {
    return (this.#db.prepare('SELECT max(from_seq) FROM boot').pluck().get() as number | null) ?? 1
  }
}
