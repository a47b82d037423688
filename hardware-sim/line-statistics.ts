/** The account of a line: what was asked and answered, and how much of the time the wire itself needed. */
export interface LineStatistics {
  /** Frames that the hub began. */
  readonly requests: number
  /** Answers that reached the hub whole. */
  readonly answers: number
  readonly answersByMeter: Readonly<Record<string, number>>
  /** Requests that began within 3.5 characters after the last answer's last byte. */
  readonly gapViolations: number
  /** Requests that began while somebody was speaking. */
  readonly collisions: number
  readonly bytesHeard: number
  readonly bytesSent: number
  /** What the answered exchanges take at the least: request, turnaround, answer and 3.5 characters of silence each. */
  readonly idealMs: number
  /** From the first request to the end of the silence after the last answer. */
  readonly elapsedMs: number
  /** `idealMs / elapsedMs`; 0 before the first answer. Above 1 only by breaking the silence. */
  readonly efficiency: number
  /** How late the last byte of an answer was handed over, on average and at the worst: what this measuring is worth. */
  readonly lateMs: number
  readonly lateMaxMs: number
}

export class LineCounters {
  requests = 0
  gapViolations = 0
  collisions = 0
  bytesHeard = 0
  bytesSent = 0
  firstRequestMs: number | undefined
  /** Kept through a reset: the gap after an answer does not begin anew. */
  lastAnswerEndMs = Number.NEGATIVE_INFINITY
  #answers = new Map<string, number>()
  #idealMs = 0
  #elapsedEndMs = 0
  #lateSumMs = 0
  #lateMaxMs = 0

  /** @param askedMs when the request began: one from before a reset is not counted. */
  answered(meter: string, askedMs: number, idealMs: number, gapMs: number, lateMs: number): void {
    if (this.firstRequestMs === undefined || askedMs < this.firstRequestMs) return
    this.#lateSumMs += lateMs
    this.#lateMaxMs = Math.max(this.#lateMaxMs, lateMs)
    this.#answers.set(meter, (this.#answers.get(meter) ?? 0) + 1)
    this.#idealMs += idealMs
    this.#elapsedEndMs = this.lastAnswerEndMs + gapMs
  }

  result(): LineStatistics {
    const elapsedMs = this.firstRequestMs === undefined ? 0 : Math.max(0, this.#elapsedEndMs - this.firstRequestMs)
    const answers = [...this.#answers.values()].reduce((sum, count) => sum + count, 0)
    return {
      requests: this.requests,
      answers,
      answersByMeter: Object.fromEntries(this.#answers),
      gapViolations: this.gapViolations,
      collisions: this.collisions,
      bytesHeard: this.bytesHeard,
      bytesSent: this.bytesSent,
      idealMs: this.#idealMs,
      elapsedMs,
      efficiency: elapsedMs === 0 ? 0 : this.#idealMs / elapsedMs,
      lateMs: answers === 0 ? 0 : this.#lateSumMs / answers,
      lateMaxMs: this.#lateMaxMs,
    }
  }

  reset(): void {
    this.requests = 0
    this.gapViolations = 0
    this.collisions = 0
    this.bytesHeard = 0
    this.bytesSent = 0
    this.firstRequestMs = undefined
    this.#answers = new Map()
    this.#idealMs = 0
    this.#elapsedEndMs = 0
    this.#lateSumMs = 0
    this.#lateMaxMs = 0
  }
}
