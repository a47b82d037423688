import type { Entry, NewEvent, StoredEvent } from '../../gateway/contract/event.ts'

/**
 * What must hold, told by what was seen from outside: what was offered and acknowledged, what a reader reads, where cursors
 * stand, what the platform acknowledged. It shares nothing with the log's own code (L1 to L8, L10, L11).
 */
export class Model {
  /** Every event that was offered, by its body, which no other event has, and its number. */
  readonly #offered = new Map<string, { readonly event: NewEvent; readonly n: number }>()
  readonly #logs = new Map<string, Told>()
  readonly #cursors = new Map<string, { epoch: string; seq: number }>()
  #epoch: string | undefined
  deliveries = 0
  duplicates = 0

  offered(event: NewEvent, n: number): void {
    this.#offered.set(event.body, { event, n })
  }

  acked(epoch: string, firstSeq: number, events: readonly NewEvent[]): void {
    const { acked } = this.#of(epoch)
    for (const [n, { body }] of events.entries()) {
      must(!acked.has(firstSeq + n), `L4: ${epoch}/${firstSeq + n} was given out twice`)
      acked.set(firstSeq + n, body)
    }
  }

  /** The log opened: what was acknowledged in this epoch is within its end. */
  opened(epoch: string, lastSeq: number): void {
    // Nothing in this world damages a file, so nothing is a reason for a new epoch.
    must(this.#epoch === undefined || this.#epoch === epoch, `L4: the log was begun anew after ${this.#epoch}`)
    this.#epoch = epoch
    for (const seq of this.#of(epoch).acked.keys()) {
      must(seq <= lastSeq, `L1: ${epoch}/${seq} was acknowledged, and the log ends at ${lastSeq}`)
    }
  }

  /** Everything that a reader gets from behind a place to the end. */
  read(epoch: string, range: { readonly after: number; readonly lastSeq: number }, entries: readonly Entry[]): void {
    const { after, lastSeq } = range
    const { acked, seen } = this.#of(epoch)
    const last = new Map<string, number>()
    const held = new Set<number>()
    let next = after + 1
    for (const entry of entries) {
      must(entry.epoch === epoch, `L5: an entry of ${entry.epoch} in ${epoch}`)
      const from = entry.kind === 'event' ? entry.seq : Math.max(entry.fromSeq, after + 1)
      must(from === next, `L5: ${next} to ${from - 1} is missing and not told, or told twice`)
      next = (entry.kind === 'event' ? entry.seq : entry.toSeq) + 1
      if (entry.kind !== 'event') continue
      held.add(entry.seq)
      this.#readEvent(entry, last, seen)
    }
    must(next === lastSeq + 1, `L5: the reader came to ${next - 1}, the log to ${lastSeq}`)
    // What was there and is under a gap record now nobody has to have.
    for (const seq of seen.keys()) if (seq > after && !held.has(seq)) seen.delete(seq)
    for (const [seq, body] of acked) {
      // What is not there is under a gap record: the coverage above has just proved it.
      if (held.has(seq))
        must(seen.get(seq) === body, `L1: ${epoch}/${seq} holds something else than was acknowledged there`)
      must(seq <= lastSeq, `L1: ${epoch}/${seq} is gone from the end`)
    }
  }

  #readEvent(entry: StoredEvent, last: Map<string, number>, seen: Map<number, string>): void {
    const place = `${entry.epoch}/${entry.seq}`
    const before = seen.get(entry.seq)
    must(before === undefined || before === entry.body, `L4: ${place} held ${before}, and now ${entry.body}`)
    seen.set(entry.seq, entry.body)
    if (entry.type.startsWith('linli.log.') || entry.type === 'linli.meter.summary') return
    const offer = this.#offered.get(entry.body)
    if (offer === undefined) throw new Broken(`L2: ${place} was never offered: ${entry.body}`)
    if (before === undefined) {
      for (const name of ['class', 'type', 'source', 'privacy', 'monoMs', 'wallMs', 'clock'] as const) {
        must(offer.event[name] === entry[name], `L2: ${name} of ${place} is ${entry[name]}, was ${offer.event[name]}`)
      }
    }
    must((last.get(entry.source) ?? 0) < offer.n, `L3: ${entry.source} is out of order at ${place}`)
    last.set(entry.source, offer.n)
  }

  /** L6: a cursor never moves back, unless its owner asks or the log is another one. */
  cursor(consumer: string, at: { readonly epoch: string; readonly seq: number } | undefined): void {
    if (at === undefined) return
    const before = this.#cursors.get(consumer)
    must(
      before?.epoch !== at.epoch || before.seq <= at.seq,
      `L6: ${consumer} went from ${before?.seq} back to ${at.seq}`,
    )
    this.#cursors.set(consumer, { ...at })
  }

  /** The platform acknowledged an event; it may have had it before. */
  delivered(epoch: string, seq: number): void {
    const { taken } = this.#of(epoch)
    this.deliveries += 1
    if (taken.has(seq)) this.duplicates += 1
    taken.add(seq)
  }

  /** L10: up to its cursor the platform has acknowledged everything that was ever held. */
  upstream(epoch: string, cursorSeq: number): void {
    const log = this.#of(epoch)
    for (const seq of log.seen.keys()) {
      if (seq <= log.upstreamSeq || seq > cursorSeq) continue
      must(log.taken.has(seq), `L10: the cursor stands at ${cursorSeq}, and the platform never acknowledged ${seq}`)
    }
    log.upstreamSeq = Math.max(log.upstreamSeq, cursorSeq)
  }

  /** What the log has let go of need not be remembered. */
  forget(epoch: string, firstSeq: number): void {
    for (const of of this.#logs.keys()) if (of !== epoch) this.#logs.delete(of)
    const { acked, seen, taken } = this.#of(epoch)
    for (const seq of acked.keys()) if (seq < firstSeq) acked.delete(seq)
    for (const [seq, body] of seen) {
      if (seq >= firstSeq) continue
      seen.delete(seq)
      this.#offered.delete(body)
    }
    for (const seq of taken) if (seq < firstSeq) taken.delete(seq)
  }

  /** L12: once nothing fails any more, everything that is held reaches the platform. */
  drained(epoch: string): void {
    const { seen, taken } = this.#of(epoch)
    for (const seq of seen.keys()) must(taken.has(seq), `L12: ${epoch}/${seq} never reached the platform`)
  }

  #of(epoch: string): Told {
    let told = this.#logs.get(epoch)
    if (told === undefined) {
      told = { acked: new Map(), seen: new Map(), taken: new Set(), upstreamSeq: 0 }
      this.#logs.set(epoch, told)
    }
    return told
  }
}

/** What was said of one epoch, by place. */
interface Told {
  readonly acked: Map<number, string>
  /** What was ever read at a place: never anything else again. */
  readonly seen: Map<number, string>
  /** What the platform acknowledged. */
  readonly taken: Set<number>
  /** Up to here it was looked at whether it did. */
  upstreamSeq: number
}

/** A promise is broken. */
export class Broken extends Error {}

function must(holds: boolean, what: string): void {
  if (!holds) throw new Broken(what)
}
