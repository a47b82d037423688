import { crc32 } from 'node:zlib'
import { CLOCK_STATES } from '../contract/clock.ts'
import { EVENT_CLASSES, type EventClass, PRIVACY_LEVELS } from '../contract/event.ts'
import { packBody, unpackBody } from './body.ts'
import { ByteReader, ByteWriter } from './bytes.ts'
import type { Events } from './collect.ts'
import { readColumn, writeColumn } from './columns.ts'
import { COLUMNS, type Parcel, SEQ, type Stream, WALL_MS } from './parcel.ts'
import { readTexts, TextPacker } from './texts.ts'

/**
 * The format of a row: one or many events of one class, in order, in two blobs. `head` is small and says everything
 * that a filter asks, so that a row nobody wants is passed over unpacked; `body` is described in `body.ts`.
 *
 *     u32  CRC-32 of the rest of the head, begun with the row's key (the place of its last event) and class
 *     byte format of the head (1)
 *     byte packing of the body
 *     uint events; uint boot; uint key minus place of the first event
 *     uint runs left out, each: uint events before it since the last run, uint places left out
 *     int  earliest wall time in ms; uint latest minus earliest
 *     uint bytes of the body; u32 CRC-32 of the body
 *     uint types, each: text
 *     uint streams; column: type of each; column: privacy + 4 * clock of each
 *     the sources of the streams: byte 1 and texts by shape (`texts.ts`), or byte 0 and each as text
 *
 * Numbers and texts are those of `bytes.ts`, columns those of `columns.ts`. A row names nothing outside itself but
 * its boot, so each whole row of a damaged file can be read. Other packings and formats get other numbers; what is
 * stored is never rewritten into a new one.
 */
export interface RowHead {
  readonly class: EventClass
  readonly lastSeq: number
  readonly firstSeq: number
  readonly count: number
  readonly boot: number
  /** Places within the row that belong to other classes: pairs of events before, places left out. */
  readonly holes: readonly (readonly [before: number, places: number])[]
  readonly wallMinMs: number
  readonly wallMaxMs: number
  readonly streams: readonly Stream[]
  readonly packing: number
  readonly bodyCrc: number
  readonly bodyBytes: number
}

const FORMAT = 1
const WRITTEN_MAX = 8
/** The same of rows of one event: about as many as a hub has devices. */
const WRITTEN_ALONE_MAX = 512

/** A row whose bytes are not what was written. */
export class DamagedRow extends Error {
  readonly class: EventClass
  readonly lastSeq: number
  constructor(eventClass: EventClass, lastSeq: number, what: string, cause?: unknown) {
    super(`${eventClass} row ${lastSeq} is damaged: ${what}`, { cause })
    this.name = 'DamagedRow'
    this.class = eventClass
    this.lastSeq = lastSeq
  }
}

/** Makes rows, and remembers what the rows before had in common with the next ones. */
export class RowEncoder {
  readonly #packer = new TextPacker()
  /** Lists of streams as they were written lately: the next round of readings has the same. */
  readonly #written: { readonly streams: readonly Stream[]; readonly bytes: Buffer }[] = []
  readonly #writtenAlone = new Map<Stream, Buffer>()

