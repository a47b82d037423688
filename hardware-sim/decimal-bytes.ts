import type { DecimalPoint } from './profile.ts'

/** Where a nibble is no digit, a meter has no value to show. */
const UNMEASURED = 0xff

/** Digits as bytes, two in each, the lowest first: 202107072529 is 29 25 07 07 21 20. */
export function digitBytes(digits: string, bytes: number): Uint8Array {
  return Buffer.from(digits.slice(-bytes * 2).padStart(bytes * 2, '0'), 'hex').reverse()
}

/** The digits that bytes hold, the lowest first; hex where a nibble is none. */
export function digitsOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).reverse().toString('hex')
}

/**
 * A whole number in BCD, the lowest digits first. A counter that is full begins anew; with a sign, which is the
 * highest bit, it stays at the end of its range. Below zero without a sign is 0.
 */
export function bcdBytes(raw: number, bytes: number, signed: boolean): Uint8Array {
  const whole = Math.round(raw)
  const most = signed ? 8 * 10 ** (bytes * 2 - 1) - 1 : Number.POSITIVE_INFINITY
  const amount = signed ? Math.min(Math.abs(whole), most) : Math.max(whole, 0)
  const written = digitBytes(BigInt(amount).toString(), bytes)
  return signed && whole < 0 ? written.with(-1, written.at(-1)! | 0x80) : written
}

export interface ShownPoints<Point extends DecimalPoint> {
  readonly points: readonly Point[]
  readonly bytes: number
  /** What a number or bit is now, in the point's own unit; null: not measured. */
  readonly value: (point: Point) => number | null
  /** The number of the meter, for points that are all digits. */
  readonly number: string
}

/** The data behind one identifier: its points side by side, zeros between them and where raw bytes stand. */
export function layOut<Point extends DecimalPoint>(shown: ShownPoints<Point>): Uint8Array {
  const { points, bytes, value, number } = shown
  const data = new Uint8Array(bytes)
  for (const point of points) {
    if (point.as === 'digits') data.set(digitBytes(number, point.bytes), point.at)
    else if (point.as === 'bit') setBit(data, point, value(point) ?? 0)
    else if (point.as === 'bcd') data.set(numberBytes(point, value(point)), point.at)
  }
  return data
}

/** How many bytes these points take, from the first behind the identifier to the end of the last. */
export function extentOf(points: readonly DecimalPoint[]): number {
  return Math.max(0, ...points.map(({ at, bytes }) => at + bytes))
}

function numberBytes(point: DecimalPoint, value: number | null): Uint8Array {
  if (value === null) return new Uint8Array(point.bytes).fill(UNMEASURED)
  return bcdBytes((value / point.scale) * 10 ** point.decimals, point.bytes, point.signed)
}

function setBit(data: Uint8Array, { at, bit = 0 }: DecimalPoint, value: number): void {
  if (value !== 0) data[at + (bit >> 3)]! |= 1 << (bit & 7)
}
