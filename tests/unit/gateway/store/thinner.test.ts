import { expect, test } from 'vitest'
import type { Entry, Gap, NewEvent, StoredEvent } from '../../../../gateway/contract/event.ts'
import type { OpenedStore } from '../../../../gateway/store/opened-store.ts'
import { readAll, storeRig } from './rig.ts'

const YEAR_MS = 365 * 24 * 3_600_000
const RETENTION = {
  keepMs: { telemetry: YEAR_MS, status: YEAR_MS, alarm: YEAR_MS, audit: YEAR_MS },
  maxBytes: 1_000_000,
  required: [],
}
const PERIOD_MS = 900_000
const EVERY_MS = 10_000

let seed = 7
function random(below: number): number {
  seed = (seed * 16_807) % 2_147_483_647
  return seed % below
}

/** Meters that are read every ten seconds; what each said is remembered by its place. */
function community(meters: number) {
  const energies = Array.from({ length: meters }, () => random(100_000))
  return (rig: ReturnType<typeof storeRig>): NewEvent[] =>
    energies.map((energy, n) => {
      energies[n] = energy + random(50)
      const points = {
        energy_import: { v: energies[n]! / 100, u: 'kWh' },
        power: { v: random(30_000) / 10, u: 'W' },
        voltage: { v: 2200 + random(200), u: 'dV' },
      }
      return {
        class: 'telemetry',
        type: 'linli.meter.reading',
        source: `devices/meter-${n}`,
        privacy: 'personal',
        monoMs: rig.clock.monoMs(),
        wallMs: rig.clock.wallMs(),
        clock: rig.clock.state(),
        body: JSON.stringify({ points, quality: 'good' }),
      }
    })
}

interface Run {
  readonly hours: number
  readonly meters?: number
  readonly everyMs?: number
  /** Rounds that are committed together: then a row reaches from one period into the next. */
  readonly together?: number
}

/** A log that is read into for so long. Gives back what was appended, by place. */
async function run(rig: ReturnType<typeof storeRig>, store: OpenedStore, wanted: Run): Promise<Map<number, NewEvent>> {
  const { hours, meters = 20, everyMs = EVERY_MS, together = 7 } = wanted
  const round = community(meters)
  const appended = new Map<number, NewEvent>()
  let batch: NewEvent[] = []
  for (let at = 1; at <= (hours * 3_600_000) / everyMs; at++) {
    batch.push(...round(rig))
    if (at % together === 0) {
      const { firstSeq } = await store.append(batch)
      for (const [n, event] of batch.entries()) appended.set(firstSeq + n, event)
      batch = []
    }
    await rig.clock.advance(everyMs)
  }
  return appended
}

const isSummary = (entry: Entry): entry is StoredEvent => entry.kind === 'event' && entry.type === 'linli.meter.summary'

/** Places that gaps of this reason stand for. */
function gone(entries: readonly Entry[], reason: Gap['reason']): Set<number> {
  const places = new Set<number>()
  for (const entry of entries) {
    if (entry.kind !== 'gap' || entry.reason !== reason) continue
    for (let seq = entry.fromSeq; seq <= entry.toSeq; seq++) places.add(seq)
  }
  return places
}

test('before readings are dropped for want of room they become 15-minute summaries, each of what was there', async () => {
  const rig = storeRig()
  const store = await rig.open({ retention: RETENTION, tailEvents: 100 })
  const appended = await run(rig, store, { hours: 9 })
  const entries = await readAll(store, { limit: 1000 })
  let next = 1
  for (const entry of entries) {
    expect(entry.kind === 'event' ? entry.seq : entry.fromSeq).toBe(next)
    next = (entry.kind === 'event' ? entry.seq : entry.toSeq) + 1
  }
  expect(next).toBe(store.lastSeq() + 1)
  const thinned = gone(entries, 'thinned')
  expect(thinned.size).toBeGreaterThan(3000)
  expect(gone(entries, 'evicted').size).toBe(0)

  const summaries = entries.filter(isSummary)
  const periods = Map.groupBy(appended, ([, event]) => `${event.source} ${Math.floor(event.wallMs / PERIOD_MS)}`)
  let counted = 0
  for (const { source, wallMs, body, privacy, clock } of summaries) {
    const data = JSON.parse(body)
    const period = Math.floor(wallMs / PERIOD_MS)
    // Of a period that is thinned nothing is left, and nothing of it is missing in the summary.
    const members = periods.get(`${source} ${period}`)!
    expect(members.filter(([seq]) => !thinned.has(seq))).toEqual([])
    const points = members.map(([, event]) => JSON.parse(event.body).points)
    const powers = points.map(({ power }) => power.v)
    counted += data.count
    expect([privacy, clock, data.count]).toEqual(['personal', 'synced', members.length])
    expect(wallMs).toBe(members.at(-1)?.[1].wallMs)
    expect(data.points.energy_import).toMatchObject({
      first: points[0].energy_import.v,
      last: points.at(-1).energy_import.v,
      firstBeforeMs: (members.length - 1) * EVERY_MS,
    })
    expect(data.points.power).toMatchObject({ min: Math.min(...powers), max: Math.max(...powers) })
  }
  expect(counted).toBe(thinned.size)
  // The readings of a whole period became one event for each meter.
  expect(new Set(summaries.map(({ source, wallMs }) => `${source} ${Math.floor(wallMs / PERIOD_MS)}`)).size).toBe(
    summaries.length,
  )
})

