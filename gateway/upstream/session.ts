import { cloudEventJson, eventId } from '../contract/cloud-event.ts'
import type { Entry, Gap } from '../contract/event.ts'
import type { Position } from '../store/store.ts'
import { fullJitterMs } from './backoff.ts'
import type { Confirmer } from './confirmer.ts'
import { type Link, LinkLost, type Refusal } from './link.ts'
import type { PumpParts, PumpState } from './pump-state.ts'
import { ReadAhead } from './read-ahead.ts'
import { isPoison, newSuspect, PAUSE_FIRST_MS, pauseMaxMs, type Suspect } from './suspects.ts'
import { topicOf } from './topics.ts'
import { type Item, type Slot, Window } from './window.ts'

/** What is in flight when the hub stops gets so long to be acknowledged. */
const FAREWELL_MS = 1000

/**
 * The time of one connection: read ahead, keep the window full, move the cursor over what is acknowledged in order.
 * Acknowledgements are handled in the callback itself, without a promise an event; the window is filled once for
 * all the acknowledgements of one segment, so that what goes out leaves in one write.
 */
export class Session {
  readonly #parts: PumpParts
  readonly #state: PumpState
  readonly #confirmer: Confirmer
  readonly #link: Link
  readonly #window: Window
  readonly #ahead: ReadAhead
  readonly #windowMax: number
  /** How much of the window may be used now. */
  #open: number
  #accepted = 0
  #fillDue = false
  /** Nothing new is sent. */
  #ending = false
  /** Nothing that is said of this connection counts any more. */
  #over = false
  #timedOut: LinkLost | undefined
  #emptied: (() => void) | undefined
  #cancelWatch: (() => void) | undefined
  #cancelRetry: (() => void) | undefined

