import { EVENT_CLASSES, type EventClass } from '../../gateway/contract/event.ts'

/** What was said of one epoch, by place. */
export class Places {
  readonly acked = new Map<number, string>()
  /** What was ever read at a place: never anything else again. */
  readonly seen = new Map<number, string>()
  /** What the platform acknowledged: the event, or the record that tells of its absence. */
  readonly taken = new Set<number>()
  /** Of these the platform was told that it will not get them. */
  readonly refusedForGood = new Set<number>()
  /** Up to here it was looked at whether the platform has it. */
  upstreamSeq = 0
  /** Somebody let go of everything up to here by hand. */
  trimmedSeq = 0
  /** Of these it was looked at why they are gone. */
  readonly gone = new Set<number>()
  readonly #classes: (EventClass | undefined)[] = []
  readonly #monoMs: number[] = []
  /** The part of the bodies that each class had when all of it was read last. */
  parts: Partial<Record<EventClass, number>> = {}

  know(seq: number, name: EventClass, monoMs: number): void {
    this.#classes[seq] = name
    this.#monoMs[seq] = monoMs
  }

  classAt(seq: number): EventClass | undefined {
    return this.#classes[seq]
  }

  monoMsAt(seq: number): number | undefined {
    return this.#monoMs[seq]
  }

  /** How many events of each class stood between two places, as far as anybody knows, and of how many nobody does. */
  countsOf(fromSeq: number, toSeq: number): Record<EventClass | 'unknown', number> {
    const counts = { telemetry: 0, status: 0, alarm: 0, audit: 0, unknown: 0 }
    for (let seq = fromSeq; seq <= toSeq; seq++) counts[this.#classes[seq] ?? 'unknown'] += 1
    return counts
  }

  /** What was let go of need not be remembered, but for what it was. */
  forget(firstSeq: number): void {
    for (const seq of this.acked.keys()) if (seq < firstSeq) this.acked.delete(seq)
    for (const seq of this.seen.keys()) if (seq < firstSeq) this.seen.delete(seq)
    for (const seq of this.taken) if (seq < firstSeq) this.taken.delete(seq)
  }

  /** What stands in a log that was built from this one, each event at its place. */
  copied(lastSeq: number): Places {
    const copy = new Places()
    for (const [seq, body] of this.acked) if (seq <= lastSeq) copy.acked.set(seq, body)
    for (const [seq, body] of this.seen) if (seq <= lastSeq) copy.seen.set(seq, body)
    for (let seq = 1; seq <= lastSeq; seq++) {
      const name = this.#classes[seq]
      if (name !== undefined) copy.know(seq, name, this.#monoMs[seq] ?? 0)
    }
    for (const seq of this.taken) if (seq <= lastSeq) copy.taken.add(seq)
    copy.upstreamSeq = Math.min(this.upstreamSeq, lastSeq)
    copy.trimmedSeq = lastSeq
    return copy
  }
}

export function partsOf(bytes: Readonly<Record<EventClass, number>>): Partial<Record<EventClass, number>> {
  const all = EVENT_CLASSES.reduce((sum, name) => sum + bytes[name], 0)
  return Object.fromEntries(EVENT_CLASSES.map((name) => [name, all === 0 ? 0 : bytes[name] / all]))
}
