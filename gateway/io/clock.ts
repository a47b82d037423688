import { existsSync } from 'node:fs'
import type { Clock, ClockState } from '../contract/clock.ts'
import { clockState, isKernelSynced } from './clock-state.ts'

/** A wall clock before this was never set: no hub existed then. */
const BUILT_MS = Date.UTC(2026, 10, 1)
/** systemd-timesyncd touches this file when it has synchronised in this boot (systemd-timesyncd.service(8)). */
const SYNCHRONIZED_FILE = '/run/systemd/timesync/synchronized'
const STATE_KEPT_MS = 1000

/** The machine's clocks. */
export function createClock(): Clock {
  let state: ClockState = 'unsynced'
  let syncedOnce = false
  let lookedMonoMs = Number.NEGATIVE_INFINITY
  const clock: Clock = {
    wallMs: () => Date.now(),
    monoMs: () => performance.now(),
    state() {
      if (performance.now() - lookedMonoMs >= STATE_KEPT_MS) {
        lookedMonoMs = performance.now()
        state = look(syncedOnce)
        syncedOnce ||= state === 'synced'
      }
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

function look(syncedOnce: boolean): ClockState {
  return clockState(
    {
      wallMs: Date.now(),
      kernelSynced: isKernelSynced(),
      syncedInThisBoot: syncedOnce || existsSync(SYNCHRONIZED_FILE),
    },
    BUILT_MS,
  )
}
