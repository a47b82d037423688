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

/** A meter that says what it asks for. */
export interface PlannedMeter extends Meter {
  plan(): MeterPlan
}

export interface MeterPlan {
  /** What goes out in one round, in this order. */
  readonly requests: readonly PlannedRequest[]
  /** Points that the device refused, with what it said: they are left out. */
  readonly refused: readonly { readonly point: string; readonly why: string }[]
}

export interface PlannedRequest {
  /** `holding 100 to 139`, or a data identifier. */
  readonly what: string
  readonly points: readonly string[]
  /** How many registers it asks for, where it asks for registers. */
  readonly registers: number
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
