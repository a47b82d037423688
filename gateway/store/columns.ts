import type { ByteReader, ByteWriter } from './bytes.ts'

/**
 * A column of whole numbers in as few bits as its spread needs: `uint width * 2 + steps`, `int base`, then
 * width bits for each number less the base, lowest bit first. With `steps` the numbers are the differences from one
 * to the next, and `int first` stands before the bits; so a column that rises evenly takes no bits at all. Wide
 * numbers are laid down in slices of 24 bits, all lowest slices first.
 */

/** Numbers on either side of zero up to this are taken: their differences still are exact. */
export const COLUMN_MAX = 2 ** 51
const SLICE_BITS = 24
const SLICE = 2 ** SLICE_BITS

export function writeColumn(writer: ByteWriter, values: ArrayLike<number>): void {
  const [least, most] = spread(values, 0)
  const [leastStep, mostStep] = spread(values, 1)
  const width = bitsOf(most - least)
  const stepWidth = bitsOf(mostStep - leastStep)
  if (stepWidth < width) {
    writer.uint(stepWidth * 2 + 1)
    writer.int(leastStep)
    writer.int(values[0]!)
    pack(writer, values, 1, leastStep, stepWidth)
  } else {
    writer.uint(width * 2)
    writer.int(least)
    pack(writer, values, 0, least, width)
  }
}

export function readColumn(reader: ByteReader, count: number): Float64Array<ArrayBuffer> {
  const kind = reader.uint()
  const steps = kind % 2
  const base = reader.int()
  const first = steps === 1 ? reader.int() : 0
  const values = new Float64Array(count)
  unpack(reader, values, steps, base, Math.floor(kind / 2))
  if (steps === 1 && count > 0) {
    values[0] = first
    for (let at = 1; at < count; at++) values[at] = values[at]! + values[at - 1]!
  }
  return values
}

/** Least and most of the numbers themselves, or of their differences. */
function spread(values: ArrayLike<number>, steps: 0 | 1): [number, number] {
  let least = Number.POSITIVE_INFINITY
  let most = Number.NEGATIVE_INFINITY
  for (let at = steps; at < values.length; at++) {
    const value = steps === 0 ? values[at]! : values[at]! - values[at - 1]!
    if (value < least) least = value
    if (value > most) most = value
  }
  return least > most ? [0, 0] : [least, most]
}

function bitsOf(value: number): number {
  return value < 2 ** 32 ? 32 - Math.clz32(value) : 64 - Math.clz32(Math.floor(value / 2 ** 32))
}

function pack(writer: ByteWriter, values: ArrayLike<number>, steps: 0 | 1, base: number, width: number): void {
  let divisor = 1
  for (let left = width; left > 0; left -= SLICE_BITS) {
    const bits = Math.min(left, SLICE_BITS)
    let held = 0
    let holds = 0
    for (let at = steps; at < values.length; at++) {
      const value = (steps === 0 ? values[at]! : values[at]! - values[at - 1]!) - base
      const slice = width <= SLICE_BITS ? value : Math.floor(value / divisor) % SLICE
      held |= slice << holds
      holds += bits
      while (holds >= 8) {
        writer.byte(held & 0xff)
        held >>>= 8
        holds -= 8
      }
    }
    if (holds > 0) writer.byte(held & 0xff)
    divisor *= SLICE
  }
}

function unpack(reader: ByteReader, values: Float64Array, steps: number, base: number, width: number): void {
  values.fill(base)
  let factor = 1
  for (let left = width; left > 0; left -= SLICE_BITS) {
    const bits = Math.min(left, SLICE_BITS)
    const mask = 2 ** bits - 1
    let held = 0
    let holds = 0
    for (let at = steps; at < values.length; at++) {
      while (holds < bits) {
        held |= reader.byte() << holds
        holds += 8
      }
      values[at] = values[at]! + (held & mask) * factor
      held >>>= bits
      holds -= bits
    }
    factor *= SLICE
  }
}
