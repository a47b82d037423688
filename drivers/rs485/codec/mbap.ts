/* MODBUS Messaging on TCP/IP Implementation Guide V1.0b, 3.1.3: transaction, protocol 0, length, unit, PDU. */
const HEADER_BYTES = 7
/** Unit identifier and a PDU of at most 253 bytes. */
const LENGTH_MAX = 254
const LENGTH_MIN = 2

/** The shortest thing worth waking up for. */
export const MBAP_HEADER_BYTES = HEADER_BYTES
export const TRANSACTIONS = 0x10000

/** @param transaction 0 to 65535 */
export function mbapFrame(transaction: number, unit: number, pdu: Uint8Array): Uint8Array {
  const frame = new Uint8Array(HEADER_BYTES + pdu.length)
  const length = pdu.length + 1
  frame[0] = transaction >> 8
  frame[1] = transaction & 0xff
  frame[4] = length >> 8
  frame[5] = length & 0xff
  frame[6] = unit
  frame.set(pdu, HEADER_BYTES)
  return frame
}

export interface MbapFrame {
  readonly transaction: number
  readonly unit: number
  readonly pdu: Uint8Array
}

/** Whole frames from the front of a stream, and what is left of it. */
export interface MbapFrames {
  readonly frames: readonly MbapFrame[]
  readonly rest: Uint8Array
  /** The stream has lost its place, which can't be found again: the connection has to be made anew. */
  readonly lost?: string
}

export function mbapFrames(bytes: Uint8Array): MbapFrames {
  const frames: MbapFrame[] = []
  let at = 0
  while (bytes.length - at >= HEADER_BYTES) {
    const protocol = (bytes[at + 2]! << 8) | bytes[at + 3]!
    const length = (bytes[at + 4]! << 8) | bytes[at + 5]!
    if (protocol !== 0)
      return { frames, rest: bytes.subarray(at), lost: `protocol identifier ${protocol} in place of 0` }
    if (length < LENGTH_MIN || length > LENGTH_MAX) {
      return {
        frames,
        rest: bytes.subarray(at),
        lost: `a length of ${length}, where ${LENGTH_MIN} to ${LENGTH_MAX} is possible`,
      }
    }
    const end = at + 6 + length
    if (end > bytes.length) break
    const transaction = (bytes[at]! << 8) | bytes[at + 1]!
    frames.push({ transaction, unit: bytes[at + 6]!, pdu: bytes.subarray(at + HEADER_BYTES, end) })
    at = end
  }
  return { frames, rest: at === 0 ? bytes : bytes.subarray(at) }
}
