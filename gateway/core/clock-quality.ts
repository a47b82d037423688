import type { ClockState, MachineTime } from '../contract/clock.ts'

/** A wall clock before this was never set: no hub existed then. */
const BUILT_MS = Date.UTC(2026, 10, 1)
/**
 * The kernel lets its bound of the error grow by half a millisecond a second. A source that speaks at least every 34
 * minutes (systemd-timesyncd) or 17 (chrony) keeps it below this; above it the source is away.
 */
const SYNCED_ERROR_MAX_MS = 2000
/** A crystal that is off by 50 millionths is half a minute wrong by then. */
const HOLDOVER_MAX_MS = 7 * 24 * 3_600_000
/** A wall clock that moved by more than this against the monotonic one was set. */
export const STEP_MS = 1000

/** What is known of the wall clock, and what it is known from. */
export interface Quality {
  readonly state: ClockState
  /** Wall time less monotonic time, when it was looked at last. */
  readonly offsetMs: number
  /** When a source vouched for it last, while nobody else has set it since. */
  readonly syncedMonoMs?: number
}

/**
 * How far the wall clock can be trusted now.
 * @param before what was known of it at the look before; undefined at the first one
 * @param floorMs the newest time that the hub knows to be past. A clock that says less has lost its time, as every
 *   clock without a battery does; but a time source is believed, for the log may have heard a wrong one before.
 */
export function qualityOf(before: Quality | undefined, now: MachineTime, floorMs: number): Quality {
  const offsetMs = now.wallMs - now.monoMs
  if (now.wallMs < BUILT_MS) return { state: 'never', offsetMs }
  if (now.vouched && now.errorMaxMs <= SYNCED_ERROR_MAX_MS) {
    return { state: 'synced', offsetMs, syncedMonoMs: now.monoMs }
  }
  const stepped = before !== undefined && Math.abs(offsetMs - before.offsetMs) > STEP_MS
  if (now.vouched) {
    // The kernel takes its word back when it is set by somebody else, so nobody has.
    return { state: 'holdover', offsetMs, syncedMonoMs: before?.syncedMonoMs ?? now.monoMs }
  }
  const syncedMonoMs = stepped ? undefined : before?.syncedMonoMs
  if (syncedMonoMs !== undefined && now.monoMs - syncedMonoMs <= HOLDOVER_MAX_MS) {
    return { state: 'holdover', offsetMs, syncedMonoMs }
  }
  return { state: now.wallMs < floorMs ? 'never' : 'unsynced', offsetMs }
}

/** The quality of one machine's clock, from look to look. */
export class ClockQuality {
  #quality: Quality | undefined
  #floorMs = BUILT_MS

  /** What is to be said of the clock now. */
  readonly judge = (now: MachineTime): ClockState => {
    this.#quality = qualityOf(this.#quality, now, this.#floorMs)
    return this.#quality.state
  }

  /** This time is past: an event of it stands in the log. */
  notBefore(wallMs: number | undefined): void {
    this.#floorMs = Math.max(this.#floorMs, wallMs ?? BUILT_MS)
  }

  /** How long ago a time source vouched for the clock; undefined when none did since it was set. */
  sinceSyncMs(monoMs: number): number | undefined {
    const syncedMonoMs = this.#quality?.syncedMonoMs
    return syncedMonoMs === undefined ? undefined : Math.max(0, monoMs - syncedMonoMs)
  }
}
