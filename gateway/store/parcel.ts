import type { ClockState } from '../contract/clock.ts'
import type { EventClass, NewEvent, Privacy, StoredEvent } from '../contract/event.ts'

/**
 * Events in flat form, as they cross between the threads: one string of all bodies and one array of numbers. A
 * structured clone of the objects themselves costs about five times as much as the whole commit.
 */
export interface Parcel {
  /** `COLUMNS` numbers an event, in order of the log. */
  readonly rows: Float64Array<ArrayBuffer>
  /** The bodies one after another, without a separator. */
  readonly text: string
}

/** What many events have in common. Events of a parcel name theirs by its place in a list. */
export interface Stream {
  readonly class: EventClass
  readonly type: string
  readonly source: string
  readonly privacy: Privacy
  readonly clock: ClockState
}

/** The numbers of an event: stream, place in the log, wall time in ms, monotonic time in us, body length in UTF-16 units. */
export const COLUMNS = 5
export const STREAM = 0
export const SEQ = 1
export const WALL_MS = 2
export const MONO_US = 3
export const CHARS = 4

/**
 * A longer text is begun anew: V8 gives a string of more than 128 KiB pages of its own, two bytes a character where one is not
 * ASCII, and asks the system for them each time. That took longer than the commit.
 */
const PARCEL_CHARS_MAX = 60_000

/** Times of the form that the log keeps: whole milliseconds by the wall, whole microseconds otherwise. */
const TIME_MAX = 2 ** 50
/** The other side's list of streams is begun anew behind so many, so that made-up device names can't fill the memory. */
const STREAMS_MAX = 8192

/** The event with its times rounded to what is kept and its body fit for UTF-8; throws RangeError on times that are no times. */
export function normalized(event: NewEvent): NewEvent {
  const wallMs = Math.floor(event.wallMs)
  const monoMs = Math.round(event.monoMs * 1000) / 1000
  const body = event.body.isWellFormed() ? event.body : event.body.toWellFormed()
  if (!(Math.abs(wallMs) <= TIME_MAX && Math.abs(monoMs * 1000) <= TIME_MAX)) {
    throw new RangeError(`an event with wallMs ${event.wallMs} and monoMs ${event.monoMs} has no place in time`)
  }
  if (wallMs === event.wallMs && monoMs === event.monoMs && body === event.body) return event
  return { ...event, wallMs, monoMs, body }
}

/** The sender's list of streams: a stream is told once and then named by number. */
export class StreamBook {
  readonly #bySource = new Map<string, { readonly id: number; readonly stream: Stream }[]>()
  #size = 0
  #fresh: Stream[] = []
  /** A new book begins with telling the other side to forget what it heard from an older one. */
  #restart = true

  id(event: NewEvent): number {
    const known = this.#bySource.get(event.source)
    if (known !== undefined) {
      for (const { id, stream } of known) {
        if (
          stream.type === event.type &&
          stream.class === event.class &&
          stream.privacy === event.privacy &&
          stream.clock === event.clock
        ) {
          return id
        }
      }
    }
    const { class: eventClass, type, source, privacy, clock } = event
    const entry = { id: this.#size, stream: { class: eventClass, type, source, privacy, clock } }
    if (known === undefined) this.#bySource.set(source, [entry])
    else known.push(entry)
    this.#size += 1
    this.#fresh.push(entry.stream)
    return entry.id
  }

  /** Call between two parcels: begins a new list when the old one has grown too long. */
  turnPage(): void {
    if (this.#size < STREAMS_MAX) return
    this.#bySource.clear()
    this.#size = 0
    this.#restart = true
  }

  /** What the other side has not been told yet: `restart` asks it to forget its list first. */
  takeFresh(): { readonly restart: boolean; readonly streams: readonly Stream[] } {
    const told = { restart: this.#restart, streams: this.#fresh }
    this.#restart = false
    this.#fresh = []
    return told
  }
}

/**
 * Events in order, in one parcel or several.
 * @param events normalised; their places in the log are not known yet and stand as 0
 */
export function packEvents(events: readonly NewEvent[], book: StreamBook): Parcel[] {
  const parcels: Parcel[] = []
  for (let from = 0; from < events.length; ) {
    let to = from
    for (let chars = 0; to < events.length && (to === from || chars < PARCEL_CHARS_MAX); to++) {
      chars += events[to]!.body.length
    }
    parcels.push(packed(events.slice(from, to), book))
    from = to
  }
  return parcels
}

function packed(events: readonly NewEvent[], book: StreamBook): Parcel {
  const rows = new Float64Array(events.length * COLUMNS)
  let text = ''
  let at = 0
  for (const event of events) {
    rows[at + STREAM] = book.id(event)
    rows[at + WALL_MS] = event.wallMs
    rows[at + MONO_US] = Math.round(event.monoMs * 1000)
    rows[at + CHARS] = event.body.length
    text += event.body
    at += COLUMNS
  }
  return { rows, text }
}

/** The events of a list, each at its place in the log. */
export function unpackEvents({ rows, text }: Parcel, streams: readonly Stream[], epoch: string): StoredEvent[] {
  const events: StoredEvent[] = []
  let start = 0
  for (let at = 0; at < rows.length; at += COLUMNS) {
    const stream = streams[rows[at + STREAM]!]!
    const end = start + rows[at + CHARS]!
    events.push({
      kind: 'event',
      epoch,
      seq: rows[at + SEQ]!,
      class: stream.class,
      type: stream.type,
      source: stream.source,
      privacy: stream.privacy,
      monoMs: rows[at + MONO_US]! / 1000,
      wallMs: rows[at + WALL_MS]!,
      clock: stream.clock,
      body: text.slice(start, end),
    })
    start = end
  }
  return events
}

/** The same shape of object as `unpackEvents` makes, so that both kinds of reading run the same machine code. */
export function stored(event: NewEvent, epoch: string, seq: number): StoredEvent {
  return {
    kind: 'event',
    epoch,
    seq,
    class: event.class,
    type: event.type,
    source: event.source,
    privacy: event.privacy,
    monoMs: event.monoMs,
    wallMs: event.wallMs,
    clock: event.clock,
    body: event.body,
  }
}