  constructor(parts: PumpParts, state: PumpState, confirmer: Confirmer, link: Link) {
    this.#parts = parts
    this.#state = state
    this.#confirmer = confirmer
    this.#link = link
    this.#windowMax = Math.max(1, Math.min(parts.window, link.receiveMaximum))
    this.#open = state.cautious ? 1 : this.#windowMax
    this.#window = new Window(this.#windowMax)
    const { store, rights, classes } = parts
    this.#ahead = new ReadAhead({
      store,
      rights,
      ...(classes === undefined ? {} : { classes }),
      arrived: () => this.#fill(),
      passed: (seq, last) => this.#pass(seq, last),
    })
  }

  async run(from: Position, signal: AbortSignal): Promise<LinkLost | undefined> {
    const over = new AbortController()
    const ending = AbortSignal.any([signal, over.signal])
    // Ends by rejection only: with the abort's reason, which is no news, or with the store's fault.
    const reading = this.#ahead.run(from, ending).catch((error: unknown) => {
      if (!ending.aborted) throw error
    })
    try {
      const gone = this.#link.gone.then((lost) => ({ lost }))
      const first = await Promise.race([gone, reading])
      if (first !== undefined) return this.#lost(first.lost)
      await this.#farewell()
      return undefined
    } finally {
      this.#ending = true
      this.#over = true
      over.abort()
      this.#cancelWatch?.()
      this.#cancelRetry?.()
      await reading.catch(() => undefined)
    }
  }

  /** Send until the window is full or nothing is left to send. */
  #fill(besidesRefused = false): void {
    this.#fillDue = false
    if (this.#ending || (this.#cancelRetry !== undefined && !besidesRefused)) return
    const nowMs = this.#parts.clock.monoMs()
    while (this.#window.length < this.#open) {
      const item = this.#ahead.take()
      if (item === undefined) break
      const slot: Slot = { item, ...this.#message(item.entry), sentMs: nowMs, state: 'sent' }
      this.#window.push(slot)
      this.#send(slot)
    }
    if (this.#window.length > 0) this.#watch(this.#parts.publishTimeoutMs)
  }

  #send(slot: Slot): void {
    this.#link.publish(slot.topic, slot.payload, (refusal) => {
      if (refusal !== undefined) this.#refused(slot, refusal)
      else this.#acknowledged(slot)
    })
  }

  #acknowledged(slot: Slot): void {
    if (this.#over || slot.state !== 'sent') return
    slot.state = 'acknowledged'
    this.#accepted += 1
    this.#state.counts.acknowledged += 1
    this.#state.cautious = false
    if (this.#open < this.#windowMax) this.#open = Math.min(this.#windowMax, this.#open * 2)
    this.#advance()
    if (this.#fillDue) return
    this.#fillDue = true
    // Runs behind the acknowledgements that came in the same segment: mqtt.js hands them out by process.nextTick.
    queueMicrotask(() => this.#fill())
  }

  /** Move the cursor over the unbroken run of acknowledged messages at the front. */
  #advance(): void {
    const before = this.#window.length
    const last = this.#window.settle()
    if (last === undefined) return
    this.#moveTo(last.item.after, before - this.#window.length)
    if (this.#window.length === 0) this.#emptied?.()
  }

  #moveTo(seq: number, events: number): void {
    const position = this.#state.position
    if (position === undefined || seq <= position.seq) return
    this.#state.position = { epoch: position.epoch, seq }
    if (this.#state.suspects.size > 0) this.#acquit(seq)
    this.#confirmer.advance(this.#state.position, events)
  }

  #acquit(upTo: number): void {
    for (const place of this.#state.suspects.keys()) if (place <= upTo) this.#state.suspects.delete(place)
  }

  #pass(seq: number, last: Item | undefined): void {
    if (last !== undefined) last.after = Math.max(last.after, seq)
    if (this.#window.length === 0 && this.#ahead.isEmpty) this.#moveTo(seq, 0)
  }

  #refused(slot: Slot, refusal: Refusal): void {
    if (this.#ending || slot.state !== 'sent') return
    slot.state = 'refused'
    this.#state.counts.refused += 1
    const { clock, log, random } = this.#parts
    const suspect = this.#suspect(slot.item)
    suspect.refusals += 1
    suspect.lastRefusal = refusal
    if (suspect.refusals === 1) {
      const { message, reasonCode } = refusal
      log.warn('the broker refused an event', { event: this.#idOf(slot), reasonCode, reason: message })
    }
    if (isPoison(suspect, clock.monoMs(), this.#state.counts.acknowledged)) this.#giveUp(slot, suspect)
    if (this.#cancelRetry !== undefined) return
    const pauseMs = fullJitterMs(suspect.refusals, PAUSE_FIRST_MS, pauseMaxMs(refusal), random)
    this.#cancelRetry = clock.after(pauseMs, () => this.#retry())
  }

  /** Nothing new is sent between a refusal and this moment, so a broker over its quota is not pushed further over it. */
  #retry(): void {
    this.#cancelRetry = undefined
    const nowMs = this.#parts.clock.monoMs()
    for (const slot of this.#window.slots()) {
      if (slot.state !== 'refused') continue
      slot.state = 'sent'
      slot.sentMs = nowMs
      this.#send(slot)
    }
    // Others go with it, once: when they are taken and it is not, it is the event and not the broker.
    this.#fill(true)
  }

  /** Put the gap record in the event's place; when even that is poison, say so and go on. */
  #giveUp(slot: Slot, suspect: Suspect): void {
    if (suspect.quarantined) {
      this.#parts.log.error('a gap record could not be delivered', { event: this.#idOf(slot) })
      slot.state = 'acknowledged'
      this.#advance()
      return
    }
    this.#quarantine(slot.item.entry, suspect, suspect.lastRefusal?.message ?? 'refused')
    Object.assign(slot, this.#message(slot.item.entry))
  }

  #quarantine(entry: Entry, suspect: Suspect, reason: string): void {
    suspect.quarantined = true
    suspect.refusals = 0
    suspect.closings = 0
    this.#state.counts.quarantined += 1
    const event = eventId(this.#parts.hub, entry)
    const hint = 'it stays in the log and can be had over HTTP; a gap record goes up in its place'
    this.#parts.log.warn('an event was taken out of the way of the others', { event, reason, hint })
  }

  /** The bytes for an entry, or for the gap record in its place when it can't be delivered. */
  #message(entry: Entry): { topic: string; payload: Buffer } {
    const { hub, clock } = this.#parts
    const suspect = this.#state.suspects.get(placeOf(entry))
    if (suspect?.quarantined !== true) {
      const topic = topicOf(hub, entry)
      const payload = Buffer.from(cloudEventJson(hub, entry))
      if (this.#link.packetBytes(topic, payload.length) <= this.#link.packetBytesMax) return { topic, payload }
      if (entry.kind === 'gap') return { topic, payload }
      const tooLarge = this.#suspectAt(placeOf(entry), clock.monoMs())
      this.#quarantine(
        entry,
        tooLarge,
        `its packet is larger than the ${this.#link.packetBytesMax} bytes the broker takes`,
      )
    }
    const gap = entry.kind === 'gap' ? entry : quarantineGap(entry)
    return { topic: topicOf(hub, gap), payload: Buffer.from(cloudEventJson(hub, gap)) }
  }

  #suspect(item: Item): Suspect {
    return this.#suspectAt(placeOf(item.entry), this.#parts.clock.monoMs())
  }

  #suspectAt(place: number, nowMs: number): Suspect {
    const known = this.#state.suspects.get(place)
    if (known !== undefined) return known
    const suspect = newSuspect(nowMs, this.#state.counts.acknowledged)
    this.#state.suspects.set(place, suspect)
    return suspect
  }

  #idOf(slot: Slot): string {
    return eventId(this.#parts.hub, slot.item.entry)
  }

  /** One timer for the whole window; it looks at the oldest message in flight. */
  #watch(afterMs: number): void {
    this.#cancelWatch ??= this.#parts.clock.after(afterMs, () => {
      this.#cancelWatch = undefined
      const { clock, publishTimeoutMs } = this.#parts
      let oldestMs = Number.POSITIVE_INFINITY
      for (const slot of this.#window.slots()) if (slot.state === 'sent') oldestMs = Math.min(oldestMs, slot.sentMs)
      const leftMs = oldestMs + publishTimeoutMs - clock.monoMs()
      if (leftMs > 0) {
        if (this.#window.length > 0) this.#watch(Math.min(leftMs, publishTimeoutMs))
        return
      }
      this.#state.counts.timeouts += 1
      this.#timedOut = new LinkLost(`no PUBACK within ${publishTimeoutMs} ms; the connection is taken for dead`)
      this.#link.destroy()
    })
  }

  /** In flight is forgotten: all of it is read again from the cursor on the next connection. */
  #lost(reason: LinkLost | undefined): LinkLost | undefined {
    if (this.#window.length > 0 && this.#accepted === 0) {
      this.#state.cautious = true
      const front = this.#window.slots().next().value
      if (front !== undefined && this.#window.length === 1 && this.#timedOut === undefined) this.#closedOver(front)
    }
    return this.#timedOut ?? reason
  }

  #closedOver(slot: Slot): void {
    const { clock } = this.#parts
    const suspect = this.#suspect(slot.item)
    suspect.closings += 1
    if (suspect.quarantined || !isPoison(suspect, clock.monoMs(), this.#state.counts.acknowledged)) return
    this.#quarantine(slot.item.entry, suspect, 'the broker closed the connection each time it was sent')
  }

  /** The hub stops: nothing new is sent, and what is in flight may still be acknowledged, so that it is not sent twice. */
  async #farewell(): Promise<void> {
    this.#ending = true
    if (this.#window.length === 0) return
    const { clock } = this.#parts
    await new Promise<void>((resolve) => {
      const cancel = clock.after(FAREWELL_MS, resolve)
      this.#emptied = () => {
        cancel()
        resolve()
      }
      void this.#link.gone.then(this.#emptied)
    })
  }
}

function placeOf(entry: Entry): number {
  return entry.kind === 'event' ? entry.seq : entry.fromSeq
}

function quarantineGap(event: Exclude<Entry, Gap>): Gap {
  const { epoch, seq, wallMs } = event
  const counts = { [event.class]: 1 }
  return {
    kind: 'gap',
    epoch,
    fromSeq: seq,
    toSeq: seq,
    reason: 'quarantined',
    counts,
    firstMs: wallMs,
    lastMs: wallMs,
  }
}
