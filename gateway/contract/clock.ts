/** Time as a parameter: the real one is `gateway/io/clock.ts`, the virtual one `hardware-sim/clock.ts`. */

/**
 * How far wall time can be trusted. `never`: not set since the box was made. `unsynced`: set once, by nobody
 * we trust. `holdover`: was synced in this boot, the source is away. `synced`: a time source agrees now.
 */
export type ClockState = 'never' | 'unsynced' | 'holdover' | 'synced'
/** From the least that can be said of it to the most. */
export const CLOCK_STATES: readonly ClockState[] = ['never', 'unsynced', 'holdover', 'synced']

/** Whether a time source vouches for the wall clock in this state. */
export function isTrusted(state: ClockState): boolean {
  return state === 'synced' || state === 'holdover'
}

/** What the machine says of its clocks at one moment. */
export interface MachineTime {
  readonly wallMs: number
  readonly monoMs: number
  /** Its kernel says that a time source keeps the wall clock in step. */
  readonly vouched: boolean
  /** By how much the kernel thinks the wall clock may be wrong by now; it grows from one word of the source to the next. */
  readonly errorMaxMs: number
}

export interface Clock {
  /** Milliseconds since 1970 by the wall clock, which may jump. Never used for order, deadlines or expiry. */
  wallMs(): number
  /** Milliseconds, with fractions, on a clock that never jumps and never goes back; zero is arbitrary. */
  monoMs(): number
  state(): ClockState
  /** Resolves after `ms`; rejects with `signal.reason` when the signal aborts first. Leaves no listener behind. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** Calls `run` once after `ms`; the function returned cancels it. */
  after(ms: number, run: () => void): () => void
}
