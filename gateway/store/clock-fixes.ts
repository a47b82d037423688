import { type ClockState, isTrusted } from '../contract/clock.ts'
import type { StoredEvent } from '../contract/event.ts'
import type { Events } from './collect.ts'
import { COLUMNS, MONO_US, STREAM, WALL_MS } from './parcel.ts'
import { recordCrc } from './schema.ts'
import type { Sqlite } from './sqlite.ts'

interface BootRecord {
  readonly id: number
  readonly from_seq: number
  readonly wall_ms: number
  readonly mono_us: number
  readonly clock: ClockState
  readonly kernel: string
  readonly uptime_s: number
  readonly crc: number
}

/** What the log knows of the time. */
export interface OpenedClock {
  /** Wall time less monotonic time of this run, where an earlier one in this boot of the machine found it. */
  readonly offsetMs: number | undefined
  /** An earlier run in this boot of the machine did not know the time, and it was never found. */
  readonly unfound: boolean
  /** The newest time that is known to be past. */
  readonly pastMs: number | undefined
}

/**
 * What the wall clock would have shown, had it been set: for each run of the hub the wall time at the zero of its
 * monotonic clock, once that was found. Events that were recorded before are corrected when they are read; what is
 * stored is never changed. Runs in one boot of the machine share its uptime, so one finding is good for all of them.
 */
export class ClockFixes {
  readonly #db: Sqlite
  readonly #boot: number
  readonly #offsetsMs = new Map<number, number>()

  /** @param boot the number of this run */
  constructor(db: Sqlite, boot: number) {
    this.#db = db
    this.#boot = boot
    this.load()
    this.#inherit()
  }

  /** Read what is kept; behind each transaction with a finding in it. */
  load(): void {
    this.#offsetsMs.clear()
    const records = this.#db.prepare<[], { boot: number; offset_ms: number; crc: number }>('SELECT * FROM clock_fix')
    for (const { boot: of, offset_ms: offsetMs, crc } of records.all()) {
      if (crc === recordCrc(of, offsetMs)) this.#offsetsMs.set(of, offsetMs)
    }
  }

  /** Wall time less monotonic time in a run; undefined where it was never found. */
  offsetMs(boot: number): number | undefined {
    return this.#offsetsMs.get(boot)
  }

  /** It was found in this run, or found anew. Call within a transaction, and `load` behind it. */
  found(offsetMs: number): void {
    this.#put(this.#boot, offsetMs)
    const { own, others } = this.#sameMachineBoot()
    if (own === undefined) return
    for (const run of others) this.#put(run.id, carried(own, offsetMs, run))
  }

  /** Whether an earlier run in this boot of the machine did not know the time, and it was not found since. */
  unfound(): boolean {
    return this.#sameMachineBoot().others.some(({ id, clock }) => !isTrusted(clock) && !this.#offsetsMs.has(id))
  }

  /** An earlier run in this boot of the machine may have found it. */
  #inherit(): void {
    if (this.#offsetsMs.has(this.#boot) || this.#offsetsMs.size === 0) return
    const { own, others } = this.#sameMachineBoot()
    const found = others.findLast(({ id }) => this.#offsetsMs.has(id))
    if (own === undefined || found === undefined) return
    this.#put(own.id, carried(found, this.#offsetsMs.get(found.id)!, own))
    this.load()
  }

  #put(boot: number, offsetMs: number): void {
    const rounded = Math.round(offsetMs * 1000) / 1000
    this.#db.prepare('INSERT OR REPLACE INTO clock_fix VALUES (?, ?, ?)').run(boot, rounded, recordCrc(boot, rounded))
  }

  /** This run, and the others in the same start of the machine, oldest first; none where that start has no name. */
  #sameMachineBoot(): { readonly own: BootRecord | undefined; readonly others: readonly BootRecord[] } {
    const whole = this.#db
      .prepare<[number], BootRecord>(
        `SELECT * FROM boot WHERE kernel <> '' AND kernel = (SELECT kernel FROM boot WHERE id = ?) ORDER BY id`,
      )
      .all(this.#boot)
      .filter(
        ({ id, from_seq, wall_ms, mono_us, clock, kernel, uptime_s, crc }) =>
          crc === recordCrc(id, from_seq, wall_ms, mono_us, clock, kernel, uptime_s),
      )
    const own = whole.find(({ id }) => id === this.#boot)
    return { own, others: own === undefined ? [] : whole.filter((run) => run !== own) }
  }
}

/** The offset of one run from that of another, by the uptime of the machine at which each was opened. */
function carried(from: BootRecord, offsetMs: number, to: BootRecord): number {
  const atUptimeZeroMs = offsetMs + from.mono_us / 1000 - from.uptime_s * 1000
  return atUptimeZeroMs + to.uptime_s * 1000 - to.mono_us / 1000
}

/** An event as it is read: with the time that the clock would have shown. It was not set then, so it is held over. */
export function correctedEvent(event: StoredEvent, offsetMs: number | undefined): StoredEvent {
  if (offsetMs === undefined || isTrusted(event.clock)) return event
  return { ...event, wallMs: wallMsAt(offsetMs, event.monoMs), clock: 'holdover' }
}

/** The same for a row of events. */
export function correctedEvents(events: Events, offsetMs: number | undefined): Events {
  if (offsetMs === undefined || events.streams.every(({ clock }) => isTrusted(clock))) return events
  const rows = events.rows.slice()
  for (let at = 0; at < rows.length; at += COLUMNS) {
    if (isTrusted(events.streams[rows[at + STREAM]!]!.clock)) continue
    rows[at + WALL_MS] = wallMsAt(offsetMs, rows[at + MONO_US]! / 1000)
  }
  const streams = events.streams.map((stream) =>
    isTrusted(stream.clock) ? stream : { ...stream, clock: 'holdover' as const },
  )
  return { rows, streams, text: events.text }
}

function wallMsAt(offsetMs: number, monoMs: number): number {
  return Math.floor(offsetMs + monoMs)
}
