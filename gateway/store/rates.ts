import { EVENT_CLASSES, type EventClass } from '../contract/event.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** A rate is of the last day, in pieces of an hour. */
const PIECES = 24
/** Less than this and nobody can say what a day brings. */
const KNOWN_AFTER_MS = 10 * 60_000

interface Piece {
  readonly hour: number
  readonly bytes: Map<EventClass, number>
}

/** How many bytes each class brings a day, by the last day of monotonic time. */
export class Rates {
  readonly #sinceMonoMs: number
  #pieces: Piece[] = []
  #fresh = new Map<EventClass, number>()

  constructor(monoMs: number) {
    this.#sinceMonoMs = monoMs
  }

  added(name: EventClass, bytes: number): void {
    this.#fresh.set(name, (this.#fresh.get(name) ?? 0) + bytes)
  }

  /** What came since the last call came about now. */
  turn(monoMs: number): void {
    const hour = Math.floor(monoMs / HOUR_MS)
    let piece = this.#pieces.at(-1)
    if (piece?.hour !== hour) {
      piece = { hour, bytes: new Map() }
      this.#pieces.push(piece)
    }
    for (const [name, bytes] of this.#fresh) piece.bytes.set(name, (piece.bytes.get(name) ?? 0) + bytes)
    this.#fresh = new Map()
    this.#pieces = this.#pieces.filter((each) => each.hour > hour - PIECES)
  }

  /** Undefined until enough was seen. */
  bytesADay(monoMs: number): Readonly<Record<EventClass, number>> | undefined {
    const oldest = Math.max(this.#sinceMonoMs, (Math.floor(monoMs / HOUR_MS) - PIECES + 1) * HOUR_MS)
    const seenMs = monoMs - oldest
    if (seenMs < KNOWN_AFTER_MS) return undefined
    const of = (name: EventClass): number =>
      (this.#pieces.reduce((sum, { bytes }) => sum + (bytes.get(name) ?? 0), 0) / seenMs) * DAY_MS
    return Object.fromEntries(EVENT_CLASSES.map((name) => [name, of(name)])) as Record<EventClass, number>
  }
}
