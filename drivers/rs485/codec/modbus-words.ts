import { crc16 } from './crc16.ts'
import { type Candidate, hexByte, type Way } from './found-frame.ts'
import { EXCEPTIONS } from './pdu.ts'

/* MODBUS over Serial Line V1.02, 2.2: 248 to 255 are nobody's. */
const UNITS_MAX = 247
const CRC_BYTES = 2
/* MODBUS Application Protocol V1.1b3, section 7. */
const EXCEPTION = 0x80
const EXCEPTION_BYTES = 5
/** Unit, function, two words, CRC: every request to read, and what writes one thing, with its answer. */
const SHORT_BYTES = 8
/** Unit, function, number of bytes. */
const READ_HEAD_BYTES = 3
/** Unit, function, address, count, number of bytes. */
const WRITE_HEAD_BYTES = 7

/** What each function is about, one of it and several (sections 6.1 to 6.6, 6.11, 6.12). */
const READS: Readonly<Record<number, readonly [one: string, several: string]>> = {
  1: ['coil', 'coils'],
  2: ['discrete input', 'discrete inputs'],
  3: ['holding register', 'holding registers'],
  4: ['input register', 'input registers'],
}
const WRITES: Readonly<Record<number, readonly [one: string, several: string]>> = {
  5: ['coil', 'coils'],
  6: ['holding register', 'holding registers'],
  15: ['coil', 'coils'],
  16: ['holding register', 'holding registers'],
}

/** Frames of Modbus RTU that may begin here: nothing in them says whether they are a request or an answer. */
export function modbusCandidates(bytes: Uint8Array, start: number, way: Way): readonly Candidate[] {
  const unit = bytes[start]!
  const code = bytes[start + 1]
  if (code === undefined || unit > UNITS_MAX) return []
  const frame = (length: number, words: () => string): Candidate => ({
    end: start + length,
    wrong: () => wrongCrc(bytes, start, start + length),
    words,
  })
  if ((code & EXCEPTION) !== 0) {
    if (doing(code & ~EXCEPTION) === undefined) return []
    return [frame(EXCEPTION_BYTES, () => refusal(unit, code & ~EXCEPTION, bytes[start + 2]!))]
  }
  const requests = requestLengths(bytes, start, code).map((length) => frame(length, () => request(bytes, start, way)))
  const answers = answerLengths(bytes, start, code).map((length) => frame(length, () => answer(bytes, start)))
  return way === 'out' ? [...requests, ...answers] : [...answers, ...requests]
}

function requestLengths(bytes: Uint8Array, start: number, code: number): number[] {
  if (code === 15 || code === 16) return [WRITE_HEAD_BYTES + (bytes[start + WRITE_HEAD_BYTES - 1] ?? 1) + CRC_BYTES]
  return READS[code] === undefined && WRITES[code] === undefined ? [] : [SHORT_BYTES]
}

function answerLengths(bytes: Uint8Array, start: number, code: number): number[] {
  if (WRITES[code] !== undefined) return [SHORT_BYTES]
  if (READS[code] === undefined) return []
  const dataBytes = bytes[start + 2] ?? 1
  // Registers have two bytes each: an odd number is no answer.
  return dataBytes === 0 || (code >= 3 && dataBytes % 2 === 1) ? [] : [READ_HEAD_BYTES + dataBytes + CRC_BYTES]
}

/** A request that comes in is our own, brought back by the adapter, or another master's. */
function request(bytes: Uint8Array, start: number, way: Way): string {
  const code = bytes[start + 1]!
  const [address, word] = [wordAt(bytes, start + 2), wordAt(bytes, start + 4)]
  const asked = way === 'out' ? `unit ${bytes[start]}` : `a request to unit ${bytes[start]}`
  if (code === 5) return `${asked}: set coil ${address} ${word === 0 ? 'off' : 'on'}`
  if (code === 6) return `${asked}: set holding register ${address} to ${word}`
  return `${asked}: ${doing(code)} ${places(address, word)}`
}

function answer(bytes: Uint8Array, start: number): string {
  const [unit, code] = [bytes[start]!, bytes[start + 1]!]
  const read = READS[code]
  if (read === undefined) return `unit ${unit} has done it: ${request(bytes, start, 'out').replace(/^unit \d+: /, '')}`
  const dataBytes = bytes[start + 2]!
  if (code <= 2) return `unit ${unit} answers: ${read[1]} in ${dataBytes} ${dataBytes === 1 ? 'byte' : 'bytes'}`
  const count = dataBytes / 2
  return `unit ${unit} answers: ${count} ${read[count === 1 ? 0 : 1]}`
}

function refusal(unit: number, code: number, exception: number): string {
  const words = EXCEPTIONS[exception] ?? 'which the specification does not know'
  return `unit ${unit} refuses to ${doing(code)}: exception ${exception}, ${words}`
}

function doing(code: number): string | undefined {
  if (READS[code] !== undefined) return `read ${READS[code][1]}`
  if (WRITES[code] === undefined) return undefined
  return `set ${WRITES[code][code < 15 ? 0 : 1]}`
}

function places(address: number, count: number): string {
  return count <= 1 ? String(address) : `${address} to ${address + count - 1}`
}

/** The high byte first (section 4.2). */
function wordAt(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!
}

function wrongCrc(bytes: Uint8Array, start: number, end: number): string | undefined {
  const crc = crc16(bytes, start, end - CRC_BYTES)
  const [low, high] = [crc & 0xff, crc >> 8]
  if (bytes[end - 2] === low && bytes[end - 1] === high) return undefined
  return `CRC ${hexByte(bytes[end - 2]!)} ${hexByte(bytes[end - 1]!)}, ${hexByte(low)} ${hexByte(high)} is right`
}
