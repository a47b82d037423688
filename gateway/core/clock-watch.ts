import { CLOCK_STATES, type Clock, type ClockState, isTrusted } from '../contract/clock.ts'
import type { NewEvent } from '../contract/event.ts'
import { isFault } from '../contract/fault.ts'
import type { Figure } from '../contract/figure.ts'
import type { Log } from '../contract/log.ts'
import type { OpenedClock } from '../store/clock-fixes.ts'
import type { Store } from '../store/store.ts'
import { type ClockQuality, STEP_MS } from './clock-quality.ts'

const LOOK_MS = 1000
/** No drift and no leap second: whoever sets a clock so far that was trusted should be looked at. */
const ALARMING_STEP_MS = 3_600_000

export interface ClockWatchParts {
  readonly clock: Clock
  readonly quality: Pick<ClockQuality, 'sinceSyncMs'>
  readonly store: Pick<Store, 'fixClock' | 'append'>
  /** What earlier runs in this boot of the machine found, or did not. */
  readonly known: Pick<OpenedClock, 'offsetMs' | 'unfound'>
  readonly log: Log
  readonly signal: AbortSignal
}

/** What the clock looked like at one moment. */
interface Look {
  readonly state: ClockState
  /** Wall time less monotonic time. */
  readonly offsetMs: number
}

/**
 * Watches the wall clock. When it is found, the times of what was recorded before are corrected in the log; when a
 * clock that is trusted is set later, they follow it, for the newest word of a time source is the best. Each of these,
 * and every other step, is an event, for whoever has read the earlier times; a correction is never without its event.
 */
export class ClockWatch {
  readonly #parts: ClockWatchParts
  #before: Look
  /** Since when nobody vouches for the clock; undefined while somebody does. */
  #lost: Look | undefined
  #stepMs = 0
  #untold: NewEvent[] = []
  readonly done: Promise<void>

  constructor(parts: ClockWatchParts) {
    this.#parts = parts
    const now = this.#now()
    // Somebody may have set it while no hub ran.
    this.#before = { state: now.state, offsetMs: parts.known.offsetMs ?? now.offsetMs }
    if (!isTrusted(now.state)) this.#lost = this.#before
    else if (parts.known.unfound) this.#lost = { ...now, state: 'unsynced' }
    this.done = this.#watch()
  }

  figures(): readonly Figure[] {
    return figuresOf(this.#parts.clock.state(), this.#stepMs, this.#sinceSyncMs())
  }

  /** What `/healthz` tells beside the state. */
  health(): { readonly lastStepSeconds: number; readonly sinceSyncSeconds?: number } {
    const sinceSyncMs = this.#sinceSyncMs()
    const lastStepSeconds = this.#stepMs / 1000
    return {
      lastStepSeconds,
      ...(sinceSyncMs === undefined ? {} : { sinceSyncSeconds: Math.floor(sinceSyncMs / 1000) }),
    }
  }

  #sinceSyncMs(): number | undefined {
    const { clock, quality } = this.#parts
    return quality.sinceSyncMs(clock.monoMs())
  }

  #now(): Look {
    const { clock } = this.#parts
    return { state: clock.state(), offsetMs: clock.wallMs() - clock.monoMs() }
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
    const { store } = this.#parts
    const now = this.#now()
    const stepped = Math.abs(now.offsetMs - this.#before.offsetMs) > STEP_MS
    if (isTrusted(now.state)) {
      if (this.#lost !== undefined) {
        await store.fixClock(now.offsetMs, this.#event('linli.clock.set', this.#lost, now))
        this.#note(this.#lost, now)
        this.#lost = undefined
      } else if (stepped) {
        await store.fixClock(now.offsetMs, this.#event('linli.clock.step', this.#before, now))
        this.#stepped(this.#before, now)
      }
    } else {
      this.#lost ??= now
      if (stepped) {
        this.#untold.push(this.#event('linli.clock.step', this.#before, now))
        this.#stepped(this.#before, now)
      }
    }
    this.#before = now
    if (this.#untold.length === 0) return
    await store.append(this.#untold)
    this.#untold = []
  }

  /** It is in the log, or on the way; whoever looks at alarms only has to hear of a large one, too. */
  #stepped(before: Look, after: Look): void {
    this.#note(before, after)
    const far = Math.abs(after.offsetMs - before.offsetMs) >= ALARMING_STEP_MS
    if (far) this.#untold.push({ ...this.#event('linli.clock.jump', before, after), class: 'alarm' })
  }

  #event(type: string, before: Look, after: Look): NewEvent {
    const monoMs = this.#parts.clock.monoMs()
    return {
      class: 'audit',
      type,
      source: '',
      privacy: 'public',
      monoMs,
      wallMs: monoMs + after.offsetMs,
      clock: after.state,
      body: JSON.stringify(changeOf(before, after, monoMs)),
    }
  }

  #note(before: Look, after: Look): void {
    const { clock, log } = this.#parts
    this.#stepMs = after.offsetMs - before.offsetMs
    log.info('the clock was set', changeOf(before, after, clock.monoMs()))
  }
}

function changeOf(before: Look, after: Look, monoMs: number): Readonly<Record<string, string | number>> {
  return {
    from: isoTime(before.offsetMs + monoMs),
    to: isoTime(after.offsetMs + monoMs),
    bySeconds: Math.round(after.offsetMs - before.offsetMs) / 1000,
    before: before.state,
    after: after.state,
  }
}

function figuresOf(state: ClockState, stepMs: number, sinceSyncMs: number | undefined): readonly Figure[] {
  const figures: Figure[] = CLOCK_STATES.map((each) => ({
    name: 'linli_clock_state',
    help: 'How far the wall clock can be trusted: 1 at the state that holds.',
    kind: 'gauge',
    labels: { state: each },
    value: each === state ? 1 : 0,
  }))
  figures.push({
    name: 'linli_clock_step_seconds',
    help: 'By how much the wall clock was set last; 0 when it was not.',
    kind: 'gauge',
    value: stepMs / 1000,
  })
  if (sinceSyncMs === undefined) return figures
  figures.push({
    name: 'linli_clock_since_sync_seconds',
    help: 'How long ago a time source vouched for the wall clock; missing when none has since it was set.',
    kind: 'gauge',
    value: sinceSyncMs / 1000,
  })
  return figures
}

/** A clock may show a year that no calendar has. */
function isoTime(wallMs: number): string {
  return Number.isFinite(wallMs) && Math.abs(wallMs) <= 8.64e15 ? new Date(wallMs).toISOString() : String(wallMs)
}
