/**
 * A fault is what the world does to us: it says how far its damage goes, and one table
 * (`gateway/core/policy.ts`) says what follows. Anything thrown that is not a Fault is a bug of ours.
 */

/** How far a fault reaches, from the smallest to the largest. */
export type Reach = 'reply' | 'point' | 'device' | 'connection' | 'setup'

export interface FaultDetail {
  /** What a person can do about it, one sentence. */
  readonly hint?: string
  /** A short stable word for programs and metrics, such as `crc` or `timeout`. */
  readonly code?: string
  readonly cause?: unknown
}

export class Fault extends Error {
  readonly reach: Reach
  readonly code: string
  readonly hint: string | undefined

  /** @param message what was found, with the value, in English, without a full stop. */
  constructor(reach: Reach, message: string, detail: FaultDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause })
    this.name = 'Fault'
    this.reach = reach
    this.code = detail.code ?? reach
    this.hint = detail.hint
  }
}

export function isFault(error: unknown): error is Fault {
  return error instanceof Fault
}
