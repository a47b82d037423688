import { readDlt645 } from './dlt645.ts'
import { type Candidate, hexByte } from './found-frame.ts'
import { START, TAIL_BYTES } from './summed-frame.ts'

/* DL/T 645-2007 and -1997, and CJ/T 188-2004: where in a frame things stand. */
const DLT645 = {
  addressAt: 1,
  addressBytes: 6,
  secondStartAt: 7,
  controlAt: 8,
  envelopeBytes: 12,
  shift: 0x33,
} as const
const CJT188 = { typeAt: 1, addressAt: 2, addressBytes: 7, controlAt: 9, envelopeBytes: 13 } as const
const END = 0x16
/** Bits of a control code, in both. */
const FROM_METER = 0x80
const REFUSED = 0x40
const MORE_FOLLOWS = 0x20

/** Functions of a master by their codes (DL/T 645-2007, 5.2; the first four with the codes of 1997). */
const DLT645_DOES: Readonly<Record<number, string>> = {
  1: 'read',
  2: 'read on',
  3: 'authenticate',
  4: 'write',
  8: 'set all clocks to',
  17: 'read',
  18: 'read on',
  19: 'read the address',
  20: 'write',
  21: 'write the address',
  22: 'freeze',
  23: 'set the speed',
  24: 'change the password',
  25: 'clear the demand',
  26: 'clear the meter',
  27: 'clear the events',
  28: 'switch the relay',
  29: 'set the output',
}
/** How long the data identifier is, where the function has one. */
const IDENTIFIER_BYTES: Readonly<Record<number, number>> = { 1: 2, 2: 2, 4: 2, 17: 4, 18: 4, 20: 4 }

/** CJ/T 188-2004, 7.2. */
const CJT188_DOES: Readonly<Record<number, string>> = {
  1: 'read',
  3: 'read the address',
  4: 'write',
  9: 'read the version of the key',
  21: 'write the address',
  22: 'write the base reading',
}
const CJT188_TYPES: Readonly<Record<number, string>> = {
  16: 'cold water meter',
  17: 'hot water meter',
  18: 'drinking water meter',
  19: 'reclaimed water meter',
  32: 'heat meter',
  33: 'cooling meter',
  34: 'heat and cooling meter',
  48: 'gas meter',
  64: 'other meter',
  170: 'meter',
}
/** A data identifier begins with this at the least, whichever of its bytes comes first: 901FH, D120H, A017H. */
const IDENTIFIER_HIGH_MIN = 0x80

export function dlt645Candidates(bytes: Uint8Array, start: number): readonly Candidate[] {
  const { secondStartAt, controlAt, envelopeBytes } = DLT645
  if (bytes[start] !== START || (bytes[start + secondStartAt] ?? START) !== START) return []
  const end = start + envelopeBytes + (bytes[start + controlAt + 1] ?? 0)
  return [{ end, wrong: () => wrongSum(bytes, start, end), words: () => dlt645Words(bytes.subarray(start, end)) }]
}

export function cjt188Candidates(bytes: Uint8Array, start: number): readonly Candidate[] {
  const type = bytes[start + CJT188.typeAt]
  if (bytes[start] !== START || (type !== undefined && CJT188_TYPES[type] === undefined)) return []
  const end = start + CJT188.envelopeBytes + (bytes[start + CJT188.controlAt + 1] ?? 0)
  return [{ end, wrong: () => wrongSum(bytes, start, end), words: () => cjt188Words(bytes.subarray(start, end)) }]
}

function dlt645Words(frame: Uint8Array): string {
  const { addressAt, addressBytes, controlAt, shift } = DLT645
  const control = frame[controlAt]!
  const data = frame.subarray(controlAt + 2, frame.length - TAIL_BYTES).map((byte) => byte - shift)
  const code = control & 0x1f
  const does = DLT645_DOES[code] ?? `do function ${hexByte(code)}H`
  const identifierBytes = IDENTIFIER_BYTES[code] ?? 0
  const what = data.length < identifierBytes ? '' : highestFirst(data.subarray(0, identifierBytes))
  const meter = meterName('meter', frame.subarray(addressAt, addressAt + addressBytes))
  if ((control & FROM_METER) === 0) return `${meter}: ${`${does} ${what}`.trim()}`
  if ((control & REFUSED) !== 0) {
    const told = readDlt645(Uint8Array.of(control, ...data))
    return `${meter} refuses to ${does}: ${told.kind === 'refused' ? told.reason : ''}`
  }
  const more = (control & MORE_FOLLOWS) === 0 ? '' : ', more follows'
  return `${meter} answers: ${carried(what, data.length - identifierBytes)}${more}`
}

function cjt188Words(frame: Uint8Array): string {
  const { typeAt, addressAt, addressBytes, controlAt } = CJT188
  const control = frame[controlAt]!
  const data = frame.subarray(controlAt + 2, frame.length - TAIL_BYTES)
  const code = control & 0x3f
  const does = CJT188_DOES[code] ?? `do function ${hexByte(code)}H`
  const meter = meterName(CJT188_TYPES[frame[typeAt]!]!, frame.subarray(addressAt, addressAt + addressBytes))
  if ((control & FROM_METER) !== 0 && (control & REFUSED) !== 0) {
    // The number of the request, then two bytes of state.
    return `${meter} refuses to ${does}: state ${[...data.subarray(1)].map(hexByte).join(' ')}`
  }
  const what = identifier(data)
  return (control & FROM_METER) === 0
    ? `${meter}: ${does} ${what}`.trim()
    : `${meter} answers: ${carried(what, Math.max(0, data.length - 3))}`
}

function carried(what: string, bytes: number): string {
  const size = `${bytes} ${bytes === 1 ? 'byte' : 'bytes'}`
  return what === '' ? size : `${what}, ${size}`
}

/** As it is printed in the standard; many meters turn it round. */
function identifier([first, second]: Uint8Array): string {
  if (first === undefined || second === undefined) return ''
  const turned = first < IDENTIFIER_HIGH_MIN && second >= IDENTIFIER_HIGH_MIN
  return turned ? `${hexByte(second)}${hexByte(first)} (low byte first)` : `${hexByte(first)}${hexByte(second)}`
}

function meterName(kind: string, address: Uint8Array): string {
  const digits = highestFirst(address)
  if (/^(AA)+$/.test(digits)) return `any ${kind}`
  return /^(99)+$/.test(digits) ? `all ${kind}s` : `${kind} ${digits}`
}

function highestFirst(bytes: Uint8Array): string {
  return [...bytes].reverse().map(hexByte).join('')
}

function wrongSum(bytes: Uint8Array, start: number, end: number): string | undefined {
  let sum = 0
  for (let at = start; at < end - TAIL_BYTES; at++) sum = (sum + bytes[at]!) & 0xff
  const found = bytes[end - TAIL_BYTES]!
  if (found !== sum) return `sum ${hexByte(found)}, ${hexByte(sum)} is right`
  return bytes[end - 1] === END ? undefined : `it ends with ${hexByte(bytes[end - 1]!)}, not with 16`
}
