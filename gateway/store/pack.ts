import type { EventClass } from '../contract/event.ts'
import { Collector, type Events } from './collect.ts'
import { CHARS, COLUMNS, type Parcel, SEQ, STREAM, type Stream } from './parcel.ts'

/** A row of telemetry is cut off behind so many events, and where a parcel ends: reading one event unpacks one row. */
const ROW_EVENTS_MAX = 1024

export interface NewRow {
  readonly class: EventClass
  readonly events: Events
}

/** Cut the events of one commit into rows: telemetry packed together, everything else a row of its own. */
export function rowsOf(parcels: readonly Parcel[], streams: readonly Stream[], firstSeq: number): NewRow[] {
  let seq = firstSeq
  return parcels.flatMap((parcel) => {
    const rows = rowsIn(parcel, streams, seq)
    seq += parcel.rows.length / COLUMNS
    return rows
  })
}

function rowsIn(parcel: Parcel, streams: readonly Stream[], firstSeq: number): NewRow[] {
  const { rows, text } = parcel
  if (isOneRow(parcel, streams)) return [{ class: 'telemetry', events: asOneRow(parcel, streams, firstSeq) }]
  const done: NewRow[] = []
  const telemetry = new Collector()
  const single = new Collector()
  let start = 0
  for (let at = 0; at < rows.length; at += COLUMNS) {
    const stream = streams[rows[at + STREAM]!]!
    const packed = stream.class === 'telemetry'
    const row = packed ? telemetry : single
    row.add(rows, at, firstSeq + at / COLUMNS, stream, text, start)
    if (!packed || row.count >= ROW_EVENTS_MAX) {
      done.push({ class: stream.class, events: row.take() })
    }
    start += rows[at + CHARS]!
  }
  if (telemetry.count > 0) done.push({ class: 'telemetry', events: telemetry.take() })
  return done
}

/** Mostly a commit is one round of readings: then nothing needs to be sorted out. */
function isOneRow({ rows }: Parcel, streams: readonly Stream[]): boolean {
  if (rows.length === 0 || rows.length > ROW_EVENTS_MAX * COLUMNS) return false
  for (let at = STREAM; at < rows.length; at += COLUMNS) {
    if (streams[rows[at]!]!.class !== 'telemetry') return false
  }
  return true
}

/** The parcel's own numbers, with the places of the events and of their streams written in. */
function asOneRow({ rows, text }: Parcel, streams: readonly Stream[], firstSeq: number): Events {
  const own: Stream[] = []
  const places = new Map<number, number>()
  let seq = firstSeq
  for (let at = 0; at < rows.length; at += COLUMNS) {
    const stream = rows[at + STREAM]!
    let place = places.get(stream)
    if (place === undefined) {
      place = own.length
      places.set(stream, place)
      own.push(streams[stream]!)
    }
    rows[at + STREAM] = place
    rows[at + SEQ] = seq++
  }
  return { rows, streams: own, text }
}
