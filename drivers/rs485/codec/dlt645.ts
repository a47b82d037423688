import type { Question } from './question.ts'
import { huntFrame, isAddress, START, summedFrame, TAIL_BYTES, WAKE, wireAddress } from './summed-frame.ts'

/*
 * DL/T 645-2007, the electricity meters of China: a frame is 68H, six bytes of address with the lowest
 * digits first, 68H, a control code, a length, data of which each byte goes out with 33H added, the sum of it all
 * modulo 256, and 16H. A master wakes the meter with four FEH before it, a meter may send up to four.
 */
const ADDRESS_BYTES = 6
const SECOND_START_AT = 1 + ADDRESS_BYTES
const CONTROL_AT = SECOND_START_AT + 1
const LENGTH_AT = CONTROL_AT + 1
const DATA_AT = LENGTH_AT + 1
/** All of a frame but its data. */
const ENVELOPE_BYTES = DATA_AT + TAIL_BYTES
const SHIFT = 0x33
/** No frame that is read carries more. */
const DATA_BYTES_MAX = 200

/** Bits of the control code. */
const FROM_METER = 0x80
const REFUSED = 0x40
const MORE_FOLLOWS = 0x20
const FUNCTION = 0x1f

/** What a frame says, without the shift of its data. */
export interface Dlt645Frame {
  /** As many as twelve digits as they are printed on the meter, `A` for any. */
  readonly address: string
  readonly control: number
  readonly data: Uint8Array
}

/** A request, with the bytes that wake the meter. @param address twelve characters: digits, or `A` for any */
export function dlt645Frame({ address, control, data }: Dlt645Frame): Uint8Array {
  const shifted = data.map((byte) => byte + SHIFT)
  return summedFrame([...wireAddress(address), START, control, data.length, ...shifted])
}

/** What a master asks of one meter. */
export interface Dlt645Request {
  /** Function: 11H read, 12H read on, 13H read the address ... */
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
    match: (received) =>
      huntFrame(received, {
        leastBytes: ENVELOPE_BYTES,
        endOf,
        answers: (bytes, start) => answers(bytes, start, wanted, request),
        payload: payloadOf,
      }),
  }
}

function endOf(received: Uint8Array, start: number): number | undefined {
  if ((received[start + SECOND_START_AT] ?? START) !== START) return undefined
  const length = received[start + LENGTH_AT] ?? 0
  return length > DATA_BYTES_MAX ? undefined : start + ENVELOPE_BYTES + length
}

function payloadOf(received: Uint8Array, start: number, end: number): Uint8Array {
  const data = received.subarray(start + DATA_AT, end - TAIL_BYTES)
  return Uint8Array.of(received[start + CONTROL_AT]!, ...data.map((byte) => byte - SHIFT))
}

function answers(received: Uint8Array, start: number, wanted: Uint8Array, request: Dlt645Request): boolean {
  if (!isAddress(received, start + 1, wanted)) return false
  const control = received[start + CONTROL_AT]!
  if ((control & FROM_METER) === 0 || (control & FUNCTION) !== (request.control & FUNCTION)) return false
  if ((control & REFUSED) !== 0) return true
  for (let at = 0; at < request.echoes; at++) {
    if (((received[start + DATA_AT + at]! - SHIFT) & 0xff) !== request.data[at]) return false
  }
  return true
}

/** The bits of an error word, as they are told. */
const REFUSALS = [
  [0x01, 'another error'],
  [0x02, 'there is no such data'],
  [0x04, 'the password is wrong or has no right to it'],
  [0x08, 'the speed cannot be changed'],
  [0x10, 'too many zones of the year'],
  [0x20, 'too many slots of the day'],
  [0x40, 'too many tariffs'],
] as const

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
 * @param signed the highest bit is a minus sign, or the direction
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
