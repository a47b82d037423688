import { type Clock, type ClockState, isTrusted } from '../contract/clock.ts'
import type { Seen } from '../contract/event.ts'
import { isFault } from '../contract/fault.ts'
import type { Figure } from '../contract/figure.ts'
import type { Log } from '../contract/log.ts'
import type { Store } from '../store/store.ts'
import type { Recorder } from './recorder.ts'

const LOOK_MS = 1000
/** A wall clock that moved further than this against the monotonic one between two looks was set; less is slewing. */
const STEP_MS = 1000

export interface ClockWatchParts {
  readonly clock: Clock
  readonly store: Pick<Store, 'fixClock'>
  readonly recorder: Pick<Recorder, 'commit'>
  readonly log: Log
  readonly signal: AbortSignal
}

/**
 * Watches the wall clock. When it is found for the first time in this run, the times of what was recorded before are
 * corrected in the log; that, and every later step, is an event, for whoever has read the earlier times.
 */
export class ClockWatch {
  readonly #parts: ClockWatchParts
  #state: ClockState
  #offsetMs: number
  /** The clock was trusted from the start, or has been found since. */
  #found: boolean
  readonly #first: Look
  #stepMs = 0
  #untold: Seen[] = []
  readonly done: Promise<void>

  constructor(parts: ClockWatchParts) {
    const { clock } = parts
    this.#parts = parts
    this.#state = clock.state()
    this.#offsetMs = clock.wallMs() - clock.monoMs()
    this.#first = { state: this.#state, offsetMs: this.#offsetMs }
    this.#found = isTrusted(this.#state)
    this.done = this.#watch()
  }

  figures(): readonly Figure[] {
    return [
      {
        name: 'linli_clock_trusted',
        help: '1 while the wall clock is in step with a time source, or was in this boot.',
        kind: 'gauge',
        value: isTrusted(this.#parts.clock.state()) ? 1 : 0,
      },
      {
        name: 'linli_clock_step_seconds',
        help: 'By how much the wall clock was set last; 0 when it was not.',
        kind: 'gauge',
        value: this.#stepMs / 1000,
      },
    ]
  }

  async #watch(): Promise<void> {
    const { clock, signal } = this.#parts
    while (!signal.aborted) {
      try {
        await clock.sleep(LOOK_MS, signal)
        await this.#look()
      } catch (error) {
        if (signal.aborted) return
        // The storage tells its own trouble; the next look tries again.
        if (!isFault(error)) throw error
      }
    }
  }

  async #look(): Promise<void> {
    const { clock, store } = this.#parts
    const state = clock.state()
    const monoMs = clock.monoMs()
    const offsetMs = clock.wallMs() - monoMs
    const before = { state: this.#state, offsetMs: this.#offsetMs }
    if (isTrusted(state) && !this.#found) {
      await store.fixClock(offsetMs)
      this.#found = true
      // By what was recorded until now is wrong, also where somebody set it by hand in between.
      this.#note('linli.clock.set', this.#first, { state, offsetMs }, monoMs)
    } else if (Math.abs(offsetMs - before.offsetMs) > STEP_MS) {
      this.#note('linli.clock.step', before, { state, offsetMs }, monoMs)
    }
    this.#state = state
    this.#offsetMs = offsetMs
    await this.#tell()
  }

  #note(type: string, before: Look, after: Look, monoMs: number): void {
    this.#stepMs = after.offsetMs - before.offsetMs
    const data = {
      from: isoTime(before.offsetMs + monoMs),
      to: isoTime(after.offsetMs + monoMs),
      bySeconds: Math.round(this.#stepMs) / 1000,
      before: before.state,
      after: after.state,
    }
    this.#parts.log.info(type === 'linli.clock.set' ? 'the clock was found' : 'the clock was set', data)
    this.#untold.push({ type, class: 'audit', privacy: 'public', monoMs, data })
  }

  async #tell(): Promise<void> {
    if (this.#untold.length === 0) return
    await this.#parts.recorder.commit(this.#untold)
    this.#untold = []
  }
}

interface Look {
  readonly state: ClockState
  readonly offsetMs: number
}

/** A clock may show a year that no calendar has. */
function isoTime(wallMs: number): string {
  return Number.isFinite(wallMs) && Math.abs(wallMs) <= 8.64e15 ? new Date(wallMs).toISOString() : String(wallMs)
}
