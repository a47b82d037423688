import {
  type Entry,
  EVENT_CLASSES,
  type EventClass,
  type Gap,
  type NewEvent,
  type StoredEvent,
} from '../../gateway/contract/event.ts'
import { maySee } from '../../gateway/contract/rights.ts'
import { correctedEvent } from '../../gateway/store/clock-fixes.ts'
import {
  EpochChanged,
  type Page,
  type Position,
  PositionAhead,
  type ReadQuery,
  type Store,
} from '../../gateway/store/store.ts'

/** A log in memory that keeps the contract of `gateway/store/store.ts`, for tests of those who read it. */
export class MemoryStore implements Store {
  readonly epoch: string
  readonly cursors = new Map<string, Position>()
  /** How often the log was read, and a cursor written. */
  reads = 0
  confirms = 0
  /** What the disk says to every call, when it is set. */
  trouble: Error | undefined
  #events: StoredEvent[] = []
  #gaps: Gap[] = []
  #lastSeq = 0
  #bells = new Set<() => void>()

  constructor(epoch = 'e1') {
    this.epoch = epoch
  }

  async append(batch: readonly NewEvent[]): Promise<{ firstSeq: number; lastSeq: number }> {
    if (this.trouble !== undefined) throw this.trouble
    const firstSeq = this.#lastSeq + 1
    for (const event of batch) {
      this.#lastSeq += 1
      this.#events.push({ ...event, kind: 'event', epoch: this.epoch, seq: this.#lastSeq })
    }
    for (const ring of [...this.#bells]) ring()
    return { firstSeq, lastSeq: this.#lastSeq }
  }

  async read({ after, limit, bytesMax = Number.POSITIVE_INFINITY, rights, classes }: ReadQuery): Promise<Page> {
    this.reads += 1
    this.#check(after)
    const wanted = (entry: Entry): boolean =>
      (rights === undefined || maySee(rights, entry)) &&
      (classes === undefined ||
        (entry.kind === 'event' ? classes.includes(entry.class) : classes.some((name) => entry.counts[name])))
    const behind: Entry[] = [
      ...this.#gaps.filter((gap) => gap.toSeq > after.seq),
      ...this.#events.slice(this.#indexBehind(after.seq)),
    ].sort((a, b) => placeOf(a) - placeOf(b))
    const entries: Entry[] = []
    let bytes = 0
    for (const entry of behind) {
      if (!wanted(entry)) continue
      const size = entry.kind === 'event' ? entry.body.length : 0
      if (entries.length === limit || (entries.length > 0 && bytes + size > bytesMax)) {
        return { entries, next: { epoch: this.epoch, seq: endOf(entries.at(-1)!) }, more: true }
      }
      entries.push(entry)
      bytes += size
    }
    return { entries, next: { epoch: this.epoch, seq: this.#lastSeq }, more: false }
  }

  lastSeq(): number {
    return this.#lastSeq
  }

  firstSeq(): number {
    return this.#events[0]?.seq ?? this.#lastSeq + 1
  }

  beyond(seq: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason)
      const ring = (): void => {
        if (this.#lastSeq <= seq) return
        done()
        resolve()
      }
      const onAbort = (): void => {
        done()
        reject(signal.reason)
      }
      const done = (): void => {
        this.#bells.delete(ring)
        signal.removeEventListener('abort', onAbort)
      }
      this.#bells.add(ring)
      signal.addEventListener('abort', onAbort, { once: true })
      ring()
    })
  }

  /** How many wait for the bell. */
  get waiting(): number {
    return this.#bells.size
  }

  async cursor(consumer: string, classes?: readonly EventClass[]): Promise<Position | undefined> {
    return this.confirmed(consumer, classes)
  }

  /** What `cursor` gives, at once. */
  confirmed(consumer: string, classes: readonly EventClass[] = EVENT_CLASSES): Position | undefined {
    let least: Position | undefined
    for (const name of classes) {
      const place = this.cursors.get(`${consumer}/${name}`)
      if (place === undefined) return undefined
      if (least === undefined || place.seq < least.seq) least = place
    }
    return least
  }

  /** Let a consumer stand somewhere, whether or not the log ever had such a place. */
  stand(consumer: string, position: Position): void {
    for (const name of EVENT_CLASSES) this.cursors.set(`${consumer}/${name}`, position)
  }

  async confirm(
    consumer: string,
    position: Position,
    classes: readonly EventClass[] = EVENT_CLASSES,
  ): Promise<Position> {
    this.#check(position)
    this.confirms += 1
    for (const name of classes) {
      const before = this.cursors.get(`${consumer}/${name}`)
      if (before !== undefined && before.epoch === position.epoch && before.seq >= position.seq) continue
      this.cursors.set(`${consumer}/${name}`, position)
    }
    return this.confirmed(consumer, classes)!
  }

  async reset(consumer: string, position: Position, classes: readonly EventClass[] = EVENT_CLASSES): Promise<void> {
    this.#check(position)
    for (const name of classes) this.cursors.set(`${consumer}/${name}`, position)
  }

  async fixClock(offsetMs: number, event: NewEvent): Promise<void> {
    await this.append([event])
    this.#events = this.#events.map((event) => correctedEvent(event, offsetMs))
  }

  async trim(seq: number): Promise<void> {
    const index = this.#indexBehind(seq)
    const gone = this.#events.slice(0, index)
    this.#events = this.#events.slice(index)
    const from = this.#gaps[0]?.fromSeq ?? gone[0]?.seq
    if (from === undefined || gone.length === 0) return
    const counts: Record<string, number> = { ...this.#gaps[0]?.counts }
    for (const event of gone) counts[event.class] = (counts[event.class] ?? 0) + 1
    this.#gaps = [{ kind: 'gap', epoch: this.epoch, fromSeq: from, toSeq: seq, reason: 'evicted', counts }]
  }

  async ping(): Promise<void> {}

  figures(): readonly [] {
    return []
  }

  async close(): Promise<void> {}

  /** Places rise by one, so the first event held tells where the others are. */
  #indexBehind(seq: number): number {
    const first = this.#events[0]
    return first === undefined ? 0 : Math.max(0, seq - first.seq + 1)
  }

  #check(position: Position): void {
    if (this.trouble !== undefined) throw this.trouble
    const oldest = { epoch: this.epoch, seq: 0 }
    if (position.epoch !== this.epoch) throw new EpochChanged(position, oldest)
    if (position.seq > this.#lastSeq) throw new PositionAhead(position, this.#lastSeq)
  }
}

function placeOf(entry: Entry): number {
  return entry.kind === 'event' ? entry.seq : entry.fromSeq
}

function endOf(entry: Entry): number {
  return entry.kind === 'event' ? entry.seq : entry.toSeq
}

/** An event as the recorder hands it to the log. */
export function newEvent(changes: Partial<NewEvent> = {}): NewEvent {
  return {
    class: 'telemetry',
    type: 'linli.meter.reading',
    source: 'devices/meter-301',
    privacy: 'public',
    monoMs: 1000,
    wallMs: Date.UTC(2026, 10, 23, 8),
    clock: 'synced',
    body: '{"points":{"power":{"v":70,"u":"W"}},"quality":"good"}',
    ...changes,
  }
}

/** So many events, each with its number in the body. */
export function newEvents(count: number, changes: Partial<NewEvent> = {}): NewEvent[] {
  return Array.from({ length: count }, (_, n) => newEvent({ body: `{"n":${n + 1}}`, ...changes }))
}
