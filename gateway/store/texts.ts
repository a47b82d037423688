import { crc32 } from 'node:zlib'
import type { ByteReader, ByteWriter } from './bytes.ts'
import { readColumn, writeColumn } from './columns.ts'

/**
 * Many texts that differ in their numbers only, as readings of meters do: what stands around the numbers (the
 * shape) is kept once, and each number of a shape is a column. The texts come back to the letter, whatever they
 * were: only digits that are exactly what their number would be printed as are taken for a number.
 *
 *     uint shapes, each: uint pieces, each: text
 *     column: shape of each text (left out where there is one shape)
 *     for each shape, for each place between two pieces: byte decimals, column: numbers times 10^decimals
 *     u32 CRC-32 of all texts, one after the other, as UTF-16LE
 */
const SHAPES_MAX = 64
const PIECES_MAX = 256
/** Every decimal number of so many digits comes back from a double (IEEE 754 binary64) as it was. */
const DIGITS_MAX = 15
const TENS = Array.from({ length: DIGITS_MAX + 1 }, (_, n) => 10 ** n)
const ZERO = 48
const NINE = 57
const MINUS = 45
const POINT = 46

interface Shape {
  readonly pieces: readonly string[]
  /** The pieces one after the other as UTF-16 units, and where each ends. */
  readonly codes: Uint16Array
  readonly ends: readonly number[]
  /** For each place between two pieces: the number of each text as digits, and how many of those are decimals. */
  readonly digits: number[][]
  readonly decimals: number[][]
}

/**
 * @param text all texts one after the other
 * @param lengths of each, in UTF-16 units
 * @returns false, with nothing written, when they are too different from each other
 */
export function writeTexts(writer: ByteWriter, text: string, lengths: ArrayLike<number>): boolean {
  const sorter = new Sorter(text)
  const chosen = new Float64Array(lengths.length)
  let start = 0
  for (let n = 0; n < lengths.length; n++) {
    const end = start + lengths[n]!
    const shape = sorter.sort(start, end)
    if (shape === undefined) return false
    chosen[n] = shape
    start = end
  }
  const { shapes } = sorter
  if (shapes.length > SHAPES_MAX || shapes.length > 1 + lengths.length / 4) return false
  const columns = shapes.flatMap((shape) => shape.digits.map((digits, at) => scaled(digits, shape.decimals[at]!)))
  if (columns.includes(undefined)) return false
  writer.uint(shapes.length)
  for (const { pieces } of shapes) {
    writer.uint(pieces.length)
    for (const piece of pieces) writer.text(piece)
  }
  if (shapes.length > 1) writeColumn(writer, chosen)
  for (const column of columns) {
    writer.byte(column!.decimals)
    writeColumn(writer, column!.values)
  }
  writer.u32(crc32(sorter.bytes))
  return true
}

/** What `writeTexts` wrote: all texts one after the other, and their lengths. Throws RangeError when they are not whole. */
export function readTexts(reader: ByteReader, count: number): { text: string; lengths: Float64Array } {
  const shapes: string[][] = []
  for (let left = reader.uint(); left > 0; left--) {
    shapes.push(Array.from({ length: reader.uint() }, () => reader.text()))
  }
  const chosen = shapes.length > 1 ? readColumn(reader, count) : new Float64Array(count)
  const sizes = new Array<number>(shapes.length).fill(0)
  for (const shape of chosen) sizes[shape] = sizes[shape]! + 1
  const numbers = shapes.map((pieces, shape) =>
    Array.from({ length: pieces.length - 1 }, () => {
      const decimals = reader.byte()
      return { tens: TENS[decimals]!, values: readColumn(reader, sizes[shape]!) }
    }),
  )
  const next = new Array<number>(shapes.length).fill(0)
  const lengths = new Float64Array(count)
  let text = ''
  for (let n = 0; n < count; n++) {
    const shape = chosen[n]!
    const pieces = shapes[shape]!
    const columns = numbers[shape]!
    const row = next[shape]!++
    let one = pieces[0]!
    for (let at = 0; at < columns.length; at++) {
      const { tens, values } = columns[at]!
      one += printed(values[row]!, tens) + pieces[at + 1]!
    }
    lengths[n] = one.length
    text += one
  }
  if (crc32(Buffer.from(text, 'utf16le')) !== reader.u32()) throw new RangeError('texts are not what they were')
  return { text, lengths }
}

/** The decimal number as it stood: a double of at most 15 digits is printed with just these digits (ECMA-262, Number::toString). */
function printed(value: number, tens: number): string {
  const number = value / tens
  const text = String(number)
  return number < 1e-6 && number > -1e-6 && number !== 0 ? plain(value, tens) : text
}

/** Below a millionth, String would use an exponent. */
function plain(value: number, tens: number): string {
  const decimals = TENS.indexOf(tens)
  const digits = String(Math.abs(value)).padStart(decimals, '0').replace(/0+$/, '')
  return `${value < 0 ? '-' : ''}0.${digits}`
}

