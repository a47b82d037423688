import { constants, crc32, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import type { ClockState } from '../contract/clock.ts'
import { EVENT_CLASSES, type EventClass, PRIVACY_LEVELS } from '../contract/event.ts'
import { ByteReader, ByteWriter } from './bytes.ts'
import type { Events } from './collect.ts'
import { CHARS, COLUMNS, MONO_US, SEQ, STREAM, type Stream, WALL_MS } from './parcel.ts'

/**
 * The format of a row: one or many events of one class, in order, in two blobs.
 *
 * `head` is small and says everything that a filter asks, so that a row nobody wants is passed over unpacked:
 *
 *     u32  CRC-32 of the class, of the row's key (the place of its last event) and of the rest of the head
 *     byte format of the head (1)
 *     byte packing of the body (0 plain, 1 zstd)
 *     uint events; uint boot; uint key minus place of the first event
 *     uint runs left out, each: uint events before it since the last run, uint places left out
 *     int  earliest wall time in ms; uint latest minus earliest
 *     uint bytes of the body as stored; u32 CRC-32 of the body as stored
 *     uint types, each: text
 *     uint streams, each: uint type, byte privacy + 4 * clock, uint characters shared with the source before, text of the rest
 *
 * `body`, unpacked: for each event uint stream, int wall time since the event before (the first: since the earliest),
 * int monotonic microseconds since the event before, uint length in UTF-16 units; then all bodies as UTF-8.
 *
 * Numbers are those of `bytes.ts`. A row names nothing outside itself but its boot, so each whole row of a damaged
 * file can be read. Other packings and formats get other numbers; what is stored is never rewritten into a new one.
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
const PLAIN = 0
const ZSTD = 1
/** Below this a frame of zstd costs more than it gains. */
const ZSTD_LEAST_BYTES = 200
const ZSTD_OPTIONS = { params: { [constants.ZSTD_c_compressionLevel]: 1, [constants.ZSTD_c_checksumFlag]: 0 } }
/** More than the largest row that was ever written; a damaged length must not take the memory. */
const UNPACKED_BYTES_MAX = 64 * 1024 * 1024
const CLOCK_STATES: readonly ClockState[] = ['never', 'unsynced', 'holdover', 'synced']

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

/** @returns the two blobs and the key of the row. The events are of one class and one boot. */
export function encodeRow(events: Events, boot: number): { lastSeq: number; head: Buffer; body: Buffer } {
  const { rows } = events
  const lastSeq = rows[rows.length - COLUMNS + SEQ]!
  const earliestMs = earliest(rows)
  const plain = encodeBody(events, earliestMs)
  let packing = PLAIN
  let body = plain
  if (plain.length >= ZSTD_LEAST_BYTES) {
    const packed = zstdCompressSync(plain, ZSTD_OPTIONS)
    if (packed.length < plain.length) {
      packing = ZSTD
      body = packed
    }
  }
  return { lastSeq, head: encodeHead(events, boot, earliestMs, packing, body), body }
}

function earliest(rows: Float64Array): number {
  let earliestMs = rows[WALL_MS]!
  for (let at = WALL_MS; at < rows.length; at += COLUMNS) earliestMs = Math.min(earliestMs, rows[at]!)
  return earliestMs
}

function encodeBody({ rows, text }: Events, earliestMs: number): Buffer {
  const writer = new ByteWriter((rows.length / COLUMNS) * 8 + text.length + 64)
  let wallMs = earliestMs
  let monoUs = 0
  for (let at = 0; at < rows.length; at += COLUMNS) {
    writer.uint(rows[at + STREAM]!)
    writer.int(rows[at + WALL_MS]! - wallMs)
    writer.int(rows[at + MONO_US]! - monoUs)
    writer.uint(rows[at + CHARS]!)
    wallMs = rows[at + WALL_MS]!
    monoUs = rows[at + MONO_US]!
  }
  writer.bytes(Buffer.from(text, 'utf8'))
  return writer.view()
}

function encodeHead(
  { rows, streams }: Events,
  boot: number,
  earliestMs: number,
  packing: number,
  body: Buffer,
): Buffer {
  const writer = new ByteWriter(64 + streams.length * 16)
  const lastSeq = rows[rows.length - COLUMNS + SEQ]!
  writer.u32(0)
  writer.byte(FORMAT)
  writer.byte(packing)
  writer.uint(rows.length / COLUMNS)
  writer.uint(boot)
  writer.uint(lastSeq - rows[SEQ]!)
  writeHoles(writer, rows)
  let latestMs = earliestMs
  for (let at = WALL_MS; at < rows.length; at += COLUMNS) latestMs = Math.max(latestMs, rows[at]!)
  writer.int(earliestMs)
  writer.uint(latestMs - earliestMs)
  writer.uint(body.length)
  writer.u32(crc32(body))
  writeStreams(writer, streams)
  const head = writer.view()
  head.writeUInt32LE(headCrc(streams[0]!.class, lastSeq, head), 0)
  return head
}

function headCrc(eventClass: EventClass, lastSeq: number, head: Buffer): number {
  return crc32(head.subarray(4), crc32(`${eventClass} ${lastSeq}`))
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

function writeStreams(writer: ByteWriter, streams: readonly Stream[]): void {
  const types = [...new Set(streams.map((stream) => stream.type))]
  writer.uint(types.length)
  for (const type of types) writer.text(type)
  writer.uint(streams.length)
  let former = ''
  for (const { type, source, privacy, clock } of streams) {
    writer.uint(types.indexOf(type))
    writer.byte(PRIVACY_LEVELS.indexOf(privacy) + 4 * CLOCK_STATES.indexOf(clock))
    const shared = sharedStart(former, source)
    writer.uint(shared)
    writer.text(source.slice(shared))
    former = source
  }
}

function sharedStart(a: string, b: string): number {
  const most = Math.min(a.length, b.length)
  let shared = 0
  while (shared < most && a.charCodeAt(shared) === b.charCodeAt(shared)) shared++
  return shared
}

/** @throws DamagedRow when the CRC or anything else does not fit. */
export function decodeHead(eventClass: EventClass, lastSeq: number, head: Buffer): RowHead {
  if (!EVENT_CLASSES.includes(eventClass)) throw new DamagedRow(eventClass, lastSeq, 'it is of no known class')
  if (head.length < 8 || head.readUInt32LE(0) !== headCrc(eventClass, lastSeq, head)) {
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
  const streams: Stream[] = []
  let source = ''
  for (let left = reader.uint(); left > 0; left--) {
    const type = types[reader.uint()]!
    const flags = reader.byte()
    source = source.slice(0, reader.uint()) + reader.text()
    streams.push({
      class: eventClass,
      type,
      source,
      privacy: PRIVACY_LEVELS[flags % 4]!,
      clock: CLOCK_STATES[Math.floor(flags / 4)]!,
    })
  }
  return streams
}

/** @throws DamagedRow when the CRC or anything else does not fit. */
export function decodeBody(head: RowHead, body: Buffer): Events {
  if (body.length !== head.bodyBytes || crc32(body) !== head.bodyCrc) {
    throw new DamagedRow(head.class, head.lastSeq, 'the CRC of its body is wrong')
  }
  if (head.packing !== PLAIN && head.packing !== ZSTD) {
    throw new DamagedRow(head.class, head.lastSeq, `its packing is ${head.packing}, which this version does not know`)
  }
  const plain = head.packing === ZSTD ? zstdDecompressSync(body, { maxOutputLength: UNPACKED_BYTES_MAX }) : body
  const reader = new ByteReader(plain)
  const rows = new Float64Array(head.count * COLUMNS)
  let wallMs = head.wallMinMs
  let monoUs = 0
  for (let at = 0; at < rows.length; at += COLUMNS) {
    rows[at + STREAM] = reader.uint()
    wallMs += reader.int()
    monoUs += reader.int()
    rows[at + WALL_MS] = wallMs
    rows[at + MONO_US] = monoUs
    rows[at + CHARS] = reader.uint()
  }
  placeEvents(head, rows)
  return { rows, streams: head.streams, text: reader.rest().toString('utf8') }
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
