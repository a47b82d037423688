/** When the upstream is taken away, and for how long, counted from the start of the run. */
export interface Outage {
  readonly atMs: number
  readonly forMs: number
}

const FIRST_AT_MS = 15_000
const EVERY_MS = 40_000
/** Shorter and longer ones by turns: what waits is then a handful of events, or some hundred. */
const LENGTHS_MS = [10_000, 6_000, 20_000, 12_000]
/** Between the last return and the end the platform gets what waits. */
const CALM_MS = 4000

/**
 * The n-th outage of a run, from 0; undefined when the run is over before it could end.
 * @param runMs how long the run lasts; undefined: until somebody stops it. A short run has one outage in its middle.
 */
export function outageNumber(index: number, runMs: number | undefined): Outage | undefined {
  if (runMs !== undefined && runMs < FIRST_AT_MS + LENGTHS_MS[0]! + CALM_MS) {
    return index === 0 ? { atMs: runMs * 0.3, forMs: runMs * 0.35 } : undefined
  }
  const outage = { atMs: FIRST_AT_MS + index * EVERY_MS, forMs: LENGTHS_MS[index % LENGTHS_MS.length]! }
  const over = runMs !== undefined && outage.atMs + outage.forMs + CALM_MS > runMs
  return over ? undefined : outage
}
