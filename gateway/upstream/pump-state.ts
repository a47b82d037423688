import type { Clock } from '../contract/clock.ts'
import type { EventClass } from '../contract/event.ts'
import type { Random } from '../contract/io.ts'
import type { Log } from '../contract/log.ts'
import type { Rights } from '../contract/rights.ts'
import type { Position, Store } from '../store/store.ts'
import type { Suspect } from './suspects.ts'

export interface PumpParts {
  readonly hub: string
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Name of the cursor, such as `up:city`; each class may have a pump and a cursor of its own. */
  readonly consumer: string
  readonly rights: Rights
  readonly classes?: readonly EventClass[]
  /** Messages in flight, at most. */
  readonly window: number
  readonly publishTimeoutMs: number
}

/** What a pump knows from one connection to the next. */
export interface PumpState {
  /** Everything up to here is acknowledged; undefined until the cursor was first read. */
  position: Position | undefined
  /** The last connection ended without one acknowledgement: begin with one message at a time. */
  cautious: boolean
  /** Events that the broker would not take, by their place. */
  readonly suspects: Map<number, Suspect>
  readonly counts: PumpCounts
}

export interface PumpCounts {
  acknowledged: number
  refused: number
  quarantined: number
  timeouts: number
}
