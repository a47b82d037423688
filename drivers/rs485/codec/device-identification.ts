import { crc16 } from './crc16.ts'
import type { Match, Question } from './question.ts'
import { rtuFrame } from './rtu.ts'

/*
 * Read Device Identification (MODBUS Application Protocol V1.1b3, 6.21): function 43, MEI type 14. How long the
 * answer is, only the answer says.
 */
const FUNCTION = 0x2b
const MEI_TYPE = 0x0e
/** The basic objects: who made it, product code, revision. */
const BASIC = 0x01
/* In the frame: unit, function, MEI type, code, conformity, whether more follows, the next object, how many there are. */
const COUNT_AT = 7
const OBJECTS_AT = COUNT_AT + 1
const CRC_BYTES = 2
/** Unit, function with its top bit set, exception, CRC. */
const EXCEPTION_BYTES = 5
const FRAME_BYTES_MAX = 256
/** An answer of three texts as they mostly are: the line looks then whether it is there. */
const USUAL_BYTES = 40

/** @param unit 1 to 247 */
export function identificationQuestion(unit: number): Question {
  return {
    frame: rtuFrame(unit, Uint8Array.of(FUNCTION, MEI_TYPE, BASIC, 0)),
    answerBytes: USUAL_BYTES,
    answerEchoes: false,
    match: (received) => match(received, unit),
  }
}

function match(received: Uint8Array, unit: number): Match {
  let missingBytes = EXCEPTION_BYTES
  let seen: 'nothing' | 'noise' | 'damaged' = received.length === 0 ? 'nothing' : 'noise'
  for (let start = 0; start < received.length; start++) {
    const end = endOf(received, start, unit)
    if (end === undefined) continue
    if (end > received.length) missingBytes = Math.min(missingBytes, end - received.length)
    else if (checks(received, start, end)) {
      return { kind: 'answer', payload: received.slice(start + 1, end - CRC_BYTES), start, end }
    } else seen = 'damaged'
  }
  return { kind: 'more', missingBytes, seen }
}

/** Where a frame that begins here ends, as far as it is there; undefined where none of ours does. */
function endOf(received: Uint8Array, start: number, unit: number): number | undefined {
  if (received[start] !== unit) return undefined
  const code = received[start + 1]
  if (code === (FUNCTION | 0x80)) return start + EXCEPTION_BYTES
  if (code !== undefined && code !== FUNCTION) return undefined
  const count = received[start + COUNT_AT]
  let at = start + OBJECTS_AT
  for (let object = 0; object < (count ?? 0); object++) {
    const bytes = received[at + 1]
    // As far as can be seen there is at least this much more.
    if (bytes === undefined) return at + 2 + CRC_BYTES
    at += 2 + bytes
    if (at - start > FRAME_BYTES_MAX) return undefined
  }
  return at + CRC_BYTES
}

function checks(bytes: Uint8Array, start: number, end: number): boolean {
  const crc = crc16(bytes, start, end - CRC_BYTES)
  return bytes[end - 2] === (crc & 0xff) && bytes[end - 1] === crc >> 8
}

/** Who made it, what it is called, and its revision, as far as it says so. */
export interface DeviceIdentification {
  readonly maker?: string
  readonly model?: string
  readonly revision?: string
}

/** @param payload of an answer, as `identificationQuestion` gives it @returns undefined when the device refused */
export function readIdentification(payload: Uint8Array): DeviceIdentification | undefined {
  if (payload[0] !== FUNCTION) return undefined
  const names = ['maker', 'model', 'revision'] as const
  const found: { -readonly [Name in keyof DeviceIdentification]: string } = {}
  for (let at = OBJECTS_AT - 1; at + 1 < payload.length; ) {
    const name = names[payload[at]!]
    const bytes = payload[at + 1]!
    const text = Buffer.from(payload.subarray(at + 2, at + 2 + bytes)).toString('latin1')
    if (name !== undefined && text.trim() !== '') found[name] = text.trim()
    at += 2 + bytes
  }
  return found
}
