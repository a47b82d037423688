import type { Clock } from '../contract/clock.ts'
import type { Store } from '../store/store.ts'

/** Beats in the time that systemd waits for one: two may be late. */
const BEATS_A_WATCHDOG = 3

/** Whoever waits for beats, if anybody does. */
export interface Watchdog {
  readonly watchdogMs: number | undefined
  beat(): void
}

/** Feed the watchdog while this loop turns and the writer of the log answers; and only then. */
export function beat(store: Pick<Store, 'ping'>, notifier: Watchdog, clock: Clock, signal: AbortSignal): void {
  const { watchdogMs } = notifier
  if (watchdogMs === undefined) return
  const next = async (): Promise<void> => {
    while (!signal.aborted) {
      await store.ping()
      notifier.beat()
      await clock.sleep(watchdogMs / BEATS_A_WATCHDOG, signal)
    }
  }
  // A dead store ends the process on its own; an abort is the end of beating.
  next().catch(() => undefined)
}