/** One column of numbers with the same count of decimals; undefined when they do not fit into one. */
function scaled(
  digits: readonly number[],
  decimals: readonly number[],
): { decimals: number; values: Float64Array } | undefined {
  let most = 0
  for (const count of decimals) if (count > most) most = count
  const values = new Float64Array(digits.length)
  for (let n = 0; n < digits.length; n++) {
    const value = digits[n]! * TENS[most - decimals[n]!]!
    // Well within what a column takes, and still printed to the letter.
    if (!(Math.abs(value) < TENS[DIGITS_MAX]!)) return undefined
    values[n] = value
  }
  return { decimals: most, values }
}

/** Finds the shape of each text, mostly the one that the text before had. */
class Sorter {
  readonly shapes: Shape[] = []
  readonly #text: string
  /** The text as UTF-16LE, and as numbers: comparing those takes a third of the time of comparing strings. */
  readonly bytes: Buffer
  readonly #codes: Uint16Array
  readonly #byKey = new Map<string, number>()
  #likely = 0
  /** The number that was read last: its digits as a whole number, its decimals, and where it ends. */
  #digits = 0
  #decimals = 0
  #end = 0

  constructor(text: string) {
    this.#text = text
    this.bytes = Buffer.from(text, 'utf16le')
    this.#codes = codesOf(this.bytes)
  }

  /** The place of the text's shape among `shapes`, where its numbers then stand; undefined when there are too many pieces. */
  sort(start: number, end: number): number | undefined {
    const { shapes } = this
    if (shapes.length > 0) {
      if (this.#matches(shapes[this.#likely]!, start, end)) return this.#likely
      this.#likely = (this.#likely + 1) % shapes.length
      if (this.#matches(shapes[this.#likely]!, start, end)) return this.#likely
    }
    const pieces = this.#pieces(start, end)
    if (pieces.length > PIECES_MAX) return undefined
    const key = JSON.stringify(pieces)
    let place = this.#byKey.get(key)
    if (place === undefined) {
      place = shapes.length
      this.#byKey.set(key, place)
      shapes.push(shapeOf(pieces))
    }
    this.#likely = place
    if (!this.#matches(shapes[place]!, start, end)) throw new Error(`a text does not fit its own shape ${key}`)
    return place
  }

  /** Whether the text has this shape; if so its numbers are noted. */
  #matches(shape: Shape, start: number, end: number): boolean {
    const { codes: wanted, ends, digits, decimals } = shape
    const codes = this.#codes
    if (start + wanted.length > end) return false
    let at = start
    let place = 0
    let found = 0
    for (; ; found++) {
      const pieceEnd = ends[found]!
      if (at + pieceEnd - place > end) break
      while (place < pieceEnd && codes[at] === wanted[place]) {
        at += 1
        place += 1
      }
      if (place < pieceEnd) break
      if (found === digits.length) {
        if (at === end) return true
        break
      }
      if (!this.#number(at, end)) break
      at = this.#end
      digits[found]!.push(this.#digits)
      decimals[found]!.push(this.#decimals)
    }
    for (let undo = 0; undo < found; undo++) {
      digits[undo]!.pop()
      decimals[undo]!.pop()
    }
    return false
  }

  #pieces(start: number, end: number): string[] {
    const pieces: string[] = []
    let from = start
    for (let at = start; at < end; ) {
      if (this.#number(at, end)) {
        pieces.push(this.#text.slice(from, at))
        at = this.#end
        from = at
      } else {
        at += 1
      }
    }
    pieces.push(this.#text.slice(from, end))
    return pieces
  }

  /** Read a number: no leading zeros, no trailing decimal zeros, no minus before zero, 15 digits at most. */
  #number(start: number, end: number): boolean {
    const codes = this.#codes
    let at = start
    const negative = codes[at] === MINUS
    if (negative) at += 1
    let code = at < end ? codes[at]! : 0
    if (code < ZERO || code > NINE) return false
    let value = 0
    let count = 0
    if (code === ZERO) {
      at += 1
    } else {
      while (code >= ZERO && code <= NINE && count < DIGITS_MAX) {
        value = value * 10 + code - ZERO
        count += 1
        at += 1
        code = at < end ? codes[at]! : 0
      }
    }
    this.#digits = value
    this.#decimals = 0
    this.#end = at
    if (at + 1 < end && codes[at] === POINT) this.#fraction(at + 1, end, value, count)
    if (!negative) return true
    this.#digits = -this.#digits
    return this.#digits !== 0
  }

  #fraction(start: number, end: number, whole: number, count: number): void {
    const codes = this.#codes
    let value = whole
    for (let at = start; at < end && count + at - start < DIGITS_MAX; at++) {
      const code = codes[at]!
      if (code < ZERO || code > NINE) return
      value = value * 10 + code - ZERO
      if (code === ZERO) continue
      this.#digits = value
      this.#decimals = at - start + 1
      this.#end = at + 1
    }
  }
}

function shapeOf(pieces: readonly string[]): Shape {
  const ends: number[] = []
  let end = 0
  for (const piece of pieces) {
    end += piece.length
    ends.push(end)
  }
  const none = (): number[][] => Array.from({ length: pieces.length - 1 }, () => [])
  return { pieces, codes: codesOf(Buffer.from(pieces.join(''), 'utf16le')), ends, digits: none(), decimals: none() }
}

function codesOf(bytes: Buffer): Uint16Array {
  // Small buffers are cut from a pool, at even places or not.
  return bytes.byteOffset % 2 === 0
    ? new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2)
    : new Uint16Array(Uint8Array.from(bytes).buffer)
}
