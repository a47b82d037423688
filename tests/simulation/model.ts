import type { Entry, EventClass, NewEvent, StoredEvent } from '../../gateway/contract/event.ts'
import type { Position } from '../../gateway/store/store.ts'
import type { VirtualClock } from '../../hardware-sim/clock.ts'
import { Broken, must } from './broken.ts'
import { checkGap } from './gap-check.ts'
import type { Machine } from './machine.ts'
import { Places, partsOf } from './places.ts'

interface Offer {
  readonly event: NewEvent
  readonly n: number
  /** The start of the machine in which it was made. */
  readonly boot: number
}

/** A log that begins anew tells so: with a record at one place, and an alarm and an audit event behind it. */
const TELLING = 3

interface Range {
  readonly after: number
  readonly lastSeq: number
}

/**
 * What must hold, told by what was seen from outside: what was offered and acknowledged, what a reader reads, where cursors
 * stand, what the platform acknowledged. It shares nothing with the log's own code (L1 to L8, L10, L12, L13).
 */
export class Model {
  readonly #clock: VirtualClock
  readonly #machine: Machine
  readonly #keepMs: Readonly<Record<EventClass, number>> | undefined
  /** Every event that was offered, by its body, which no other event has, and its number. */
  readonly #offered = new Map<string, Offer>()
  readonly #logs = new Map<string, Places>()
  /** Where each stood when it was looked at last. */
  readonly #cursors = new Map<string, Position>()
  #epoch: string | undefined
  /** Bytes of the file were changed: what was in them may be lost, and told. */
  #damaged = false
  #salvaged = false
  deliveries = 0
  duplicates = 0
  /** Events that went by their age. */
  aged = 0

  /** @param keepMs how long each class is kept, in a world in which the room is never short */
  constructor(clock: VirtualClock, machine: Machine, keepMs: Readonly<Record<EventClass, number>> | undefined) {
    this.#clock = clock
    this.#machine = machine
    this.#keepMs = keepMs
  }

  get goesByAge(): boolean {
    return this.#keepMs !== undefined
  }

  offered(event: NewEvent, n: number): void {
    this.#offered.set(event.body, { event, n, boot: this.#machine.boot })
  }

  acked(epoch: string, firstSeq: number, events: readonly NewEvent[]): void {
    const places = this.#of(epoch)
    for (const [n, { body, class: name, monoMs }] of events.entries()) {
      must(!places.acked.has(firstSeq + n), () => `L4: ${epoch}/${firstSeq + n} was given out twice`)
      places.acked.set(firstSeq + n, body)
      places.know(firstSeq + n, name, monoMs)
    }
  }

  /** The file may still hold what nobody wrote: whoever meets it is refused, until the log was begun anew. */
  get mayBeDamaged(): boolean {
    return this.#damaged
  }

  damaged(): void {
    this.#damaged = true
  }

