import type { SerialSettings } from '../gateway/contract/io.ts'

/**
 * Something on a line that answers: given the bytes of a request it yields the bytes of an answer, or nothing
 * when the request is not for it. Any protocol fits, because only the meter looks into the bytes.
 */
export interface Meter {
  readonly id: string
  /** The speed and framing it listens to; undefined: whatever the line is set to. */
  readonly settings?: SerialSettings
  /** From the end of the request to the first bit of the answer. */
  readonly turnaroundMs: number
  answer(request: Uint8Array): Uint8Array | undefined
  /** The same answer as `unit` would have given it, its check right: for the fault `wrong-unit`. */
  disguise(answer: Uint8Array, unit: number): Uint8Array
  /** The answer that refuses this request with an error code of the protocol. */
  refuse(request: Uint8Array, code: number): Uint8Array
}
