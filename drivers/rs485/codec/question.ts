/**
 * One request on a line, as a dialect makes it, and how its answer is known. Everything here is pure: the line
 * knows when bytes came, the dialect what they mean.
 */
export interface Question {
  /** The whole frame, check and all. */
  readonly frame: Uint8Array
  /** How long the expected answer is, so that the process wakes up once for it. */
  readonly answerBytes: number
  /** Whether the answer looks the same as the request, so that an echo could be taken for it. */
  readonly answerEchoes: boolean
  /** Look for the answer in everything that came since the request, wherever it begins. */
  match(received: Uint8Array): Match
}

/** What stands in the received bytes. */
export type Match =
  /** The answer: what the frame carries, and where the frame ends. */
  | { readonly kind: 'answer'; readonly payload: Uint8Array; readonly start: number; readonly end: number }
  /** Not yet: at least so many more bytes are needed. `damaged`: a frame that looked right had a wrong check. */
  | { readonly kind: 'more'; readonly missingBytes: number; readonly seen: Seen }

/** What the bytes were that are no answer: for the account, and for the words of a time-out. */
export type Seen = 'nothing' | 'noise' | 'damaged' | 'another'
