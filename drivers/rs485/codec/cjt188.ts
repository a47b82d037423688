import type { Question } from './question.ts'
import { ANY, huntFrame, isAddress, summedFrame, TAIL_BYTES, WAKE, wireAddress } from './summed-frame.ts'

/*
 * CJ/T 188-2004, water, heat and gas meters of China: a frame is 68H, the type of the meter, seven bytes of
 * address with the lowest digits first, a control code, a length, data, the sum of it all modulo 256, and 16H. A
 * master wakes the meter with two to four FEH before it.
 */
const ADDRESS_BYTES = 7
const TYPE_AT = 1
const ADDRESS_AT = TYPE_AT + 1
const CONTROL_AT = ADDRESS_AT + ADDRESS_BYTES
const LENGTH_AT = CONTROL_AT + 1
const DATA_AT = LENGTH_AT + 1
/** All of a frame but its data. */
const ENVELOPE_BYTES = DATA_AT + TAIL_BYTES
/** No frame that is read carries more. */
const DATA_BYTES_MAX = 0x64

/** Bits of the control code. */
const FROM_METER = 0x80
const REFUSED = 0x40
const FUNCTION = 0x3f
/** Two bytes of data identifier, and the number of the request. */
const HEAD_BYTES = 3

/**
 * Which byte of a data identifier comes first: as the standard of 2004 prints it (`901F`), or turned round, as that of
 * 2018 and many meters have it that say they are of 2004.
 */
export type IdentifierOrder = 'high-first' | 'low-first'

/** What a master asks of one meter. */
export interface Cjt188Request {
  /** 10H cold water, 11H hot, 20H heat, 30H gas ...; AAH any. */
  readonly type: number
  /** Fourteen characters: digits as they are printed on the meter, or `A` for any. */
  readonly address: string
  /** Function: 01H read, 03H read the address, 04H write. */
  readonly control: number
  /** Such as 0x901f, what a meter shows now. */
  readonly identifier: number
  readonly order: IdentifierOrder
  /** Counts the requests to one meter, 0 to 255. Many answer 0 whatever it was, so no answer is known by it. */
  readonly serial: number
  /** What goes out behind it. */
  readonly data?: Uint8Array
  /** How much comes back behind the head of the data, most likely. */
  readonly answerBytes: number
}

/** The answer's payload is its type, its seven bytes of address, its control code and its data. */
export function cjt188Question(request: Cjt188Request): Question {
  const wanted = wireAddress(request.address)
  return {
    frame: cjt188Frame(request),
    answerBytes: WAKE.length + ENVELOPE_BYTES + HEAD_BYTES + request.answerBytes,
    answerEchoes: false,
    match: (received) =>
      huntFrame(received, {
        leastBytes: ENVELOPE_BYTES + HEAD_BYTES,
        endOf,
        answers: (bytes, start) => answers(bytes, start, wanted, request),
        payload: payloadOf,
      }),
  }
}

function cjt188Frame({ type, address, control, identifier, order, serial, data = new Uint8Array() }: Cjt188Request) {
  const head = [...identifierBytes(identifier, order), serial & 0xff]
  return summedFrame([type, ...wireAddress(address), control, head.length + data.length, ...head, ...data])
}

function identifierBytes(identifier: number, order: IdentifierOrder): readonly [number, number] {
  const [high, low] = [identifier >> 8, identifier & 0xff]
  return order === 'high-first' ? [high, low] : [low, high]
}

function endOf(received: Uint8Array, start: number): number | undefined {
  // The shortest answer is a refusal: a number and two bytes of state.
  const length = received[start + LENGTH_AT] ?? HEAD_BYTES
  if (length < HEAD_BYTES || length > DATA_BYTES_MAX) return undefined
  return start + ENVELOPE_BYTES + length
}

function payloadOf(received: Uint8Array, start: number, end: number): Uint8Array {
  const data = received.subarray(start + DATA_AT, end - TAIL_BYTES)
  const payload = new Uint8Array(CONTROL_AT + data.length)
  payload.set(received.subarray(start + TYPE_AT, start + CONTROL_AT + 1))
  payload.set(data, CONTROL_AT)
  return payload
}

function answers(received: Uint8Array, start: number, wanted: Uint8Array, request: Cjt188Request): boolean {
  const type = received[start + TYPE_AT]
  if (request.type !== ANY && type !== request.type) return false
  if (!isAddress(received, start + ADDRESS_AT, wanted)) return false
  const control = received[start + CONTROL_AT]!
  if ((control & FROM_METER) === 0 || (control & FUNCTION) !== request.control) return false
  if ((control & REFUSED) !== 0) return true
  // Some answer in the other order, whichever they were asked in.
  const [first, second] = identifierBytes(request.identifier, request.order)
  const [a, b] = [received[start + DATA_AT], received[start + DATA_AT + 1]]
  return (a === first && b === second) || (a === second && b === first)
}

/** What an answer brought. */
export type Cjt188Answer =
  | {
      readonly kind: 'data'
      readonly type: number
      /** As it is printed on the meter. */
      readonly address: string
      readonly order: IdentifierOrder
      /** Without its head. */
      readonly data: Uint8Array
    }
  /** @field state the two bytes of state, as they came */
  | { readonly kind: 'refused'; readonly state: string }

/** @param payload of an answer, as `cjt188Question` gives it @param identifier that was asked for */
export function readCjt188(payload: Uint8Array, identifier: number): Cjt188Answer {
  const control = payload[CONTROL_AT - 1] ?? 0
  const content = payload.subarray(CONTROL_AT)
  if ((control & REFUSED) !== 0) return { kind: 'refused', state: Buffer.from(content.subarray(1)).toString('hex') }
  return {
    kind: 'data',
    type: payload[0] ?? 0,
    address: Buffer.from(payload.slice(1, CONTROL_AT - 1).reverse()).toString('hex'),
    order: content[0] === identifier >> 8 ? 'high-first' : 'low-first',
    data: content.subarray(HEAD_BYTES),
  }
}

/** A unit byte, as a symbol and what a number in it is multiplied by; undefined for one that is not known. */
export function unitOf(byte: number): { readonly unit: string; readonly scale: number } | undefined {
  return UNITS[byte]
}

const UNITS: Readonly<Record<number, { readonly unit: string; readonly scale: number }>> = {
  1: { unit: 'J', scale: 1 },
  2: { unit: 'Wh', scale: 1 },
  5: { unit: 'kWh', scale: 1 },
  8: { unit: 'MWh', scale: 1 },
  10: { unit: 'MWh', scale: 100 },
  11: { unit: 'kJ', scale: 1 },
  14: { unit: 'MJ', scale: 1 },
  17: { unit: 'GJ', scale: 1 },
  19: { unit: 'GJ', scale: 100 },
  20: { unit: 'W', scale: 1 },
  23: { unit: 'kW', scale: 1 },
  26: { unit: 'MW', scale: 1 },
  41: { unit: 'L', scale: 1 },
  44: { unit: 'm3', scale: 1 },
  50: { unit: 'L/h', scale: 1 },
  53: { unit: 'm3/h', scale: 1 },
}
