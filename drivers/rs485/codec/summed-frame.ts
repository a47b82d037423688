import type { Match, Seen } from './question.ts'

/* What the frames of DL/T 645 and CJ/T 188 have in common: they begin with 68H, end with a sum and 16H, and FEH wake the meter. */
export const WAKE = [0xfe, 0xfe, 0xfe, 0xfe]
export const START = 0x68
const END = 0x16
/** The sum and the end. */
export const TAIL_BYTES = 2

/** A byte of an address that stands for any two digits. */
export const ANY = 0xaa

/** A whole frame with the bytes that wake the meter. @param content all between the first 68H and the sum */
export function summedFrame(content: readonly number[]): Uint8Array {
  const frame = Uint8Array.from([...WAKE, START, ...content, 0, END])
  frame[frame.length - TAIL_BYTES] = sum(frame, WAKE.length, frame.length - TAIL_BYTES)
  return frame
}

/** Digits as they are printed on a meter, or `A` for any: on the wire the lowest come first. */
export function wireAddress(address: string): Uint8Array {
  return Uint8Array.from(Buffer.from(address, 'hex').reverse())
}

/** Whether the address that begins at `at` is the wanted one, or one of those. */
export function isAddress(received: Uint8Array, at: number, wanted: Uint8Array): boolean {
  return wanted.every((byte, place) => byte === ANY || received[at + place] === byte)
}

export interface FrameShape {
  /** How long the shortest frame is that may come. */
  readonly leastBytes: number
  /** Where a frame would end that begins at this 68H; undefined where none does. What is not there yet may still fit. */
  readonly endOf: (received: Uint8Array, start: number) => number | undefined
  /** Whether a whole frame is the answer. */
  readonly answers: (received: Uint8Array, start: number) => boolean
  readonly payload: (received: Uint8Array, start: number, end: number) => Uint8Array
}

/** Look for the answer: 68H and 16H may stand within a frame too, so each place where one could begin is tried. */
export function huntFrame(received: Uint8Array, shape: FrameShape): Match {
  let missingBytes = shape.leastBytes
  let seen: Seen = received.length === 0 ? 'nothing' : 'noise'
  for (let start = 0; start < received.length; start++) {
    const end = received[start] === START ? shape.endOf(received, start) : undefined
    if (end === undefined) continue
    if (end > received.length) {
      missingBytes = Math.min(missingBytes, end - received.length)
    } else if (!isWhole(received, start, end)) {
      seen = 'damaged'
    } else if (shape.answers(received, start)) {
      return { kind: 'answer', payload: shape.payload(received, start, end), start, end }
    } else {
      seen = 'another'
      // A whole frame: nothing in it begins another one.
      start = end - 1
    }
  }
  return { kind: 'more', missingBytes, seen }
}

function isWhole(received: Uint8Array, start: number, end: number): boolean {
  return received[end - 1] === END && received[end - TAIL_BYTES] === sum(received, start, end - TAIL_BYTES)
}

/** Modulo 256, of everything from the first 68H on. */
function sum(bytes: Uint8Array, from: number, to: number): number {
  let total = 0
  for (let at = from; at < to; at++) total += bytes[at]!
  return total & 0xff
}
