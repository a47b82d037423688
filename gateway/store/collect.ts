import { CHARS, COLUMNS, MONO_US, SEQ, STREAM, type Stream, WALL_MS } from './parcel.ts'

/** Events in flat form with their streams: `COLUMNS` numbers each, streams named by their place in the list. */
export interface Events {
  readonly rows: Float64Array<ArrayBuffer>
  readonly streams: readonly Stream[]
  readonly text: string
}

/** Picks events out of flat lists into a new one. Texts that were neighbours are copied in one piece. */
export class Collector {
  #numbers: number[] = []
  #streams: Stream[] = []
  #places = new Map<Stream, number>()
  #text = ''
  #chars = 0
  /** The piece that belongs to the result and was not copied yet. */
  #source = ''
  #from = 0
  #to = 0

  get count(): number {
    return this.#numbers.length / COLUMNS
  }

  /** Length of all bodies in UTF-16 units. */
  get chars(): number {
    return this.#chars
  }

  /** @param at where the event's numbers begin; its body is `text` from `start` on */
  add(rows: Float64Array, at: number, seq: number, stream: Stream, text: string, start: number): void {
    let place = this.#places.get(stream)
    if (place === undefined) {
      place = this.#streams.length
      this.#places.set(stream, place)
      this.#streams.push(stream)
    }
    const chars = rows[at + CHARS]!
    this.#numbers.push(place, seq, rows[at + WALL_MS]!, rows[at + MONO_US]!, chars)
    if (start !== this.#to || text !== this.#source) {
      this.#text += this.#source.slice(this.#from, this.#to)
      this.#source = text
      this.#from = start
    }
    this.#to = start + chars
    this.#chars += chars
  }

  /** What was collected; the collector is empty behind it. */
  take(): Events {
    const text = this.#text + this.#source.slice(this.#from, this.#to)
    const events = { rows: Float64Array.from(this.#numbers), streams: this.#streams, text }
    this.#numbers = []
    this.#streams = []
    this.#places = new Map()
    this.#text = ''
    this.#source = ''
    this.#from = 0
    this.#to = 0
    this.#chars = 0
    return events
  }
}

/** The events of a list that lie behind a place. */
export function eventsBehind(events: Events, seq: number): Events {
  const collector = new Collector()
  let start = 0
  for (let at = 0; at < events.rows.length; at += COLUMNS) {
    const place = events.rows[at + SEQ]!
    if (place > seq)
      collector.add(events.rows, at, place, events.streams[events.rows[at + STREAM]!]!, events.text, start)
    start += events.rows[at + CHARS]!
  }
  return collector.take()
}
