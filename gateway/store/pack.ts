import type { EventClass } from '../contract/event.ts'
import { Collector, type Events } from './collect.ts'
import { CHARS, COLUMNS, type Parcel, STREAM, type Stream } from './parcel.ts'

/** A row of telemetry is cut off behind so many events or UTF-16 units: reading one event unpacks one row. */
const ROW_EVENTS_MAX = 1024
const ROW_CHARS_MAX = 256 * 1024

export interface NewRow {
  readonly class: EventClass
  readonly events: Events
}

/** Cut the events of one commit into rows: telemetry packed together, everything else a row of its own. */
export function rowsOf(parcel: Parcel, streams: readonly Stream[], firstSeq: number): NewRow[] {
  const { rows, text } = parcel
  const done: NewRow[] = []
  const telemetry = new Collector()
  const single = new Collector()
  let start = 0
  for (let at = 0; at < rows.length; at += COLUMNS) {
    const stream = streams[rows[at + STREAM]!]!
    const packed = stream.class === 'telemetry'
    const row = packed ? telemetry : single
    row.add(rows, at, firstSeq + at / COLUMNS, stream, text, start)
    if (!packed || row.count >= ROW_EVENTS_MAX || row.chars >= ROW_CHARS_MAX) {
      done.push({ class: stream.class, events: row.take() })
    }
    start += rows[at + CHARS]!
  }
  if (telemetry.count > 0) done.push({ class: 'telemetry', events: telemetry.take() })
  return done
}
