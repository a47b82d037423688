/** How much of a line reading a device takes: so long, so often. */
export interface Reading {
  readonly everyMs: number
  readonly roundMs: number
}

/** How much of a line all of its devices take. */
export interface Demand {
  /** Of the time; above 1 there is too little of it. */
  readonly share: number
  /** The shortest interval of all. */
  readonly cycleMs: number
  /** What of the line is needed in each such cycle; devices that are read more seldom count with their part. */
  readonly neededMs: number
}

export function demandOf(readings: readonly Reading[]): Demand {
  const share = readings.reduce((sum, { everyMs, roundMs }) => sum + roundMs / everyMs, 0)
  const cycleMs = readings.length === 0 ? 0 : Math.min(...readings.map(({ everyMs }) => everyMs))
  return { share, cycleMs, neededMs: share * cycleMs }
}

/** `14.2 s`, with two digits at the least. */
export function secondsText(ms: number): string {
  const seconds = ms / 1000
  return `${Number(seconds >= 10 ? seconds.toFixed(1) : seconds.toPrecision(2))} s`
}
