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

/** Shapes that a packer remembers from rows before: the next round of readings has the same. */
const REMEMBERED_MAX = 32

interface Shape {
  readonly pieces: readonly string[]
  /** The pieces one after the other as UTF-16 units, and where each ends. */
  readonly codes: Uint16Array
  readonly ends: readonly number[]
}

/** A shape of the row at hand, and for each place between two pieces the numbers of its texts. */
interface Used {
  readonly shape: Shape
  readonly digits: number[][]
  readonly decimals: number[][]
}

/** Writes texts by shape, and remembers shapes so that the next row need not find them again. */
export class TextPacker {
  readonly #remembered: Shape[] = []
  readonly #numbers = new Numbers()

  /**
   * @param text all texts one after the other
   * @param lengths of each, in UTF-16 units
   * @returns false, with nothing written, when they are too different from each other
   */
  write(writer: ByteWriter, text: string, lengths: ArrayLike<number>): boolean {
    const bytes = Buffer.from(text, 'utf16le')
    const numbers = this.#numbers
    numbers.codes = codesOf(bytes)
    const shapesMax = Math.min(SHAPES_MAX, 1 + lengths.length / 4)
    const used: Used[] = []
    const chosen = new Float64Array(lengths.length)
    let start = 0
    let likely = 0
    for (let n = 0; n < lengths.length; n++) {
      const end = start + lengths[n]!
      likely = this.#choose(used, likely, text, start, end)
      if (likely < 0 || used.length > shapesMax) return false
      numbers.note(used[likely]!)
      chosen[n] = likely
      start = end
    }
    const columns = used.flatMap(({ digits, decimals }) => digits.map((column, at) => scaled(column, decimals[at]!)))
    if (columns.includes(undefined)) return false
    writer.uint(used.length)
    for (const { shape } of used) {
      writer.uint(shape.pieces.length)
      for (const piece of shape.pieces) writer.text(piece)
    }
    if (used.length > 1) writeColumn(writer, chosen)
    for (const column of columns) {
      writer.byte(column!.decimals)
      writeColumn(writer, column!.values)
    }
    writer.u32(crc32(bytes))
    return true
  }

  /** The place of the text's shape in `used`; its numbers then are in `#numbers`. Negative when it has too many. */
  #choose(used: Used[], likely: number, text: string, start: number, end: number): number {
    const numbers = this.#numbers
    if (used.length > 0) {
      // Neighbours are alike, or take turns.
      if (numbers.fit(used[likely]!.shape, start, end)) return likely
      const next = (likely + 1) % used.length
      if (numbers.fit(used[next]!.shape, start, end)) return next
    }
    for (let at = 0; at < used.length; at++) {
      if (numbers.fit(used[at]!.shape, start, end)) return at
    }
    for (const shape of this.#remembered) {
      if (numbers.fit(shape, start, end)) return used.push(newUsed(shape)) - 1
    }
    const pieces = numbers.pieces(text, start, end)
    if (pieces.length > PIECES_MAX) return -1
    const shape = shapeOf(pieces)
    if (this.#remembered.unshift(shape) > REMEMBERED_MAX) this.#remembered.pop()
    if (!numbers.fit(shape, start, end)) throw new Error(`a text does not fit its own shape ${JSON.stringify(pieces)}`)
    return used.push(newUsed(shape)) - 1
  }
}

/** What `TextPacker.write` wrote: all texts one after the other, and their lengths. Throws RangeError when they are not whole. */
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

/** Finds numbers in texts, and whether a text has a shape. */
class Numbers {
  /** The texts as numbers: comparing those takes a third of the time of comparing strings. */
  codes: Uint16Array = new Uint16Array(0)
  /** The numbers of the text that fitted last. */
  readonly #digits = new Float64Array(PIECES_MAX)
  readonly #decimals = new Float64Array(PIECES_MAX)
  /** The number that was read last: its digits as a whole number, how many of them are decimals, and where it ends. */
  #value = 0
  #places = 0
  #end = 0

  /** Put the numbers of the text that fitted last where they belong. */
  note({ digits, decimals }: Used): void {
    for (let at = 0; at < digits.length; at++) {
      digits[at]!.push(this.#digits[at]!)
      decimals[at]!.push(this.#decimals[at]!)
    }
  }

  /** Whether the text has this shape. */
  fit({ codes: wanted, ends }: Shape, start: number, end: number): boolean {
    const { codes } = this
    if (start + wanted.length > end) return false
    const last = ends.length - 1
    let at = start
    let place = 0
    for (let piece = 0; ; piece++) {
      const pieceEnd = ends[piece]!
      if (at + pieceEnd - place > end) return false
      while (place < pieceEnd && codes[at] === wanted[place]) {
        at += 1
        place += 1
      }
      if (place < pieceEnd) return false
      if (piece === last) return at === end
      if (!this.#read(at, end)) return false
      this.#digits[piece] = this.#value
      this.#decimals[piece] = this.#places
      at = this.#end
    }
  }

  /** What stands around the numbers of a text. */
  pieces(text: string, start: number, end: number): string[] {
    const pieces: string[] = []
    let from = start
    for (let at = start; at < end; ) {
      if (this.#read(at, end)) {
        pieces.push(text.slice(from, at))
        at = this.#end
        from = at
      } else {
        at += 1
      }
    }
    pieces.push(text.slice(from, end))
    return pieces
  }

  /** Read a number: no leading zeros, no trailing decimal zeros, no minus before zero, 15 digits at most. */
  #read(start: number, end: number): boolean {
    const { codes } = this
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
    this.#value = value
    this.#places = 0
    this.#end = at
    if (at + 1 < end && codes[at] === POINT) this.#readFraction(at + 1, end, value, count)
    if (!negative) return true
    this.#value = -this.#value
    return this.#value !== 0
  }

  #readFraction(start: number, end: number, whole: number, count: number): void {
    const { codes } = this
    let value = whole
    for (let at = start; at < end && count + at - start < DIGITS_MAX; at++) {
      const code = codes[at]!
      if (code < ZERO || code > NINE) return
      value = value * 10 + code - ZERO
      if (code === ZERO) continue
      this.#value = value
      this.#places = at - start + 1
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
  return { pieces, codes: codesOf(Buffer.from(pieces.join(''), 'utf16le')), ends }
}

function newUsed(shape: Shape): Used {
  const none = (): number[][] => Array.from({ length: shape.pieces.length - 1 }, () => [])
  return { shape, digits: none(), decimals: none() }
}

function codesOf(bytes: Buffer): Uint16Array {
  // Small buffers are cut from a pool, at even places or not.
  return bytes.byteOffset % 2 === 0
    ? new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2)
    : new Uint16Array(Uint8Array.from(bytes).buffer)
}
