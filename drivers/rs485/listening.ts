import type { Question, Seen } from './codec/question.ts'

/** So much of what came is kept while an answer is looked for; a frame has 256 bytes at the most. */
const RECEIVED_BYTES_MAX = 2048
const RECEIVED_BYTES_KEPT = 512

/** What came since a request, and whether its answer is in it. */
export class Listening {
  readonly #question: Question
  readonly #echoKnown: boolean | undefined
  #received: Uint8Array = new Uint8Array(0)
  /** How many bytes the answer needs, with the echo that comes before it. */
  readonly wantedBytes: number
  missingBytes: number
  seen: Seen = 'nothing'
  /** Whether our own request came back; undefined when that can't be told. */
  echoed: boolean | undefined

  constructor(question: Question, echo: boolean | undefined) {
    this.#question = question
    this.#echoKnown = echo
    this.wantedBytes = question.answerBytes + (echo === true ? question.frame.length : 0)
    this.missingBytes = this.wantedBytes
  }

  /** @returns what the answer carries, once it is there */
  take(bytes: Uint8Array): Uint8Array | undefined {
    if (bytes.length > 0) this.#received = this.#received.length === 0 ? bytes : joined(this.#received, bytes)
    const { frame, answerEchoes } = this.#question
    const echoed = beginsWith(this.#received, frame)
    // Of two equal frames the first is the echo; with only one of them on a line that is not known yet, nobody can tell.
    const skip = answerEchoes && echoed && this.#echoKnown !== false ? frame.length : 0
    const match = this.#question.match(skip === 0 ? this.#received : this.#received.subarray(skip))
    if (!answerEchoes && (match.kind === 'answer' || this.#received.length === 0 || echoed)) this.echoed = echoed
    if (match.kind === 'answer') return match.payload
    this.missingBytes = match.missingBytes
    this.seen = match.seen === 'noise' && this.#received.length === frame.length && echoed ? 'nothing' : match.seen
    if (this.#received.length > RECEIVED_BYTES_MAX) this.#received = this.#received.slice(-RECEIVED_BYTES_KEPT)
    return undefined
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length)
  both.set(a)
  both.set(b, a.length)
  return both
}

function beginsWith(bytes: Uint8Array, start: Uint8Array): boolean {
  if (bytes.length < start.length) return false
  for (let at = 0; at < start.length; at++) if (bytes[at] !== start[at]) return false
  return true
}