  /** The log opened: what was acknowledged in this epoch is within its end. @param doubt the disk let nobody write where it ended */
  opened(epoch: string, lastSeq: number, doubt: boolean): void {
    const before = this.#epoch
    if (before !== undefined && before !== epoch) {
      must(this.#damaged || doubt, () => `L4: the log was begun anew after ${before}, and nothing was a reason for it`)
      this.#logs.set(epoch, this.#of(before).copied(lastSeq - TELLING))
      this.#salvaged ||= this.#damaged
      this.#damaged = false
    }
    this.#epoch = epoch
    if (this.#salvaged) return
    for (const seq of this.#of(epoch).acked.keys())
      must(seq <= lastSeq, () => `L1: ${epoch}/${seq} was acknowledged, and the log ends at ${lastSeq}`)
  }

  trimmed(epoch: string, seq: number): void {
    const places = this.#of(epoch)
    places.trimmedSeq = Math.max(places.trimmedSeq, seq)
  }

  /** Everything that a reader gets from behind a place to the end. */
  read(epoch: string, range: Range, entries: readonly Entry[]): void {
    const { after, lastSeq } = range
    const places = this.#of(epoch)
    const { acked, seen } = places
    const held = this.#readEntries(places, epoch, range, entries)
    // What was there and is under a gap record now nobody has to have.
    for (const seq of seen.keys()) if (seq > after && !held.has(seq)) seen.delete(seq)
    for (const [seq, body] of acked) {
      // What is not there is under a gap record: the coverage has just proved it.
      if (held.has(seq))
        must(seen.get(seq) === body, () => `L1: ${epoch}/${seq} holds something else than was acknowledged there`)
      must(seq <= lastSeq || this.#salvaged, () => `L1: ${epoch}/${seq} is gone from the end`)
    }
    this.#checkGaps(places, entries, after === 0)
  }

  #readEntries(places: Places, epoch: string, { after, lastSeq }: Range, entries: readonly Entry[]): Set<number> {
    const last = new Map<string, number>()
    const held = new Set<number>()
    let next = after + 1
    for (const entry of entries) {
      must(entry.epoch === epoch, () => `L5: an entry of ${entry.epoch} in ${epoch}`)
      const from = entry.kind === 'event' ? entry.seq : Math.max(entry.fromSeq, after + 1)
      must(from === next, () => `L5: ${next} to ${from - 1} is missing and not told, or told twice`)
      next = (entry.kind === 'event' ? entry.seq : entry.toSeq) + 1
      if (entry.kind !== 'event') continue
      held.add(entry.seq)
      this.#readEvent(entry, last, places)
    }
    must(next === lastSeq + 1, () => `L5: the reader came to ${next - 1}, the log to ${lastSeq}`)
    return held
  }

  #readEvent(entry: StoredEvent, last: Map<string, number>, places: Places): void {
    const place = `${entry.epoch}/${entry.seq}`
    const before = places.seen.get(entry.seq)
    must(before === undefined || before === entry.body, () => `L4: ${place} held ${before}, and now ${entry.body}`)
    if (before === undefined) {
      places.seen.set(entry.seq, entry.body)
      places.know(entry.seq, entry.class, entry.monoMs)
    }
    if (isOwn(entry)) return
    const offer = this.#offered.get(entry.body)
    if (offer === undefined) throw new Broken(`L2: ${place} was never offered: ${entry.body}`)
    this.#machine.checkTime(offer.event, offer.boot, entry, this.#salvaged || this.#damaged)
    if (before === undefined) {
      for (const name of ['class', 'type', 'source', 'privacy', 'monoMs'] as const)
        must(
          offer.event[name] === entry[name],
          () => `L2: ${name} of ${place} is ${entry[name]}, was ${offer.event[name]}`,
        )
    }
    must((last.get(entry.source) ?? 0) < offer.n, () => `L3: ${entry.source} is out of order at ${place}`)
    last.set(entry.source, offer.n)
  }

  #checkGaps(places: Places, entries: readonly Entry[], whole: boolean): void {
    const bytes = { telemetry: 0, status: 0, alarm: 0, audit: 0 }
    let readings = 0
    for (const entry of entries) {
      if (entry.kind !== 'event') continue
      bytes[entry.class] += entry.body.length
      if (entry.class === 'telemetry') readings += 1
    }
    const allowed = {
      damage: this.#damaged || this.#salvaged,
      keepMs: this.#keepMs,
      nowMonoMs: this.#clock.monoMs(),
      readings,
    }
    for (const entry of entries) if (entry.kind === 'gap') this.aged += checkGap(entry, places, allowed)
    if (whole) places.parts = partsOf(bytes)
  }

  /** L6: a cursor never moves back, unless its owner asks or the log is another one. */
  cursor(consumer: string, at: Position | undefined): void {
    const before = this.#cursors.get(consumer)
    // The record of a cursor may have been what was damaged: then its owner sees events again.
    if (at === undefined || this.#damaged || this.#salvaged) return
    must(
      before?.epoch !== at.epoch || before.seq <= at.seq,
      () => `L6: ${consumer} went from ${before?.seq} back to ${at.seq}`,
    )
    this.#cursors.set(consumer, { ...at })
  }

  /** Whether it moved nobody could say. */
  cursorUnsure(consumer: string): void {
    this.#cursors.delete(consumer)
  }

  /** L6: nobody moved this cursor since it was seen last. */
  stands(consumer: string, at: Position | undefined): void {
    const before = this.#cursors.get(consumer)
    if (before === undefined || this.#damaged || this.#salvaged) return
    must(
      at?.epoch === before.epoch && at.seq === before.seq,
      () => `L6: ${consumer} stood at ${before.seq}, and stands at ${at?.seq} though nobody moved it`,
    )
  }

  /** Its owner asked for it. */
  cursorReset(consumer: string, at: Position): void {
    this.#cursors.set(consumer, { ...at })
  }

  /** The platform acknowledged an event; it may have had it before. */
  delivered(epoch: string, seq: number): void {
    const { taken } = this.#of(epoch)
    this.deliveries += 1
    if (taken.has(seq)) this.duplicates += 1
    taken.add(seq)
  }

  /** The platform acknowledged the record of a gap. */
  told(epoch: string, fromSeq: number, toSeq: number, quarantined: boolean): void {
    const places = this.#of(epoch)
    for (let seq = Math.max(fromSeq, places.upstreamSeq + 1); seq <= toSeq; seq++) places.taken.add(seq)
    if (quarantined) places.refusedForGood.add(fromSeq)
  }

  /** L10: up to its cursor the platform has acknowledged everything, or that it is missing. */
  upstream(epoch: string, cursorSeq: number): void {
    const places = this.#of(epoch)
    for (let seq = places.upstreamSeq + 1; seq <= cursorSeq; seq++)
      must(
        places.taken.has(seq),
        () =>
          `L10: the cursor stands at ${cursorSeq}, and the platform never acknowledged ${seq}, nor that it is missing`,
      )
    places.upstreamSeq = Math.max(places.upstreamSeq, cursorSeq)
  }

  /** L10: nothing is given up that the platform would have taken. @param poison by its body */
  onlyRefused(epoch: string, poison: ReadonlySet<string>): void {
    const places = this.#of(epoch)
    for (const seq of places.refusedForGood) {
      const body = places.acked.get(seq) ?? places.seen.get(seq)
      must(
        body === undefined || poison.has(body),
        () => `L10: ${epoch}/${seq} was given up, though the platform takes it`,
      )
    }
  }

  /** L1: a copy of the log holds what was acknowledged before it was begun, each event at its place, or tells what is missing. */
  copied(epoch: string, atLeastSeq: number, entries: readonly Entry[]): void {
    const { seen, acked } = this.#of(epoch)
    let next = 1
    for (const entry of entries) {
      const from = entry.kind === 'event' ? entry.seq : entry.fromSeq
      must(from === next, () => `L5: ${next} to ${from - 1} is missing in a copy and not told`)
      next = (entry.kind === 'event' ? entry.seq : entry.toSeq) + 1
      const damage = entry.kind === 'gap' && entry.reason === 'corrupt' && !this.#damaged && !this.#salvaged
      must(!damage, () => `L1: a copy lacks ${from} to ${next - 1}, which nobody damaged`)
      if (entry.kind !== 'event' || isOwn(entry)) continue
      const body = acked.get(entry.seq) ?? seen.get(entry.seq) ?? entry.body
      must(body === entry.body, () => `L1: a copy holds ${entry.body} at ${entry.seq}, the log ${body}`)
    }
    must(
      next > atLeastSeq,
      () => `L1: a copy ends at ${next - 1}, and ${atLeastSeq} was acknowledged before it was taken`,
    )
  }

  /** What the log has let go of need not be remembered. */
  forget(epoch: string, firstSeq: number): void {
    for (const of of this.#logs.keys()) if (of !== epoch) this.#logs.delete(of)
    this.#of(epoch).forget(Math.min(firstSeq, this.#of(epoch).upstreamSeq + 1))
  }

  /** L12: once nothing fails any more, everything that is held reaches the platform. */
  drained(epoch: string): void {
    const { seen, taken } = this.#of(epoch)
    for (const seq of seen.keys()) must(taken.has(seq), () => `L12: ${epoch}/${seq} never reached the platform`)
  }

  #of(epoch: string): Places {
    let places = this.#logs.get(epoch)
    if (places === undefined) {
      places = new Places()
      this.#logs.set(epoch, places)
    }
    return places
  }
}

/** What the log tells of itself nobody offered. */
function isOwn({ type }: StoredEvent): boolean {
  return /^linli\.(log|audit)\./.test(type) || type === 'linli.meter.summary'
}
