import { type Clock, isTrusted } from '../contract/clock.ts'
import { EVENT_CLASSES, type EventClass, type Json, type NewEvent } from '../contract/event.ts'
import { isFault } from '../contract/fault.ts'
import type { Figure } from '../contract/figure.ts'
import type { Now } from './ageing.ts'
import type { DiskReport, DiskState } from './disk-watch.ts'
import { type KeepingReports, keepingFigures } from './keeping-figures.ts'
import type { News } from './news.ts'
import type { Calls } from './service.ts'

type Tended = Calls['tend'][1]

/** The log and the disk under it are looked after so often without anything that asks for it. */
const EVERY_MS = 60_000
/** A class that loses what somebody still had to get is told at once, and then at most so often. */
const TOLD_EVERY_MS = 24 * 3_600_000

/** Told when the room reserved for audit events is so full, and again after it was less than this. */
const AUDIT_TOLD_PART = 0.8
const AUDIT_WELL_PART = 0.7

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
  #report: KeepingReports = {}
  #toldDisk: DiskState = 'well'
  #seenDisk: DiskState = 'well'
  #toldAudit = false
  /** Of the log, for the chain of the audit events. */
  readonly #news: News[] = []

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
        this.#news.push(...tended.news)
        if (tended.disk !== undefined) await this.#tellDisk(tended.disk)
        await this.#tellAudit(tended.auditPart)
        more = tended.more
      }
      for (const name of EVENT_CLASSES) await this.#tellLost(name)
      for (let news = this.#news[0]; news !== undefined; news = this.#news[0]) {
        await this.#handlers.append(eventOf(this.#clock, 'audit', news.type, news.data))
        this.#news.shift()
      }
    } catch (error) {
      // Whoever asked the worker has told of it; the next round comes by itself.
      if (!isFault(error) && !this.#stopped) throw error
    }
  }

  #now(): Now {
    const trusted = isTrusted(this.#clock.state())
    return { wallMs: this.#clock.wallMs(), monoMs: this.#clock.monoMs(), trusted }
  }

  #note(name: EventClass, events: number): void {
    if (events > 0) this.#lost.set(name, (this.#lost.get(name) ?? 0) + events)
  }

  async #tellLost(name: EventClass): Promise<void> {
    const count = this.#lost.get(name) ?? 0
    const monoMs = this.#clock.monoMs()
    if (count === 0 || monoMs - (this.#toldMonoMs.get(name) ?? Number.NEGATIVE_INFINITY) < TOLD_EVERY_MS) return
    const reason = 'no room: evicted before every consumer that must have them had confirmed them'
    await this.#handlers.append(alarm(this.#clock, 'linli.log.evicted-unconfirmed', { class: name, count, reason }))
    this.#lost.delete(name)
    this.#toldMonoMs.set(name, monoMs)
  }

  /** Somebody should take away who did what before the oldest of it goes (IEC 62443-4-2, CR 2.9 RE 1). */
  async #tellAudit(part: number): Promise<void> {
    if (part < AUDIT_WELL_PART) this.#toldAudit = false
    if (part < AUDIT_TOLD_PART || this.#toldAudit) return
    const reason = 'the room reserved for who did what is almost full: export it, or give storage.maxSize more'
    await this.#handlers.append(alarm(this.#clock, 'linli.log.audit-room', { percent: Math.round(part * 100), reason }))
    this.#toldAudit = true
  }

  /** A disk that is full may not take the alarm either: then it is told of when it is well again. */
  async #tellDisk({ state, freeBytes }: DiskReport): Promise<void> {
    if (state === this.#toldDisk && state === this.#seenDisk) return
    const before = state === this.#seenDisk ? this.#toldDisk : this.#seenDisk
    this.#seenDisk = state
    await this.#handlers.append(
      alarm(this.#clock, 'linli.log.disk', { state, before, ...(freeBytes === undefined ? {} : { freeBytes }) }),
    )
    this.#toldDisk = state
  }

  /** How the disk was when it was looked at last. */
  get disk(): DiskState {
    return this.#seenDisk
  }

  /** What the worker said of itself when it was asked last. */
  reported(report: KeepingReports): void {
    this.#report = report
  }

  figures(): Figure[] {
    const now = this.#now()
    return keepingFigures(this.#report, now.trusted ? now.wallMs : undefined)
  }
}

function alarm(clock: Clock, type: string, data: Readonly<Record<string, Json>>): NewEvent {
  return eventOf(clock, 'alarm', type, data)
}

/** An event of the log itself. */
function eventOf(clock: Clock, name: EventClass, type: string, data: object): NewEvent {
  return {
    class: name,
    type,
    source: '',
    privacy: 'public',
    monoMs: clock.monoMs(),
    wallMs: clock.wallMs(),
    clock: clock.state(),
    body: JSON.stringify(data),
  }
}
