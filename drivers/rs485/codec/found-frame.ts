/* What the words of every dialect have in common: bytes in, what stands in them out. */

/** Which way bytes went: from us to the line, or from the line to us. */
export type Way = 'out' | 'in'

/** A frame that may begin at a place, as its first bytes say. */
export interface Candidate {
  /** The byte behind its last; it may not be there yet. */
  readonly end: number
  /** What is wrong with its check; undefined where it is right. Asked only of a frame that is all there. */
  wrong(): string | undefined
  /** What it says. Asked only of a frame that is all there. */
  words(): string
}

/** What may begin here, the likeliest first. */
export type Candidates = (bytes: Uint8Array, start: number, way: Way) => readonly Candidate[]

/** `0x1F` as `1F`. */
export function hexByte(byte: number): string {
  return byte.toString(16).padStart(2, '0').toUpperCase()
}
