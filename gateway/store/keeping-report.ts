import type { EventClass } from '../contract/event.ts'
import type { Forecast } from './forecast.ts'

export interface ClassReport {
  readonly rows: number
  readonly bytes: number
  /** Wall time of the oldest event held, where a clock vouched for it. */
  readonly oldestMs: number | undefined
  /** Events that went since the file was opened. */
  readonly evicted: Readonly<Record<'age' | 'size', number>>
}

/** How the log stands, for figures. */
export interface KeepingReport {
  readonly classes: Readonly<Record<EventClass, ClassReport>>
  readonly usedBytes: number
  readonly roomBytes: number
  /** Readings that a summary stands for since the file was opened. */
  readonly thinned: number
  /** Undefined until the log was open for a while. */
  readonly forecast: Forecast | undefined
}
