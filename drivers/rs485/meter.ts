import type { Fault } from '../../gateway/contract/fault.ts'
import type { Value } from './codec/value.ts'

/** One device as its dialect reads it; the polling knows no more of a protocol than this. */
export interface Meter {
  readonly id: string
  /** Points that only rise, and the value that each never reaches because there it begins anew; undefined: not known. */
  readonly counters: ReadonlyMap<string, number | undefined>
  /**
   * Read everything once.
   * @param attempts how often each request is sent at the most
   * @throws Fault of reach `device` when nothing could be read, of reach `connection` when the wire is gone
   */
  read(attempts: number): Promise<Poll>
}

/** What one round of questions to a device brought. */
export interface Poll {
  readonly points: Readonly<Record<string, PointValue>>
  /** When the last answer was there, on `Clock.monoMs`. */
  readonly monoMs: number
  /** Whether everything that was asked for was answered. */
  readonly complete: boolean
  /** What is wrong with the device although it answers. */
  readonly trouble: Fault | undefined
}

/** Null: the device says that it has no value. */
export interface PointValue {
  readonly v: Value | null
  /** Left out where it has none. */
  readonly u?: string
}
