import type { Point } from './profile.ts'
import { wordsOf } from './profile.ts'

/** What a point shows; null when the device says that it has no value. */
export type PointValue = number | string | boolean | null

/**
 * The value of a point from its registers, first register first. Numbers of 64 bits beyond 2^53 lose their last
 * digits, as every JSON number does.
 * @param words as many as the point takes; from a table of bits one word of 0 or 1
 */
export function decodePoint(point: Point, words: readonly number[]): PointValue {
  if (words.length !== wordsOf(point))
    throw new RangeError(`${point.point} takes ${wordsOf(point)} registers, not ${words.length}`)
  if (point.table === 'coil' || point.table === 'discrete' || point.as === 'bit') return words[0] === 1
  const bytes = inOrder(words, point.order)
  if (point.noValue.length > 0 && point.noValue.some((raw) => raw.toLowerCase() === bytes.toString('hex'))) return null
  if (point.as === 'string') return text(words)
  const raw = number(point, bytes)
  return raw === null ? null : tidy(raw * point.scale + point.offset)
}

/** The bytes as Modbus would have sent them: ABCD. */
function inOrder(words: readonly number[], order: Point['order']): Buffer {
  const bytes = Buffer.alloc(words.length * 2)
  const wordsSwapped = order === 'CDAB' || order === 'DCBA'
  const bytesSwapped = order === 'BADC' || order === 'DCBA'
  words.forEach((word, at) => {
    const place = 2 * (wordsSwapped ? words.length - 1 - at : at)
    if (bytesSwapped) bytes.writeUInt16LE(word, place)
    else bytes.writeUInt16BE(word, place)
  })
  return bytes
}

function number(point: Point, bytes: Buffer): number | null {
  switch (point.as) {
    case 'int16':
      return bytes.readInt16BE()
    case 'uint16':
      return bytes.readUInt16BE()
    case 'int32':
      return bytes.readInt32BE()
    case 'uint32':
      return bytes.readUInt32BE()
    case 'int64':
      return Number(bytes.readBigInt64BE())
    case 'uint64':
      return Number(bytes.readBigUInt64BE())
    case 'float32':
      return finite(shortest(bytes.readFloatBE()))
    case 'float64':
      return finite(bytes.readDoubleBE())
    case 'bcd16':
    case 'bcd32':
    case 'bcd64': {
      const digits = bytes.toString('hex')
      // A nibble above 9 is no digit: the device has no value there.
      return /^\d+$/.test(digits) ? Number(digits) : null
    }
    case 'bit':
    case 'string':
      throw new RangeError(`${point.as} is no number`)
    default:
      throw new RangeError(`unknown type ${point.as satisfies never}`)
  }
}

/** The shortest decimal number that is this 32-bit float: 230.1, not 230.10000610351562. */
function shortest(value: number): number {
  if (!Number.isFinite(value)) return value
  for (let digits = 6; digits < 9; digits++) {
    const candidate = Number(value.toPrecision(digits))
    if (Math.fround(candidate) === value) return candidate
  }
  return value
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null
}

/** 12345 × 0.1 is 1234.5, not 1234.5000000000002: fifteen digits are as many as a double has for certain. */
function tidy(value: number): number {
  return Number(value.toPrecision(15))
}

/** Two characters a register, high byte first, up to the first zero byte, without spaces at the ends. */
function text(words: readonly number[]): string {
  const bytes = Buffer.from(words.flatMap((word) => [word >> 8, word & 0xff]))
  const end = bytes.indexOf(0)
  return bytes
    .subarray(0, end < 0 ? bytes.length : end)
    .toString('latin1')
    .trim()
}
