/** Time as a parameter: the real one is `gateway/io/clock.ts`, the virtual one `hardware-sim/clock.ts`. */

/**
 * How far wall time can be trusted. `never`: not set since the box was made. `unsynced`: set once, by nobody
 * we trust. `holdover`: was synced in this boot, the source is away. `synced`: a time source agrees now.
 */
export type ClockState = 'never' | 'unsynced' | 'holdover' | 'synced'

/** Whether a time source vouches for the wall clock in this state. */
export function isTrusted(state: ClockState): boolean {
  return state === 'synced' || state === 'holdover'
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
