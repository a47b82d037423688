import type { Match, Question, Seen } from './question.ts'

/*
 * DL/T 645-2007, the electricity meters of China, section 5.2: a frame is 68H, six bytes of address with the lowest
 * digits first, 68H, a control code, a length, data of which each byte goes out with 33H added, the sum of it all
 * modulo 256, and 16H. A master wakes the meter with four FEH before it, a meter may send up to four.
 */
const WAKE = [0xfe, 0xfe, 0xfe, 0xfe]
const START = 0x68
const END = 0x16
const ADDRESS_BYTES = 6
const SECOND_START_AT = 1 + ADDRESS_BYTES
const CONTROL_AT = SECOND_START_AT + 1
const LENGTH_AT = CONTROL_AT + 1
const DATA_AT = LENGTH_AT + 1
/** All of a frame but its data. */
const ENVELOPE_BYTES = DATA_AT + 2
const SHIFT = 0x33
/** 5.2.5: no frame that is read carries more. */
const DATA_BYTES_MAX = 200

/** Bits of the control code (5.2.4). */
const FROM_METER = 0x80
const REFUSED = 0x40
const MORE_FOLLOWS = 0x20
const FUNCTION = 0x1f

/** A byte of address that stands for any two digits. */
const ANY = 0xaa

/** What a frame says, without the shift of its data. */
export interface Dlt645Frame {
  /** As many as twelve digits as they are printed on the meter, `A` for any. */
  readonly address: string
  readonly control: number
  readonly data: Uint8Array
}

/** A request, with the bytes that wake the meter. @param address twelve characters: digits, or `A` for any */
export function dlt645Frame({ address, control, data }: Dlt645Frame): Uint8Array {
  const body = [START, ...wireAddress(address), START, control, data.length, ...data.map((byte) => byte + SHIFT)]
  const frame = Uint8Array.from([...WAKE, ...body, 0, END])
  frame[frame.length - 2] = sum(frame, WAKE.length, frame.length - 2)
  return frame
}

function wireAddress(address: string): Uint8Array {
  return Uint8Array.from(Buffer.from(address, 'hex').reverse())
}

/** What a master asks of one meter. */
export interface Dlt645Request {
  /** Function: 11H read, 12H read on, 13H read the address (7.1 to 7.3) ... */
  readonly control: number
  readonly data: Uint8Array
  /** How many bytes of data the answer begins with that are those of the request: 4 of a data identifier. */
  readonly echoes: number
  /** How long the data of the answer is, most likely. */
  readonly answerBytes: number
}

/**
 * The answer's payload is its control code and its data. It is known by address, function and data identifier, so an
 * answer that comes late is not taken for that of another question to the same meter.
 */
export function dlt645Question(address: string, request: Dlt645Request): Question {
  const wanted = wireAddress(address)
  return {
    frame: dlt645Frame({ address, control: request.control, data: request.data }),
    answerBytes: WAKE.length + ENVELOPE_BYTES + request.answerBytes,
    answerEchoes: false,
    match: (received) => match(received, wanted, request),
  }
}

function match(received: Uint8Array, wanted: Uint8Array, request: Dlt645Request): Match {
  let missingBytes = ENVELOPE_BYTES + request.answerBytes
  let seen: Seen = received.length === 0 ? 'nothing' : 'noise'
  for (let start = 0; start < received.length; start++) {
    const end = endOf(received, start)
    if (end === undefined) continue
    if (end > received.length) {
      missingBytes = Math.min(missingBytes, end - received.length)
    } else if (!isWhole(received, start, end)) {
      seen = 'damaged'
    } else if (answers(received, start, wanted, request)) {
      const data = received.slice(start + DATA_AT, end - 2).map((byte) => byte - SHIFT)
      return { kind: 'answer', payload: Uint8Array.of(received[start + CONTROL_AT]!, ...data), start, end }
    } else {
      seen = 'another'
      // A whole frame: nothing in it begins another one.
      start = end - 1
    }
  }
  return { kind: 'more', missingBytes, seen }
}

/** Where a frame would end that begins here; undefined where none does. What is not there yet may still fit. */
function endOf(received: Uint8Array, start: number): number | undefined {
  if (received[start] !== START) return undefined
  if ((received[start + SECOND_START_AT] ?? START) !== START) return undefined
  const length = received[start + LENGTH_AT] ?? 0
  return length > DATA_BYTES_MAX ? undefined : start + ENVELOPE_BYTES + length
}

/** 5.2.7: the check is over everything from the first 68H on. 16H may also stand within a frame. */
function isWhole(received: Uint8Array, start: number, end: number): boolean {
  return received[end - 1] === END && received[end - 2] === sum(received, start, end - 2)
}

function sum(bytes: Uint8Array, from: number, to: number): number {
  let total = 0
  for (let at = from; at < to; at++) total += bytes[at]!
  return total & 0xff
}

function answers(received: Uint8Array, start: number, wanted: Uint8Array, request: Dlt645Request): boolean {
  for (const [at, byte] of wanted.entries()) {
    if (byte !== ANY && received[start + 1 + at] !== byte) return false
  }
  const control = received[start + CONTROL_AT]!
  if ((control & FROM_METER) === 0 || (control & FUNCTION) !== (request.control & FUNCTION)) return false
  if ((control & REFUSED) !== 0) return true
  for (let at = 0; at < request.echoes; at++) {
    if (((received[start + DATA_AT + at]! - SHIFT) & 0xff) !== request.data[at]) return false
  }
  return true
}

/** The bits of an error word (annex C), as they are told. */
const REFUSALS = [
  [0x01, 'another error'],
  [0x02, 'there is no such data'],
  [0x04, 'the password is wrong or has no right to it'],
  [0x08, 'the speed cannot be changed'],
  [0x10, 'too many zones of the year'],
  [0x20, 'too many slots of the day'],
  [0x40, 'too many tariffs'],
] as const

export const NO_SUCH_DATA = 0x02

/** What an answer brought. */
export type Dlt645Answer =
  | { readonly kind: 'data'; readonly data: Uint8Array; readonly more: boolean }
  | { readonly kind: 'refused'; readonly error: number; readonly reason: string }

/** @param payload of an answer, as `dlt645Question` gives it */
export function readDlt645(payload: Uint8Array): Dlt645Answer {
  const control = payload[0] ?? 0
  const data = payload.subarray(1)
  if ((control & REFUSED) === 0) return { kind: 'data', data, more: (control & MORE_FOLLOWS) !== 0 }
  const error = data[0] ?? 0
  const reasons = REFUSALS.filter(([bit]) => (error & bit) !== 0).map(([, reason]) => reason)
  return { kind: 'refused', error, reason: reasons.join(', ') || 'no reason given' }
}

/**
 * A number in BCD, the lowest digits first, as meters of DL/T 645 and CJ/T 188 give it.
 * @param decimals digits behind the point
 * @param signed the highest bit is a minus sign, or the direction (annex A)
 * @returns null where a digit is above 9: the meter has no value
 */
export function decodeBcd(bytes: Uint8Array, decimals: number, signed = false): number | null {
  let digits = ''
  let negative = false
  for (let at = bytes.length - 1; at >= 0; at--) {
    let byte = bytes[at]!
    if (signed && at === bytes.length - 1) {
      negative = (byte & 0x80) !== 0
      byte &= 0x7f
    }
    digits += byte.toString(16).padStart(2, '0')
  }
  if (!/^\d+$/.test(digits)) return null
  const value = Number(`${digits}e-${decimals}`)
  return negative && value !== 0 ? -value : value
}
