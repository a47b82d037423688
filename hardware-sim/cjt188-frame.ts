import { findFrame, START, summedFrame } from './summed-frame.ts'

/* CJ/T 188-2004: 68 T A0..A6 C L DATA CS 16. Nothing is added to the data. */
const TYPE_AT = 1
const ADDRESS_AT = 2
export const ADDRESS_BYTES = 7
const CONTROL_AT = 9
const LENGTH_AT = 10
const DATA_AT = 11

export interface Cjt188Frame {
  readonly type: number
  /** Seven bytes, the lowest digits first, as on the wire. */
  readonly address: Uint8Array
  readonly control: number
  readonly data: Uint8Array
}

export function writeCjt188({ type, address, control, data }: Cjt188Frame, wakeBytes: number): Uint8Array {
  return summedFrame(Uint8Array.of(START, type, ...address, control, data.length, ...data), wakeBytes)
}

/** The first frame among these bytes. */
export function readCjt188(bytes: Uint8Array): Cjt188Frame | undefined {
  const body = findFrame(bytes, LENGTH_AT)
  if (body === undefined) return undefined
  return {
    type: body[TYPE_AT]!,
    address: body.slice(ADDRESS_AT, CONTROL_AT),
    control: body[CONTROL_AT]!,
    data: body.slice(DATA_AT),
  }
}
