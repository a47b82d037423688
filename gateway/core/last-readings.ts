import type { Clock } from '../contract/clock.ts'
import type { Entry, Json } from '../contract/event.ts'
import type { Log } from '../contract/log.ts'
import type { Rights } from '../contract/rights.ts'
import type { Store } from '../store/store.ts'

/** So far back, counted in places of the log, a device is looked for: the hub waits for it at its start. */
const PLACES_MAX = 20_000
const PAGE_EVENTS = 2000
const TYPE = 'linli.meter.reading'
const RIGHTS: Rights = { types: [TYPE], devices: ['*'], classes: ['telemetry'], privacy: 'sensitive' }

export type Reading = Readonly<Record<string, Json>>

/**
 * What each device showed last, as far as the newest part of the log knows: a counter that goes on from another value
 * after a restart is noticed by it.
 */
export async function recallReadings({
  store,
  clock,
  log,
}: {
  readonly store: Pick<Store, 'epoch' | 'read' | 'lastSeq'>
  readonly clock: Clock
  readonly log: Log
}): Promise<ReadonlyMap<string, Reading>> {
  const begunMs = clock.monoMs()
  const readings = new Map<string, Reading>()
  let after = { epoch: store.epoch, seq: Math.max(0, store.lastSeq() - PLACES_MAX) }
  for (let more = true; more; ) {
    const page = await store.read({ after, limit: PAGE_EVENTS, rights: RIGHTS, classes: ['telemetry'] })
    for (const entry of page.entries) take(readings, entry)
    after = page.next
    more = page.more
  }
  log.debug('the last readings were found', { devices: readings.size, ms: Math.round(clock.monoMs() - begunMs) })
  return readings
}

function take(readings: Map<string, Reading>, entry: Entry): void {
  if (entry.kind !== 'event') return
  const [, device] = /^devices\/(.+)$/.exec(entry.source) ?? []
  if (device !== undefined) readings.set(device, JSON.parse(entry.body) as Reading)
}
