/*
 * What DL/T 645 (5.2) and CJ/T 188 (frame format) have in common: bytes that wake the other end, then a frame from 68H
 * to 16H, whose sum is the last byte but one. The waking bytes are not in the sum.
 */
export const START = 0x68
const END = 0x16
const WAKE = 0xfe
/** More of them neither standard has. */
export const WAKE_BYTES_MAX = 4

/** @param body from the first 68H to the last byte of data. @param wakeBytes how many FEH go before. */
export function summedFrame(body: Uint8Array, wakeBytes: number): Uint8Array {
  return Buffer.concat([Buffer.alloc(wakeBytes, WAKE), body, Buffer.of(sumOf(body), END)])
}

/**
 * The first whole frame with a right sum among these bytes.
 * @param lengthAt where in the frame the number of its data bytes stands, which follow at once
 * @param fits whether the frame, up to its length, can be one of this protocol
 * @returns from the first 68H to the last byte of data
 */
export function findFrame(
  bytes: Uint8Array,
  lengthAt: number,
  fits: (head: Uint8Array) => boolean = () => true,
): Uint8Array | undefined {
  for (let start = bytes.indexOf(START); start !== -1; start = bytes.indexOf(START, start + 1)) {
    const frame = bytes.subarray(start)
    const length = frame[lengthAt]
    if (length === undefined || !fits(frame)) continue
    const body = frame.subarray(0, lengthAt + 1 + length)
    if (frame[body.length] === sumOf(body) && frame[body.length + 1] === END) return body
  }
  return undefined
}

/** The same frame with another byte at `at`, counted from its 68H, and a right sum. */
export function withByte(frame: Uint8Array, at: number, value: number): Uint8Array {
  const wakeBytes = frame.indexOf(START)
  return summedFrame(frame.subarray(wakeBytes, -2).with(at, value), wakeBytes)
}

function sumOf(bytes: Uint8Array): number {
  return bytes.reduce((sum, byte) => (sum + byte) & 0xff, 0)
}
