import type { ClockState } from './clock.ts'

/** What an event is about; retention, priority upstream and rights go by it. */
export const EVENT_CLASSES = ['telemetry', 'status', 'alarm', 'audit'] as const
export type EventClass = (typeof EVENT_CLASSES)[number]

/** Who may see it: anybody with a right, those who may see a flat's life, those who may see a person. */
export const PRIVACY_LEVELS = ['public', 'personal', 'sensitive'] as const
export type Privacy = (typeof PRIVACY_LEVELS)[number]

export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json | undefined }

/**
 * A value that must never be stored, logged or sent as it is: a card number, a PIN. `emit` puts its keyed
 * hash in its place. Printing one shows nothing.
 */
export class Sensitive {
  readonly #value: string
  constructor(value: string) {
    this.#value = value
  }
  reveal(): string {
    return this.#value
  }
  toJSON(): string {
    return '[sensitive]'
  }
}

export type SeenData = { readonly [name: string]: Json | Sensitive | undefined }

/** What a driver saw, before it is an event. */
export interface Seen {
  /** The device it is about; left out when it is about the connection itself. */
  readonly device?: string
  /** Such as `linli.meter.reading`. */
  readonly type: string
  readonly class: EventClass
  readonly privacy: Privacy
  /** When the world spoke, on `Clock.monoMs` (not when it was stored). */
  readonly monoMs: number
  readonly data: SeenData
}

/** An event about to be appended: everything but its place in the log. */
export interface NewEvent {
  readonly class: EventClass
  readonly type: string
  /** Path below the hub: `devices/meter-301` or `connections/line-1` or `` for the hub itself. */
  readonly source: string
  readonly privacy: Privacy
  readonly monoMs: number
  readonly wallMs: number
  readonly clock: ClockState
  /** The JSON text of `data`, serialised once; these very characters go to disk, MQTT and HTTP. */
  readonly body: string
}

/** An event that is in the log. `epoch` names the log, `seq` its place: together with the hub id its identity. */
export interface StoredEvent extends NewEvent {
  readonly kind: 'event'
  readonly epoch: string
  readonly seq: number
}

/** Why events are missing from the log. */
export type GapReason = 'evicted' | 'thinned' | 'corrupt' | 'quarantined' | 'lost-edges' | 'epoch-change'

/** An announced hole: everything of these classes from `fromSeq` to `toSeq`, both included, that is not delivered. */
export interface Gap {
  readonly kind: 'gap'
  readonly epoch: string
  readonly fromSeq: number
  readonly toSeq: number
  readonly reason: GapReason
  /** How many events of each class are missing; a class that is not named misses none. */
  readonly counts: Partial<Record<EventClass, number>>
  /** Wall time of the first and last missing event, where known. */
  readonly firstMs?: number
  readonly lastMs?: number
}

/** What a consumer reads, in order of `seq` (a gap stands where its first missing event stood). */
export type Entry = StoredEvent | Gap
