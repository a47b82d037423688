import type { Clock } from '../contract/clock.ts'
import { EVENT_CLASSES, type EventClass, type NewEvent } from '../contract/event.ts'
import { isFault } from '../contract/fault.ts'
import type { Figure } from '../contract/figure.ts'
import type { Now } from './ageing.ts'
import type { KeepingReport } from './keeper.ts'
import { RESERVED_PARTS } from './retention.ts'
import type { Calls } from './service.ts'

type Tended = Calls['tend'][1]

/** Without anything that asks for it the log is looked after so often: what goes by age may go a little later. */
const EVERY_MS = 600_000
/** A class that loses what somebody still had to get is told at once, and then at most so often. */
const TOLD_EVERY_MS = 24 * 3_600_000

export interface UpkeepHandlers {
  /** One step in the worker; rejects when the disk does. */
  tend(now: Now): Promise<Tended>
  /** Keep an event of the log itself. */
  append(event: NewEvent): Promise<unknown>
}

/** Has the worker let go of what is old or too much: one small step after the other, and between two of them whoever waits. */
export class Upkeep {
  readonly #clock: Clock
  readonly #handlers: UpkeepHandlers
  readonly #lost = new Map<EventClass, number>()
  readonly #toldMonoMs = new Map<EventClass, number>()
  #working = false
  #stopped = false
  #cancel: (() => void) | undefined
  #report: KeepingReport | undefined

  constructor(clock: Clock, handlers: UpkeepHandlers) {
    this.#clock = clock
    this.#handlers = handlers
    this.nudge()
  }

  /** There may be something to do now. */
  nudge(): void {
    if (this.#working || this.#stopped) return
    this.#cancel?.()
    this.#working = true
    void this.#work().finally(() => {
      this.#working = false
      if (!this.#stopped) this.#cancel = this.#clock.after(EVERY_MS, () => this.nudge())
    })
  }

  stop(): void {
    this.#stopped = true
    this.#cancel?.()
  }

  async #work(): Promise<void> {
    try {
      for (let more = true; more && !this.#stopped; ) {
        const tended = await this.#handlers.tend(this.#now())
        for (const name of EVENT_CLASSES) this.#note(name, tended.unconfirmed[name] ?? 0)
        more = tended.more
      }
      for (const name of EVENT_CLASSES) await this.#tellLost(name)
    } catch (error) {
      // Whoever asked the worker has told of it; the next round comes by itself.
      if (!isFault(error) && !this.#stopped) throw error
    }
  }

  #now(): Now {
    const { wallMs, monoMs, state } = nowOf(this.#clock)
    return { wallMs, monoMs, trusted: state === 'synced' || state === 'holdover' }
  }

  #note(name: EventClass, events: number): void {
    if (events > 0) this.#lost.set(name, (this.#lost.get(name) ?? 0) + events)
  }

  async #tellLost(name: EventClass): Promise<void> {
    const count = this.#lost.get(name) ?? 0
    const { wallMs, monoMs, state } = nowOf(this.#clock)
    if (count === 0 || monoMs - (this.#toldMonoMs.get(name) ?? Number.NEGATIVE_INFINITY) < TOLD_EVERY_MS) return
    const reason = 'no room: evicted before every consumer that must have them had confirmed them'
    await this.#handlers.append({
      class: 'alarm',
      type: 'linli.log.evicted-unconfirmed',
      source: '',
      privacy: 'public',
      monoMs,
      wallMs,
      clock: state,
      body: JSON.stringify({ class: name, count, reason }),
    })
    this.#lost.delete(name)
    this.#toldMonoMs.set(name, monoMs)
  }

  reported(report: KeepingReport | undefined): void {
    this.#report = report
  }

  figures(): Figure[] {
    const report = this.#report
    if (report === undefined) return []
    const { classes, usedBytes, roomBytes } = report
    const now = this.#now()
    const figures: Figure[] = [
      gauge('linli_log_used_bytes', 'Bytes of the database that are in use.', usedBytes),
      gauge('linli_log_room_bytes', 'Bytes that the database may grow to.', roomBytes),
    ]
    for (const name of EVENT_CLASSES) {
      const { rows, bytes, oldestMs, evicted } = classes[name]
      const labels = { class: name }
      figures.push(
        { ...gauge('linli_log_class_bytes', 'Bytes that the rows of a class take, about.', bytes), labels },
        { ...gauge('linli_log_class_rows', 'Rows of a class.', rows), labels },
        {
          ...gauge(
            'linli_log_reserved_bytes',
            'Bytes that a class never loses to another one.',
            Math.floor(roomBytes * RESERVED_PARTS[name]),
          ),
          labels,
        },
      )
      if (oldestMs !== undefined && now.trusted) {
        const ageS = Math.max(0, (now.wallMs - oldestMs) / 1000)
        figures.push({ ...gauge('linli_log_oldest_age_seconds', 'Age of the oldest event of a class.', ageS), labels })
      }
      for (const why of ['age', 'size'] as const) {
        const help = 'Events let go of since the log was opened.'
        const counted = { name: 'linli_log_evicted_events_total', help, kind: 'counter' as const }
        figures.push({ ...counted, labels: { ...labels, why }, value: evicted[why] })
      }
    }
    return figures
  }
}

function nowOf(clock: Clock) {
  return { wallMs: clock.wallMs(), monoMs: clock.monoMs(), state: clock.state() }
}

function gauge(name: string, help: string, value: number): Figure {
  return { name, help, kind: 'gauge', value }
}
