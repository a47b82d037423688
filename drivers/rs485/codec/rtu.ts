import { crc16 } from './crc16.ts'
import { EXCEPTION_BYTES, type PduRequest } from './pdu.ts'
import type { Match, Question, Seen } from './question.ts'

/* MODBUS over Serial Line V1.02, 2.5.1: address, PDU, CRC. */
const ADDRESS_BYTES = 1
const CRC_BYTES = 2
const ENVELOPE_BYTES = ADDRESS_BYTES + CRC_BYTES

/** An RTU frame: address, PDU and the CRC with its low byte first (2.5.1.2). */
export function rtuFrame(unit: number, pdu: Uint8Array): Uint8Array {
  const frame = new Uint8Array(pdu.length + ENVELOPE_BYTES)
  frame[0] = unit
  frame.set(pdu, ADDRESS_BYTES)
  const crc = crc16(frame, 0, frame.length - CRC_BYTES)
  frame[frame.length - 2] = crc & 0xff
  frame[frame.length - 1] = crc >> 8
  return frame
}

/**
 * A request to one device (2.1: units 1 to 247). RTU has no transaction number, so an answer is known by unit,
 * function, length and CRC alone; noise before it is skipped, because a frame that begins anywhere and passes all
 * four is the answer.
 */
export function rtuQuestion(unit: number, request: PduRequest): Question {
  const answerBytes = request.answerBytes + ENVELOPE_BYTES
  const frame = rtuFrame(unit, request.pdu)
  return {
    frame,
    answerBytes,
    answerEchoes: request.answerHead === request.pdu,
    match: (received) => matchRtu(received, unit, request, answerBytes),
  }
}

function matchRtu(received: Uint8Array, unit: number, request: PduRequest, answerBytes: number): Match {
  let missingBytes = answerBytes
  let seen: Seen = received.length === 0 ? 'nothing' : 'noise'
  for (let start = 0; start < received.length; start++) {
    const wanted = lengthOf(received, start, unit, request, answerBytes)
    if (wanted === 0) continue
    const end = start + wanted
    if (end > received.length) {
      missingBytes = Math.min(missingBytes, end - received.length)
    } else if (checks(received, start, end)) {
      return { kind: 'answer', payload: received.slice(start + ADDRESS_BYTES, end - CRC_BYTES), start, end }
    } else seen = 'damaged'
  }
  if (seen === 'noise' && isForeign(received, unit, answerBytes)) seen = 'another'
  return { kind: 'more', missingBytes, seen }
}

/** How long a frame that begins here would be; 0 when none of ours does. What is not there yet may still fit. */
function lengthOf(received: Uint8Array, start: number, unit: number, request: PduRequest, answerBytes: number): number {
  if (received[start] !== unit) return 0
  const { answerHead } = request
  if (received[start + 1] === (answerHead[0]! | 0x80)) return EXCEPTION_BYTES + ENVELOPE_BYTES
  const known = Math.min(answerHead.length, received.length - start - 1)
  for (let at = 0; at < known; at++) if (received[start + 1 + at] !== answerHead[at]) return 0
  return answerBytes
}

function checks(bytes: Uint8Array, start: number, end: number): boolean {
  const crc = crc16(bytes, start, end - CRC_BYTES)
  return bytes[end - 2] === (crc & 0xff) && bytes[end - 1] === crc >> 8
}

/** A frame of another unit that is whole: somebody else answers, or a second master asks. */
function isForeign(received: Uint8Array, unit: number, answerBytes: number): boolean {
  const lengths = [answerBytes, EXCEPTION_BYTES + ENVELOPE_BYTES, received.length]
  return lengths.some(
    (length) =>
      length >= EXCEPTION_BYTES + ENVELOPE_BYTES &&
      length <= received.length &&
      received[0] !== unit &&
      checks(received, 0, length),
  )
}
