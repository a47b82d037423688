/**
 * Numbers in registers. The specification knows 16-bit registers, high byte first (MODBUS Application Protocol
 * V1.1b3, 4.2); how makers spread longer numbers over them is said by `order`, the usual four names.
 */

export const ENCODINGS = [
  'int16',
  'uint16',
  'int32',
  'uint32',
  'int64',
  'uint64',
  'float32',
  'float64',
  'bcd16',
  'bcd32',
  'bcd64',
  'bit',
  'string',
] as const
export type Encoding = (typeof ENCODINGS)[number]

/** Where the bytes of a 32-bit number go: as Modbus says, words swapped, bytes swapped, both. */
export const ORDERS = ['ABCD', 'CDAB', 'BADC', 'DCBA'] as const
export type Order = (typeof ORDERS)[number]

const WORDS: Readonly<Record<Exclude<Encoding, 'string'>, number>> = {
  int16: 1,
  uint16: 1,
  int32: 2,
  uint32: 2,
  int64: 4,
  uint64: 4,
  float32: 2,
  float64: 4,
  bcd16: 1,
  bcd32: 2,
  bcd64: 4,
  bit: 1,
}

/** How a value stands in its registers, and what it is multiplied by to be in its unit. */
export interface Coding {
  readonly as: Encoding
  readonly order: Order
  readonly scale: number
  readonly offset: number
  /** Registers of a string. */
  readonly length?: number | undefined
  /** Which bit of the register it is, 0 the lowest. */
  readonly bit?: number | undefined
  /** Register bytes in hexadecimal, as they are on the wire, that mean 'no value'. */
  readonly noValue?: readonly string[] | undefined
}

export type Value = number | boolean | string

export function wordsOf({ as, length }: Pick<Coding, 'as' | 'length'>): number {
  return as === 'string' ? (length ?? 1) : WORDS[as]
}

/**
 * The value in these register bytes.
 * @param bytes exactly the point's registers, as they came
 * @returns null when the device says that it has none: a sentinel of the profile, a float that is no number, BCD
 *   digits above 9. Never a number in its place.
 */
export function decodeValue(bytes: Uint8Array, coding: Coding): Value | null {
  if (coding.noValue?.includes(hexOf(bytes))) return null
  const ordered = inOrder(bytes, coding.order)
  const view = new DataView(ordered.buffer, ordered.byteOffset, ordered.length)
  switch (coding.as) {
    case 'string':
      return text(ordered)
    case 'bit':
      return ((view.getUint16(0) >> (coding.bit ?? 0)) & 1) === 1
    case 'float32':
      return scaled(shortFloat32(view.getFloat32(0)), coding)
    case 'float64':
      return scaled(view.getFloat64(0), coding)
    case 'bcd16':
    case 'bcd32':
    case 'bcd64':
      return scaled(bcd(ordered), coding)
    default:
      return scaled(integer(view, coding.as), coding)
  }
}

/** Beyond 2^53 the nearest number that JSON can carry; a counter of Wh reaches it after 10^9 MWh. */
function integer(view: DataView, as: Encoding): number {
  switch (as) {
    case 'int16':
      return view.getInt16(0)
    case 'uint16':
      return view.getUint16(0)
    case 'int32':
      return view.getInt32(0)
    case 'uint32':
      return view.getUint32(0)
    case 'int64':
      return Number(view.getBigInt64(0))
    case 'uint64':
      return Number(view.getBigUint64(0))
    default:
      throw new TypeError(`${as} is no integer`)
  }
}

function bcd(bytes: Uint8Array): number {
  let value = 0
  for (const byte of bytes) {
    const high = byte >> 4
    const low = byte & 15
    if (high > 9 || low > 9) return Number.NaN
    value = value * 100 + high * 10 + low
  }
  return value
}

/** Nine digits tell every float32 from its neighbours (IEEE 754-2008, 5.12.2), and six survive one. */
const FLOAT32_DIGITS_MIN = 6
const FLOAT32_DIGITS_MAX = 9
/** The powers of ten that a double holds exactly: a whole number divided by one is the nearest double to the decimal. */
const POWERS_OF_TEN = Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`))

/** To so many places behind the point, or before it where they are negative; much faster than by way of a text. */
function rounded(value: number, power: number, places: number): number {
  return places < 0 ? Math.round(value / power) * power : Math.round(value * power) / power
}

/** The shortest decimal that is this float32: 230.4, and not 230.39999389648438. */
function shortFloat32(value: number): number {
  if (value === 0 || !Number.isFinite(value)) return value
  const exponent = Math.floor(Math.log10(Math.abs(value)))
  for (let digits = FLOAT32_DIGITS_MIN; digits <= FLOAT32_DIGITS_MAX; digits++) {
    const places = digits - 1 - exponent
    const power = POWERS_OF_TEN[Math.abs(places)]
    const short = power === undefined ? Number(value.toPrecision(digits)) : rounded(value, power, places)
    if (Math.fround(short) === value) return short
  }
  return value
}

/** Fifteen digits are what a double holds whatever it is: 2345 tenths are 234.5, and not 234.50000000000003. */
function scaled(raw: number, { scale, offset }: Coding): number | null {
  if (!Number.isFinite(raw)) return null
  if (scale === 1 && offset === 0) return raw
  return Number((raw * scale + offset).toPrecision(15))
}

function inOrder(bytes: Uint8Array, order: Order): Uint8Array {
  if (order === 'ABCD') return bytes
  const ordered = new Uint8Array(bytes.length)
  const last = bytes.length - 1
  for (let at = 0; at < bytes.length; at++) {
    if (order === 'DCBA') ordered[at] = bytes[last - at]!
    else if (order === 'BADC') ordered[at] = bytes[at ^ 1]!
    else ordered[at] = bytes[(last - at) ^ 1]!
  }
  return ordered
}

function text(bytes: Uint8Array): string {
  const end = bytes.indexOf(0)
  return new TextDecoder('latin1').decode(end < 0 ? bytes : bytes.subarray(0, end)).trimEnd()
}

function hexOf(bytes: Uint8Array): string {
  let hex = ''
  for (const byte of bytes) hex += byte.toString(16).padStart(2, '0')
  return hex
}