  /** @returns the two blobs and the key of the row. The events are of one class and one boot. */
  encode(events: Events, boot: number): { lastSeq: number; head: Buffer; body: Buffer } {
    const lastSeq = events.rows[events.rows.length - COLUMNS + SEQ]!
    const { packing, body } = packBody(events, this.#packer)
    return { lastSeq, head: this.#head(events, boot, packing, body), body }
  }

  #head({ rows, streams }: Events, boot: number, packing: number, body: Buffer): Buffer {
    const streamBytes = this.#streamBytes(streams)
    const writer = new ByteWriter(64 + streamBytes.length)
    const lastSeq = rows[rows.length - COLUMNS + SEQ]!
    writer.u32(0)
    writer.byte(FORMAT)
    writer.byte(packing)
    writer.uint(rows.length / COLUMNS)
    writer.uint(boot)
    writer.uint(lastSeq - rows[SEQ]!)
    writeHoles(writer, rows)
    let earliestMs = rows[WALL_MS]!
    let latestMs = earliestMs
    for (let at = WALL_MS; at < rows.length; at += COLUMNS) {
      if (rows[at]! < earliestMs) earliestMs = rows[at]!
      if (rows[at]! > latestMs) latestMs = rows[at]!
    }
    writer.int(earliestMs)
    writer.uint(latestMs - earliestMs)
    writer.uint(body.length)
    writer.u32(crc32(body))
    writer.bytes(streamBytes)
    const head = writer.view()
    head.writeUInt32LE(headCrc(streams[0]!.class, lastSeq, head), 0)
    return head
  }

  #streamBytes(streams: readonly Stream[]): Buffer {
    if (streams.length === 1) return this.#aloneBytes(streams)
    for (const { streams: known, bytes } of this.#written) {
      if (known.length === streams.length && known.every((stream, n) => stream === streams[n])) return bytes
    }
    const written = { streams, bytes: this.#write(streams) }
    if (this.#written.unshift(written) > WRITTEN_MAX) this.#written.pop()
    return written.bytes
  }

  #aloneBytes(streams: readonly Stream[]): Buffer {
    const [stream] = streams
    let bytes = this.#writtenAlone.get(stream!)
    if (bytes !== undefined) return bytes
    bytes = this.#write(streams)
    if (this.#writtenAlone.size >= WRITTEN_ALONE_MAX) this.#writtenAlone.clear()
    this.#writtenAlone.set(stream!, bytes)
    return bytes
  }

  #write(streams: readonly Stream[]): Buffer {
    const writer = new ByteWriter(32 + streams.length * 16)
    writeStreams(writer, streams, this.#packer)
    return writer.view()
  }
}

/** Class and key are no part of the head: they are what the CRC begins with, so that a row in another's place is found out. */
function headCrc(eventClass: EventClass, lastSeq: number, head: Buffer): number {
  return crc32(head.subarray(4), (lastSeq + EVENT_CLASSES.indexOf(eventClass) * 2 ** 30) % 2 ** 32)
}

function writeHoles(writer: ByteWriter, rows: Float64Array): void {
  const holes: [number, number][] = []
  let before = 1
  for (let at = COLUMNS; at < rows.length; at += COLUMNS) {
    const places = rows[at + SEQ]! - rows[at + SEQ - COLUMNS]! - 1
    if (places > 0) {
      holes.push([before, places])
      before = 0
    }
    before += 1
  }
  writer.uint(holes.length)
  for (const [events, places] of holes) {
    writer.uint(events)
    writer.uint(places)
  }
}

function writeStreams(writer: ByteWriter, streams: readonly Stream[], packer: TextPacker): void {
  const [first] = streams
  const alike = streams.every(({ type }) => type === first!.type)
  const types = alike ? [first!.type] : [...new Set(streams.map((stream) => stream.type))]
  writer.uint(types.length)
  for (const type of types) writer.text(type)
  writer.uint(streams.length)
  writeColumn(
    writer,
    types.length === 1 ? new Uint8Array(streams.length) : streams.map(({ type }) => types.indexOf(type)),
  )
  writeColumn(
    writer,
    streams.map(({ privacy, clock }) => PRIVACY_LEVELS.indexOf(privacy) + 4 * CLOCK_STATES.indexOf(clock)),
  )
  const sources = streams.map(({ source }) => source)
  const shaped = new ByteWriter()
  if (
    sources.length > 1 &&
    packer.write(
      shaped,
      sources.join(''),
      sources.map(({ length }) => length),
    )
  ) {
    writer.byte(1)
    writer.bytes(shaped.view())
  } else {
    writer.byte(0)
    for (const source of sources) writer.text(source)
  }
}

/** @throws DamagedRow when the CRC or anything else does not fit. */
export function decodeHead(eventClass: EventClass, lastSeq: number, head: Buffer): RowHead {
  if (!EVENT_CLASSES.includes(eventClass)) throw new DamagedRow(eventClass, lastSeq, 'it is of no known class')
  // A turned bit in the record of the row, or in the schema, can make anything of a column.
  if (!Number.isSafeInteger(lastSeq)) throw new DamagedRow(eventClass, lastSeq, 'its key is no whole number')
  if (!Buffer.isBuffer(head) || head.length < 8 || head.readUInt32LE(0) !== headCrc(eventClass, lastSeq, head)) {
    throw new DamagedRow(eventClass, lastSeq, 'the CRC of its head is wrong')
  }
  const reader = new ByteReader(head, 4)
  const format = reader.byte()
  if (format !== FORMAT)
    throw new DamagedRow(eventClass, lastSeq, `its format is ${format}, this version knows ${FORMAT}`)
  const packing = reader.byte()
  const count = reader.uint()
  const boot = reader.uint()
  const firstSeq = lastSeq - reader.uint()
  const holes: [number, number][] = []
  for (let left = reader.uint(); left > 0; left--) holes.push([reader.uint(), reader.uint()])
  const wallMinMs = reader.int()
  const wallMaxMs = wallMinMs + reader.uint()
  const bodyBytes = reader.uint()
  const bodyCrc = reader.u32()
  const streams = readStreams(reader, eventClass)
  return {
    class: eventClass,
    lastSeq,
    firstSeq,
    count,
    boot,
    holes,
    wallMinMs,
    wallMaxMs,
    streams,
    packing,
    bodyCrc,
    bodyBytes,
  }
}

function readStreams(reader: ByteReader, eventClass: EventClass): Stream[] {
  const types: string[] = []
  for (let left = reader.uint(); left > 0; left--) types.push(reader.text())
  const count = reader.uint()
  const typeOf = readColumn(reader, count)
  const flagsOf = readColumn(reader, count)
  const shaped = reader.byte() === 1 ? readTexts(reader, count) : undefined
  const streams: Stream[] = []
  let start = 0
  for (let n = 0; n < count; n++) {
    const end = start + (shaped?.lengths[n] ?? 0)
    streams.push({
      class: eventClass,
      type: types[typeOf[n]!]!,
      source: shaped === undefined ? reader.text() : shaped.text.slice(start, end),
      privacy: PRIVACY_LEVELS[flagsOf[n]! % 4]!,
      clock: CLOCK_STATES[Math.floor(flagsOf[n]! / 4)]!,
    })
    start = end
  }
  return streams
}

/** @throws DamagedRow when the CRC or anything else does not fit. */
export function decodeBody(head: RowHead, body: Buffer): Events {
  if (!Buffer.isBuffer(body) || body.length !== head.bodyBytes || crc32(body) !== head.bodyCrc) {
    throw new DamagedRow(head.class, head.lastSeq, 'the CRC of its body is wrong')
  }
  let unpacked: Parcel
  try {
    unpacked = unpackBody(head.packing, body, head.count)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new DamagedRow(head.class, head.lastSeq, error.message, error)
  }
  placeEvents(head, unpacked.rows)
  return { rows: unpacked.rows, streams: head.streams, text: unpacked.text }
}

/** The place of each event: one behind the other, but for the runs that belong to other classes. */
function placeEvents(head: RowHead, rows: Float64Array): void {
  let seq = head.firstSeq
  let hole = 0
  let since = 0
  for (let at = SEQ; at < rows.length; at += COLUMNS) {
    const next = head.holes[hole]
    if (next !== undefined && since === next[0]) {
      seq += next[1]
      hole += 1
      since = 0
    }
    rows[at] = seq
    seq += 1
    since += 1
  }
}

/** Whether the row holds the event at this place. */
export function holdsSeq(head: RowHead, seq: number): boolean {
  if (seq < head.firstSeq || seq > head.lastSeq) return false
  let start = head.firstSeq
  for (const [before, places] of head.holes) {
    if (seq < start + before) return true
    start += before + places
    if (seq < start) return false
  }
  return true
}
