import type { Clock, ClockState, MachineTime } from '../contract/clock.ts'
import { kernelTimeReader } from './kernel-time.ts'

/** What was found out about the wall clock holds for so long, unless it was set meanwhile. */
const STATE_KEPT_MS = 1000
const SET_MS = 500

/**
 * The machine's clocks. Monotonic time is CLOCK_MONOTONIC, which stands still while a machine sleeps, as timers do; a
 * hub never sleeps, and where one does, the wall clock has jumped afterwards, and that is told.
 * @param judge says how far the wall clock can be trusted (`core/clock-quality.ts`); not at all, when left out
 */
export function createClock(judge?: (now: MachineTime) => ClockState): Clock {
  let state: ClockState = 'unsynced'
  let looked: { readonly monoMs: number; readonly offsetMs: number } | undefined
  const kernelTime = judge === undefined ? undefined : kernelTimeReader()
  const clock: Clock = {
    wallMs: () => Date.now(),
    monoMs: () => performance.now(),
    state() {
      if (judge === undefined || kernelTime === undefined) return state
      const [wallMs, monoMs] = [Date.now(), performance.now()]
      const offsetMs = wallMs - monoMs
      const fresh = looked !== undefined && monoMs - looked.monoMs < STATE_KEPT_MS
      if (fresh && Math.abs(offsetMs - looked!.offsetMs) < SET_MS) return state
      looked = { monoMs, offsetMs }
      state = judge({ wallMs, monoMs, ...kernelTime() })
      return state
    },
    sleep(ms, signal) {
      return new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason)
        const onAbort = (): void => {
          clearTimeout(timer)
          reject(signal?.reason)
        }
        const timer = setTimeout(
          () => {
            signal?.removeEventListener('abort', onAbort)
            resolve()
          },
          Math.max(0, ms),
        )
        signal?.addEventListener('abort', onAbort, { once: true })
      })
    },
    after(ms, run) {
      const timer = setTimeout(run, Math.max(0, ms))
      return () => clearTimeout(timer)
    },
  }
  return clock
}
