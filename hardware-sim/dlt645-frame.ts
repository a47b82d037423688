import { findFrame, START, summedFrame } from './summed-frame.ts'

/* DL/T 645-2007, 5.2: 68 A0..A5 68 C L DATA CS 16, 33H added to each byte of data. The 1997 edition has the same. */
const ADDRESS_AT = 1
export const ADDRESS_BYTES = 6
const SECOND_START_AT = 7
const CONTROL_AT = 8
const LENGTH_AT = 9
const DATA_AT = 10
const DATA_OFFSET = 0x33

export interface Dlt645Frame {
  /** Six bytes, the lowest digits first, as on the wire. */
  readonly address: Uint8Array
  readonly control: number
  /** As it is meant, without what is added on the wire. */
  readonly data: Uint8Array
}

export function writeDlt645({ address, control, data }: Dlt645Frame, wakeBytes: number): Uint8Array {
  const shifted = data.map((byte) => byte + DATA_OFFSET)
  return summedFrame(Uint8Array.of(START, ...address, START, control, data.length, ...shifted), wakeBytes)
}

/** The first frame among these bytes. */
export function readDlt645(bytes: Uint8Array): Dlt645Frame | undefined {
  const body = findFrame(bytes, LENGTH_AT, (head) => head[SECOND_START_AT] === START)
  if (body === undefined) return undefined
  return {
    address: body.slice(ADDRESS_AT, SECOND_START_AT),
    control: body[CONTROL_AT]!,
    data: Uint8Array.from(body.subarray(DATA_AT), (byte) => byte - DATA_OFFSET),
  }
}
