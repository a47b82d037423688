/**
 * Protocol data units: function code and data, without address and check.
 * MODBUS Application Protocol Specification V1.1b3; the clause stands at each function.
 */

/** Section 4.1: a PDU has at most 253 bytes. */
export const PDU_BYTES_MAX = 253
/** The most that one request may ask for or write: sections 6.1 to 6.4, 6.11 and 6.12. */
export const READ_BITS_MAX = 2000
export const READ_REGISTERS_MAX = 125
export const WRITE_BITS_MAX = 1968
export const WRITE_REGISTERS_MAX = 123

/** What the four tables of a device are called, and the function that reads each: sections 6.1 to 6.4. */
export const READ_FUNCTION = { coil: 1, discrete: 2, holding: 3, input: 4 } as const
export type Table = keyof typeof READ_FUNCTION

const ADDRESS_MAX = 0xffff
/** Section 6.5: what stands for a coil that is on. */
const COIL_ON = 0xff00

/** A request that the codec made, with what its answer has to look like. */
export interface PduRequest {
  readonly pdu: Uint8Array
  /** The answer's bytes that must be as here; the rest of it is data. */
  readonly answerHead: Uint8Array
  /** How long the answer is when it is none of the exceptions. */
  readonly answerBytes: number
  /** Whether it changes something: such a request is never repeated by itself. */
  readonly writes: boolean
}

/** Read coils (6.1), discrete inputs (6.2), holding registers (6.3) or input registers (6.4). */
export function readRequest(table: Table, address: number, count: number): PduRequest {
  const bits = table === 'coil' || table === 'discrete'
  inRange(address, count, bits ? READ_BITS_MAX : READ_REGISTERS_MAX)
  const code = READ_FUNCTION[table]
  const dataBytes = bits ? Math.ceil(count / 8) : count * 2
  const pdu = Uint8Array.of(code, address >> 8, address & 0xff, count >> 8, count & 0xff)
  return { pdu, answerHead: Uint8Array.of(code, dataBytes), answerBytes: 2 + dataBytes, writes: false }
}

/** Write one coil (6.5): the answer is the request. */
export function writeCoilRequest(address: number, on: boolean): PduRequest {
  inRange(address, 1, 1)
  return echoed(wordsPdu(5, address, on ? COIL_ON : 0))
}

/** Write one holding register (6.6): the answer is the request. @param word unsigned, 16 bits */
export function writeRegisterRequest(address: number, word: number): PduRequest {
  inRange(address, 1, 1)
  return echoed(wordsPdu(6, address, word))
}

/** Write coils in a row (6.11): the answer repeats address and count. */
export function writeCoilsRequest(address: number, values: readonly boolean[]): PduRequest {
  inRange(address, values.length, WRITE_BITS_MAX)
  const dataBytes = Math.ceil(values.length / 8)
  const pdu = new Uint8Array(6 + dataBytes)
  pdu.set(wordsPdu(15, address, values.length))
  pdu[5] = dataBytes
  values.forEach((on, at) => {
    if (on) pdu[6 + (at >> 3)]! |= 1 << (at & 7)
  })
  return { pdu, answerHead: pdu.slice(0, 5), answerBytes: 5, writes: true }
}

/** Write holding registers in a row (6.12): the answer repeats address and count. @param words unsigned, 16 bits each */
export function writeRegistersRequest(address: number, words: readonly number[]): PduRequest {
  inRange(address, words.length, WRITE_REGISTERS_MAX)
  const pdu = new Uint8Array(6 + words.length * 2)
  pdu.set(wordsPdu(16, address, words.length))
  pdu[5] = words.length * 2
  words.forEach((word, at) => {
    pdu[6 + at * 2] = (word >> 8) & 0xff
    pdu[7 + at * 2] = word & 0xff
  })
  return { pdu, answerHead: pdu.slice(0, 5), answerBytes: 5, writes: true }
}

/** What an answer says: its data behind the head, or the exception (section 7). */
export type PduAnswer =
  | { readonly kind: 'data'; readonly data: Uint8Array }
  | { readonly kind: 'exception'; readonly code: number }

/** @returns undefined when `pdu` is no answer to this request: another function, another length, another address. */
export function readAnswer(request: PduRequest, pdu: Uint8Array): PduAnswer | undefined {
  const code = request.pdu[0]!
  if (pdu.length === EXCEPTION_BYTES && pdu[0] === (code | 0x80)) return { kind: 'exception', code: pdu[1]! }
  if (pdu.length !== request.answerBytes) return undefined
  const { answerHead } = request
  for (let at = 0; at < answerHead.length; at++) if (pdu[at] !== answerHead[at]) return undefined
  return { kind: 'data', data: pdu.subarray(answerHead.length) }
}

/** Section 7: function code with its top bit set, and the exception code. */
export const EXCEPTION_BYTES = 2

/** Section 7, and what it says in words. */
export const EXCEPTIONS: Readonly<Record<number, string>> = {
  1: 'illegal function',
  2: 'illegal data address',
  3: 'illegal data value',
  4: 'server device failure',
  5: 'acknowledge: it takes longer',
  6: 'server device busy',
  8: 'memory parity error',
  10: 'gateway path unavailable',
  11: 'gateway target device failed to respond',
}

/** The n-th register of the data of a read answer, counted from 0 (6.3, 6.4: high byte first). */
export function wordAt(data: Uint8Array, at: number): number {
  return (data[at * 2]! << 8) | data[at * 2 + 1]!
}

/** The n-th coil or input of the data of a read answer, counted from 0 (6.1, 6.2: lowest bit first). */
export function bitAt(data: Uint8Array, at: number): boolean {
  return ((data[at >> 3]! >> (at & 7)) & 1) === 1
}

function wordsPdu(code: number, address: number, word: number): Uint8Array {
  return Uint8Array.of(code, address >> 8, address & 0xff, (word >> 8) & 0xff, word & 0xff)
}

function echoed(pdu: Uint8Array): PduRequest {
  return { pdu, answerHead: pdu, answerBytes: pdu.length, writes: true }
}

/** Only a bug of ours asks for what the specification does not have: profiles are checked before. */
function inRange(address: number, count: number, most: number): void {
  const whole = Number.isInteger(address) && Number.isInteger(count)
  if (!whole || address < 0 || count < 1 || count > most || address + count - 1 > ADDRESS_MAX) {
    throw new RangeError(`${count} from address ${address}: 1 to ${most} within 0 to ${ADDRESS_MAX} is possible`)
  }
}
