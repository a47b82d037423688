import type { Clock, ClockState } from '../contract/clock.ts'
import { recordCrc } from './schema.ts'
import type { Sqlite } from './sqlite.ts'

/** The clocks at the moment the log was opened. All events of one run count their monotonic time from the same zero. */
export interface Opening {
  readonly wallMs: number
  readonly monoUs: number
  readonly clock: ClockState
  readonly machine: MachineBoot
}

/** The start of the machine in which a run is: its id, empty where it is not known, and how long ago it was. */
export interface MachineBoot {
  readonly id: string
  readonly uptimeS: number
}

/** The clocks now, for the record of a run. */
export function openingNow(clock: Clock, machine: MachineBoot): Opening {
  return { wallMs: clock.wallMs(), monoUs: Math.round(clock.monoMs() * 1000), clock: clock.state(), machine }
}

/** The runs of the hub on this log. */
export class Boots {
  readonly #db: Sqlite

  constructor(db: Sqlite) {
    this.#db = db
  }

  /** The number of a new run, whose first event will stand at `fromSeq`. Durable when it returns. */
  begin(opening: Opening, fromSeq: number): number {
    const id = this.last() + 1
    const values = [
      id,
      fromSeq,
      Math.floor(opening.wallMs),
      Math.round(opening.monoUs),
      opening.clock,
      opening.machine.id,
      opening.machine.uptimeS,
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
