import type { EventClass, NewEvent } from '../../gateway/contract/event.ts'
import { createClock } from '../../gateway/io/clock.ts'
import { createLog } from '../../gateway/io/log.ts'
import { openStore, type StoreOptions } from '../../gateway/store/open.ts'
import type { OpenedStore } from '../../gateway/store/opened-store.ts'
import { METERS, readings } from './readings.ts'

/**
 * A log of any length whose every event is known by its place: readings of a hundred meters, a change of a door at
 * each 100th place, an alarm at each 10,000th. So what is read can be judged without asking the log what it holds.
 */
export const COMMIT_EVENTS = 100
const STATUS_EVERY = 100
const ALARM_EVERY = 10_000
/** No divisor of it is one of `METERS`: a meter has not the same text in each round. */
const TEXTS = 20_011
const START_MS = Date.UTC(2026, 10, 23)
const EVENT_EVERY_MS = 100
/** Callers that wait for their acknowledgement at the same time. */
const CALLERS = 16

let texts: readonly string[] | undefined

export function classAt(seq: number): EventClass {
  return seq % ALARM_EVERY === 0 ? 'alarm' : seq % STATUS_EVERY === 0 ? 'status' : 'telemetry'
}

/** The body of the event at this place. */
export function bodyAt(seq: number): string {
  if (seq % STATUS_EVERY === 0) return `{"open":${seq % (2 * STATUS_EVERY) === 0},"number":${seq}}`
  texts ??= readings(TEXTS).map((reading) => JSON.stringify(reading))
  return texts[seq % TEXTS] ?? ''
}

export function eventAt(seq: number): NewEvent {
  const name = classAt(seq)
  return {
    class: name,
    type: name === 'telemetry' ? 'linli.meter.reading' : name === 'status' ? 'linli.door.status' : 'linli.door.forced',
    source: name === 'telemetry' ? `devices/meter-${301 + (seq % METERS)}` : 'devices/gate',
    privacy: name === 'telemetry' ? 'personal' : 'public',
    monoMs: seq * EVENT_EVERY_MS,
    wallMs: START_MS + seq * EVENT_EVERY_MS,
    clock: 'synced',
    body: bodyAt(seq),
  }
}

/** Open a log as a hub does, but with commits of a given size and without events at hand in memory. */
export function openGrown(path: string, options: Partial<StoreOptions> = {}): Promise<OpenedStore> {
  const base = { hub: 'hub-01', clock: createClock(), log: createLog('error', false) }
  return openStore({ path, ...base, gatherMs: 0, urgentMs: 0, commitEvents: COMMIT_EVENTS, tailEvents: 0, ...options })
}

/** Append the events of all places up to this one, each call one commit. */
export async function growTo(store: OpenedStore, lastSeq: number, eventsACall = COMMIT_EVENTS): Promise<void> {
  let next = store.lastSeq() + 1
  const call = async (): Promise<void> => {
    while (next <= lastSeq) {
      const from = next
      next = Math.min(from + eventsACall, lastSeq + 1)
      const batch: NewEvent[] = []
      for (let seq = from; seq < next; seq++) batch.push(eventAt(seq))
      const { firstSeq } = await store.append(batch)
      if (firstSeq !== from) throw new Error(`the events from ${from} on came to stand at ${firstSeq}`)
    }
  }
  await Promise.all(Array.from({ length: CALLERS }, call))
}
