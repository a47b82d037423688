import { crc16 } from './crc16.ts'

/** Unit, function, exception code, check sum: the shortest answer there is. */
export const ANSWER_BYTES_MIN = 5
/** Unit and check sum around a PDU. */
export const FRAME_EXTRA_BYTES = 3

/** Unit, PDU, CRC with its low byte first (Modbus over Serial Line V1.02, 2.5.1). */
export function encodeFrame(unit: number, pdu: Uint8Array): Uint8Array {
  const frame = new Uint8Array(pdu.length + FRAME_EXTRA_BYTES)
  frame[0] = unit
  frame.set(pdu, 1)
  const crc = crc16(frame, 0, pdu.length + 1)
  frame[pdu.length + 1] = crc & 0xff
  frame[pdu.length + 2] = crc >> 8
  return frame
}

export interface Expected {
  readonly unit: number
  readonly function: number
  /** Of the PDU of a normal answer. */
  readonly pduBytes: number
  /** Value of the second byte of the PDU of a normal answer: its byte count. */
  readonly byteCount: number
}

export type Search =
  | { readonly found: true; readonly pdu: Uint8Array; readonly noiseBytes: number }
  /** So many bytes more must come before it pays to look again. */
  | { readonly found: false; readonly missingBytes: number }

/**
 * Look for the answer in what arrived. It must begin with the unit and the function that were asked, have the
 * length that the request makes due, and a right check sum; whatever stands before it is noise. The silence
 * between frames is not looked at: an operating system does not keep it.
 */
export function findAnswer(bytes: Uint8Array, expected: Expected): Search {
  const fullBytes = expected.pduBytes + FRAME_EXTRA_BYTES
  let missingBytes = Math.max(1, ANSWER_BYTES_MIN - bytes.length)
  let candidates = 0
  for (let at = 0; at < bytes.length; at++) {
    const length = candidateBytes(bytes, at, expected, fullBytes)
    if (length === 0) continue
    if (at + length <= bytes.length) {
      if (hasRightCrc(bytes, at, length))
        return { found: true, pdu: bytes.slice(at + 1, at + length - 2), noiseBytes: at }
    } else if (candidates++ === 0) missingBytes = at + length - bytes.length
  }
  return { found: false, missingBytes }
}

/** How long the frame is that may begin here; 0 when none can. What is not there yet may still fit. */
function candidateBytes(bytes: Uint8Array, at: number, expected: Expected, fullBytes: number): number {
  if (bytes[at] !== expected.unit) return 0
  const second = bytes[at + 1]
  if (second === (expected.function | 0x80)) return ANSWER_BYTES_MIN
  if (second !== undefined && second !== expected.function) return 0
  const third = bytes[at + 2]
  return third === undefined || third === expected.byteCount ? fullBytes : 0
}

function hasRightCrc(bytes: Uint8Array, at: number, length: number): boolean {
  const crc = crc16(bytes, at, at + length - 2)
  return bytes[at + length - 2] === (crc & 0xff) && bytes[at + length - 1] === crc >> 8
}
