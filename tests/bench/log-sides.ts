import Database from 'better-sqlite3'
import type { NewEvent } from '../../gateway/contract/event.ts'
import { createClock } from '../../gateway/io/clock.ts'
import { createLog } from '../../gateway/io/log.ts'
import { openStore } from '../../gateway/store/open.ts'
import { METERS } from './readings.ts'

/** Callers that wait for their acknowledgement at the same time, as the connections of a hub do. */
export const CALLERS = 16

/** Bare better-sqlite3: ready strings, one row an event. */
export function openRaw(path: string) {
  const db = new Database(path)
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = FULL')
  db.exec('CREATE TABLE event (seq INTEGER PRIMARY KEY, body TEXT NOT NULL)')
  const insert = db.prepare('INSERT INTO event (body) VALUES (?)')
  const commit = db.transaction((texts: readonly string[], from: number, to: number) => {
    for (let n = from; n < to; n++) insert.run(texts[n])
  })
  return {
    run(texts: readonly string[], batch: number): void {
      for (let from = 0; from < texts.length; from += batch) commit(texts, from, Math.min(from + batch, texts.length))
    },
    close: () => db.close(),
  }
}

/**
 * The log, with commits of a given size.
 * @param commitEvents how many events the log commits together
 */
export async function openOurs(path: string, batch: number, commitEvents: number) {
  const clock = createClock()
  const log = createLog('error', false)
  const store = await openStore({ path, hub: 'bench', clock, log, gatherMs: 0, urgentMs: 0, commitEvents })
  const eventAt = (n: number, body: string): NewEvent => ({
    class: 'telemetry',
    type: 'linli.meter.reading',
    source: `devices/meter-${301 + (n % METERS)}`,
    privacy: 'personal',
    monoMs: clock.monoMs(),
    wallMs: clock.wallMs(),
    clock: 'synced',
    body,
  })
  return {
    async run(count: number, bodyAt: (n: number) => string, callers = CALLERS): Promise<void> {
      let next = 0
      const call = async (): Promise<void> => {
        while (next < count) {
          const from = next
          next = Math.min(next + batch, count)
          const events: NewEvent[] = []
          for (let n = from; n < next; n++) events.push(eventAt(n, bodyAt(n)))
          await store.append(events)
        }
      }
      await Promise.all(Array.from({ length: callers }, call))
    },
    close: () => store.close(),
  }
}