test('summaries reach whoever waits at the head, and what comes behind them has its place behind them', async () => {
  const rig = storeRig()
  const store = await rig.open({ retention: RETENTION, tailEvents: 5000 })
  const seen: number[] = []
  let after = { epoch: store.epoch, seq: 0 }
  const round = community(20)
  for (let at = 0; at < 2000; at++) {
    await store.append(round(rig))
    await rig.clock.advance(EVERY_MS)
    const page = await store.read({ after, limit: 10_000 })
    seen.push(...page.entries.map((entry) => (entry.kind === 'event' ? entry.seq : Number.NaN)))
    after = page.next
  }
  expect(seen).toEqual(Array.from({ length: store.lastSeq() }, (_, n) => n + 1))
  expect(seen.length).toBeGreaterThan(2000 * 20)
})

test('summaries are dropped last, oldest first, and nothing is silent about it', async () => {
  const rig = storeRig()
  const store = await rig.open({ retention: { ...RETENTION, maxBytes: 350_000 } })
  await run(rig, store, { hours: 16, meters: 60, everyMs: 60_000, together: 1 })
  const entries = await readAll(store, { limit: 1000 })
  const evicted = gone(entries, 'evicted')
  expect(evicted.size).toBeGreaterThan(100)
  const kept = entries.filter(isSummary).map(({ seq }) => seq)
  expect(Math.max(...evicted)).toBeLessThan(kept[0]!)
  let next = 1
  for (const entry of entries) {
    expect(entry.kind === 'event' ? entry.seq : entry.fromSeq).toBe(next)
    next = (entry.kind === 'event' ? entry.seq : entry.toSeq) + 1
  }
})

test('without a clock the periods go by the time since the start', async () => {
  const rig = storeRig()
  rig.clock.jumpWall(0, 'unsynced')
  const store = await rig.open({ retention: RETENTION })
  await run(rig, store, { hours: 9 })
  const summaries = (await readAll(store, { limit: 1000 })).filter(isSummary)
  expect(summaries.length).toBeGreaterThan(20)
  for (const { clock, monoMs, body } of summaries) {
    expect(clock).toBe('unsynced')
    const { spanMs } = JSON.parse(body)
    expect(Math.floor((monoMs - spanMs) / PERIOD_MS)).toBe(Math.floor(monoMs / PERIOD_MS))
  }
})

test('what has one reading a period, or another shape, stays as it is until it is dropped', async () => {
  const rig = storeRig()
  const store = await rig.open({ retention: RETENTION })
  const round = community(20)
  const water = new Set<number>()
  for (let at = 0; at < 2000; at++) {
    const [first, ...others] = round(rig)
    const { firstSeq } = await store.append(
      at % 90 === 45
        ? [{ ...first!, source: 'devices/water-1' }, { ...first!, body: '{"free":1}' }, ...others]
        : others,
    )
    if (at % 90 === 45) water.add(firstSeq).add(firstSeq + 1)
    await rig.clock.advance(EVERY_MS)
  }
  const entries = await readAll(store, { limit: 1000 })
  expect(gone(entries, 'thinned').size).toBeGreaterThan(5000)
  const held = new Set(entries.flatMap((entry) => (entry.kind === 'event' ? [entry.seq] : [])))
  expect(water.size).toBeGreaterThan(40)
  expect([...water].filter((seq) => !held.has(seq))).toEqual([])
})

test('a log that was thinned goes on being thinned where it was, after a crash too', async () => {
  const rig = storeRig()
  const first = await rig.open({ retention: RETENTION })
  await run(rig, first, { hours: 9 })
  const path = rig.copied('crashed.db')
  const before = await readAll(first, { limit: 1000 })
  const store = await rig.open({ path, retention: RETENTION })
  expect(
    (await readAll(store, { limit: 1000 })).map((entry) => (entry.kind === 'event' ? entry.body : entry.toSeq)),
  ).toEqual(before.map((entry) => (entry.kind === 'event' ? entry.body : entry.toSeq)))
  await run(rig, store, { hours: 2 })
  const entries = await readAll(store, { limit: 1000 })
  expect(gone(entries, 'thinned').size).toBeGreaterThan(gone(before, 'thinned').size)
})

test('one transaction thins twenty thousand readings at most: of a longer period the rest comes later', async () => {
  const rig = storeRig()
  const store = await rig.open({ retention: { ...RETENTION, maxBytes: 700_000 } })
  const [meters, rounds] = [250, 100]
  await run(rig, store, { hours: (rounds * 9) / 3600, meters, everyMs: 9000, together: 1 })
  await rig.clock.advance(2 * 3_600_000)
  await run(rig, store, { hours: 0.25, meters, everyMs: 9000, together: 1 })
  const entries = await readAll(store, { limit: 1000 })
  expect(gone(entries, 'thinned').size).toBe(20_000)
  const summaries = entries.filter(isSummary)
  expect(new Set(summaries.map(({ source }) => source)).size).toBe(meters)
  expect(summaries.map(({ body }) => JSON.parse(body).count)).toEqual(summaries.map(() => 20_000 / meters))
})
