import type { Clock } from '../contract/clock.ts'
import { type Json, type NewEvent, type Seen, type SeenData, Sensitive } from '../contract/event.ts'
import { Fault, isFault } from '../contract/fault.ts'
import type { Figure } from '../contract/figure.ts'
import type { Log } from '../contract/log.ts'
import type { Store } from '../store/store.ts'

/** While the storage is broken so many of the newest events are kept in memory, marked as volatile. */
const VOLATILE_MAX = 2000
const RETRY_MS = 1000

export interface RecorderParts {
  readonly store: Pick<Store, 'append'>
  readonly clock: Clock
  readonly log: Log
  /** The keyed hash that stands for a sensitive value; the key never leaves the hub. */
  readonly hash: (value: string) => string
}

export interface Recorder {
  /**
   * Resolves once the batch is durable; or, while the storage is broken, once it is kept in memory, because
   * doors, alarms and polling go on without a disk (promise 6). Which of the two is shown by `volatile`.
   */
  record(connection: string, batch: readonly Seen[]): Promise<void>
  /**
   * The same for what must not be done before it is on the disk: a command. Rejects with the Fault when the storage does
   * not take it now; then it is not kept either. @returns the place of the first event
   */
  commit(batch: readonly Seen[]): Promise<number>
  /** How many events wait in memory for the storage to come back; 0 when all is well. */
  volatile(): number
  figures(): readonly Figure[]
}

/** Turns what drivers saw into events and brings them to the log. */
export function createRecorder(parts: RecorderParts, signal: AbortSignal): Recorder {
  const { store, clock, log } = parts
  const ring: NewEvent[] = []
  let dropped = 0
  /** Of these, what the log does not tell of yet. */
  let untold = 0
  let mending = false

  const keep = (events: readonly NewEvent[], reason: unknown): void => {
    if (ring.length === 0) log.error('storage does not take events: they are kept in memory', { reason })
    ring.push(...events)
    const tooMany = ring.length - VOLATILE_MAX
    if (tooMany > 0) {
      ring.splice(0, tooMany)
      dropped += tooMany
      untold += tooMany
    }
    if (!mending) void mend()
  }

  /** One at a time: bring the ring to the log as soon as it takes events again, oldest first. */
  const mend = async (): Promise<void> => {
    mending = true
    let refused = true
    try {
      while (ring.length > 0) {
        // One after the other while they are taken: more may come in a second than goes into one.
        if (refused) await clock.sleep(RETRY_MS, signal)
        refused = false
        const batch = ring.slice(0, 500)
        try {
          const telling = untold
          await store.append(telling === 0 ? batch : [droppedEvent(clock, telling), ...batch])
          untold -= telling
          ring.splice(0, batch.length)
          if (ring.length === 0) log.info('storage takes events again')
        } catch (error) {
          if (!isFault(error)) throw error
          refused = true
        }
      }
    } catch (error) {
      if (!signal.aborted) throw error
    } finally {
      mending = false
    }
  }

  return {
    async record(connection, batch) {
      const events = batch.map((seen) => toEvent(`connections/${connection}`, seen, parts))
      if (ring.length > 0) return keep(events, undefined)
      try {
        await store.append(events)
      } catch (error) {
        if (!isFault(error)) throw error
        keep(events, error.message)
      }
    },
    async commit(batch) {
      if (ring.length > 0) {
        throw new Fault('connection', 'the storage does not take events now', { code: 'store' })
      }
      const { firstSeq } = await store.append(batch.map((seen) => toEvent('', seen, parts)))
      return firstSeq
    },
    volatile: () => ring.length,
    figures: () => figuresOf(ring.length, dropped),
  }
}

function figuresOf(volatile: number, dropped: number): readonly Figure[] {
  return [
    {
      name: 'linli_volatile_events',
      help: 'Events in memory because the storage is broken',
      kind: 'gauge',
      value: volatile,
    },
    {
      name: 'linli_volatile_dropped_total',
      help: 'Events lost because memory was full too',
      kind: 'counter',
      value: dropped,
    },
  ]
}

function toEvent(elsewhere: string, seen: Seen, { clock, hash }: RecorderParts): NewEvent {
  return {
    class: seen.class,
    type: seen.type,
    source: seen.device === undefined ? elsewhere : `devices/${seen.device}`,
    privacy: seen.privacy,
    monoMs: seen.monoMs,
    // The wall clock may have been set since: what counts is how long ago it was.
    wallMs: Math.round(clock.wallMs() - (clock.monoMs() - seen.monoMs)),
    clock: clock.state(),
    body: JSON.stringify(hidden(seen.data, hash)),
  }
}

function hidden(data: SeenData, hash: (value: string) => string): Record<string, Json | undefined> {
  let result = data as Record<string, Json | undefined>
  for (const [name, value] of Object.entries(data)) {
    if (value instanceof Sensitive) result = { ...result, [name]: hash(value.reveal()) }
  }
  return result
}

function droppedEvent(clock: Clock, count: number): NewEvent {
  return {
    class: 'alarm',
    type: 'linli.log.lost',
    source: '',
    privacy: 'public',
    monoMs: clock.monoMs(),
    wallMs: clock.wallMs(),
    clock: clock.state(),
    body: JSON.stringify({ reason: 'the storage was broken for longer than memory lasts', count }),
  }
}
