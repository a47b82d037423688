import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { ByteReader, ByteWriter } from './bytes.ts'
import type { Events } from './collect.ts'
import { readColumn, writeColumn } from './columns.ts'
import { CHARS, COLUMNS, MONO_US, type Parcel, STREAM, WALL_MS } from './parcel.ts'
import { readTexts, type TextPacker } from './texts.ts'

/**
 * The format of a row's body. All packings begin with
 *
 *     column: stream of each event
 *     column: monotonic microseconds of each
 *     column: wall time in ms less whole milliseconds of monotonic time, of each
 *
 * and go on, packing 0 and 1, with `column: length in UTF-16 units of each` and all texts as UTF-8; packing 2, with
 * all texts by shape (`texts.ts`). Packing 1 is the whole of packing 0 as
 * one frame of zstd (RFC 8878). Readings of meters take packing 2, a twentieth of their text; texts that
 * have too little in common take 1, and what is short 0.
 */
const PLAIN = 0
const ZSTD = 1
const SHAPED = 2

/** Below this a frame of zstd costs more than it gains. */
const ZSTD_LEAST_BYTES = 256
const ZSTD_OPTIONS = { params: { [constants.ZSTD_c_compressionLevel]: 1, [constants.ZSTD_c_checksumFlag]: 0 } }
/** Fewer texts than this say their shape about as often as they keep it. */
const SHAPED_LEAST_EVENTS = 3
/** More than the largest row that was ever written; a damaged length must not take the memory. */
const UNPACKED_BYTES_MAX = 64 * 1024 * 1024

export function packBody(events: Events, packer: TextPacker): { packing: number; body: Buffer } {
  const { rows, text } = events
  const count = rows.length / COLUMNS
  const writer = new ByteWriter(256 + count * 16)
  writeTimes(writer, rows, count)
  const lengths = pick(rows, CHARS, count)
  if (count >= SHAPED_LEAST_EVENTS && packer.write(writer, text, lengths)) {
    return { packing: SHAPED, body: writer.view() }
  }
  writeColumn(writer, lengths)
  writer.bytes(Buffer.from(text, 'utf8'))
  const plain = writer.view()
  if (plain.length >= ZSTD_LEAST_BYTES) {
    const packed = zstdCompressSync(plain, ZSTD_OPTIONS)
    if (packed.length < plain.length) return { packing: ZSTD, body: packed }
  }
  return { packing: PLAIN, body: plain }
}

/** The events without their places; throws RangeError when the body is not whole. */
export function unpackBody(packing: number, body: Buffer, count: number): Parcel {
  if (packing !== PLAIN && packing !== ZSTD && packing !== SHAPED) {
    throw new RangeError(`its packing is ${packing}, which this version does not know`)
  }
  const plain = packing === ZSTD ? zstdDecompressSync(body, { maxOutputLength: UNPACKED_BYTES_MAX }) : body
  const reader = new ByteReader(plain)
  const rows = new Float64Array(count * COLUMNS)
  readTimes(reader, rows, count)
  if (packing !== SHAPED) {
    const lengths = readColumn(reader, count)
    put(rows, CHARS, lengths)
    return { rows, text: reader.rest().toString('utf8') }
  }
  const { text, lengths } = readTexts(reader, count)
  put(rows, CHARS, lengths)
  return { rows, text }
}

function writeTimes(writer: ByteWriter, rows: Float64Array, count: number): void {
  const monoUs = pick(rows, MONO_US, count)
  const zeroMs = pick(rows, WALL_MS, count)
  for (let n = 0; n < count; n++) zeroMs[n] = zeroMs[n]! - Math.floor(monoUs[n]! / 1000)
  writeColumn(writer, pick(rows, STREAM, count))
  writeColumn(writer, monoUs)
  writeColumn(writer, zeroMs)
}

function readTimes(reader: ByteReader, rows: Float64Array, count: number): void {
  put(rows, STREAM, readColumn(reader, count))
  const monoUs = readColumn(reader, count)
  const zeroMs = readColumn(reader, count)
  put(rows, MONO_US, monoUs)
  for (let n = 0; n < count; n++) rows[n * COLUMNS + WALL_MS] = zeroMs[n]! + Math.floor(monoUs[n]! / 1000)
}

function pick(rows: Float64Array, column: number, count: number): Float64Array {
  const values = new Float64Array(count)
  for (let n = 0; n < count; n++) values[n] = rows[n * COLUMNS + column]!
  return values
}

function put(rows: Float64Array, column: number, values: Float64Array): void {
  for (let n = 0; n < values.length; n++) rows[n * COLUMNS + column] = values[n]!
}
