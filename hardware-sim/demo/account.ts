/** What a run did, as it is printed at its end. */
export interface Account {
  readonly ranSeconds: number
  /** Polls of meters that became an event. */
  readonly readings: number
  /** Events that the log gave back over HTTP, each place of the log once. */
  readonly events: number
  /** Events that reached the platform, each counted once. */
  readonly delivered: number
  /** Arrivals of an event that had arrived before: the same id, so the platform knows. */
  readonly duplicated: number
  /** Events that never reached the platform, holes in the log, and readings that meters gave and nobody kept. */
  readonly lost: number
  readonly outages: number
  readonly longestOutageSeconds: number
  /** From the return of the platform to the first event that reached it, the longest. */
  readonly slowestReturnSeconds: number
  readonly hubMemoryMB: number
  readonly hubCpuSeconds: number
}

/** What one meter was asked for and what came of it. */
export interface MeterAccount {
  readonly id: string
  readonly connection: string
  /** Frames that the simulated meter answered; a reading takes one or more. */
  readonly answers: number
  /** Readings that were in the log when the answers were counted: some of the answers may still have been on their way. */
  readonly readingsThen: number
  /** Readings in the log a moment later, when those answers must have arrived. */
  readonly readings: number
  /** Readings that its interval asks for in the time that it was read. */
  readonly due: number
}

export interface Evidence {
  /** Everything up to this place was in the log before the account was made. */
  readonly lastSeq: number
  /** How many of those places the log gave back. */
  readonly pulled: number
  /** What the platform's own record says, after it had time to get everything. */
  readonly platform: {
    readonly firstSeq: number | undefined
    readonly lastSeq: number | undefined
    /** Places between the two that never came and that no gap record announced. */
    readonly missing: number
  }
  readonly meters: readonly MeterAccount[]
}

/** So much of what is due may be late because the machine was busy. */
const LATE_SHARE = 0.1
/** A run that ends in the middle of a round has one reading less than is due, one that began late another. */
const LATE_READINGS = 2

/** How much was lost; 0 is what this program exists to show. */
export function lostOf(evidence: Evidence): number {
  const { lastSeq, pulled, platform, meters } = evidence
  const notInLog = lastSeq - pulled
  const neverCame =
    platform.firstSeq === undefined || platform.lastSeq === undefined
      ? lastSeq
      : platform.firstSeq - 1 + platform.missing + Math.max(0, lastSeq - platform.lastSeq)
  // What is missing in the log can't come to the platform, so the larger of the two holds both.
  return Math.max(notInLog, neverCame) + lostReadings(meters)
}

/**
 * Readings that meters gave, or should have been asked for, and that are in no event. How many frames a reading takes
 * is the hub's own plan, the same for all meters of a model on one line: the meter that lost least shows it. What all
 * of them lost alike is seen by the clock.
 */
export function lostReadings(meters: readonly MeterAccount[]): number {
  // A meter that never answers owes nothing.
  const awake = meters.filter(({ answers }) => answers > 0)
  return awake.reduce((sum, meter) => {
    const line = awake.filter(({ connection }) => connection === meter.connection)
    return sum + lostOfMeter(meter, framesPerReading(line))
  }, 0)
}

function lostOfMeter({ answers, readings, due }: MeterAccount, frames: number): number {
  const byClock = Math.max(0, Math.floor(due * (1 - LATE_SHARE)) - LATE_READINGS - readings)
  // One more may be in the hub's hands.
  return Math.max(byClock, Math.floor(answers / frames) - readings - 1, readings === 0 ? 1 : 0)
}

/** Never more than it is: each reading that was seen had been answered before. */
function framesPerReading(line: readonly MeterAccount[]): number {
  const shares = line.map(({ answers, readingsThen }) => Math.floor(answers / Math.max(1, readingsThen)))
  return Math.max(1, Math.min(...shares))
}
