import { existsSync, statSync } from 'node:fs'
import { expect } from 'vitest'
import { EVENT_CLASSES, type EventClass, type NewEvent } from '../../../../gateway/contract/event.ts'
import { directPort } from '../../../../gateway/store/direct-port.ts'
import type { OpenedStore } from '../../../../gateway/store/opened-store.ts'
import { EVICTION_ORDER, RESERVED_PARTS } from '../../../../gateway/store/retention.ts'
import type { StorePort } from '../../../../gateway/store/service.ts'
import type { Plan, Step } from './keeping-plans.ts'
import { readAll, storeRig } from './rig.ts'

/**
 * A log with room for two megabytes at most, whatever is done to it: appends, confirmations, time that passes, clocks
 * that jump, clean ends and crashes. Behind each step everything is read, and held against what was appended.
 */
const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000

interface Model {
  readonly plan: Plan
  readonly rig: ReturnType<typeof storeRig>
  /** Every event that was acknowledged, by place; what the log itself appended is learned when it is read first. */
  readonly events: Map<number, Pick<NewEvent, 'class' | 'body' | 'wallMs' | 'clock'>>
  held: Set<number>
  readonly confirmed: Map<string, number>
  /** The end of the log when it was looked at last. */
  checkedSeq: number
  path: string
  /** The log is letting go of something. */
  tending: boolean
  opened: number
  seed: number
  appendedBytes: number
}

const keepMs = { telemetry: 6 * HOUR_MS, status: 12 * HOUR_MS, alarm: 24 * HOUR_MS, audit: 48 * HOUR_MS }

/** @throws what is wrong, as an assertion */
export async function keepsItsPromises(plan: Plan): Promise<void> {
  const rig = storeRig()
  const events: Model['events'] = new Map()
  const begun = { checkedSeq: 0, path: rig.path, tending: false, opened: 0, seed: 1, appendedBytes: 0 }
  const model: Model = { plan, rig, events, held: new Set(), confirmed: new Map(), ...begun }
  let store = await open(model)
  while (model.appendedBytes < plan.fillBytes) {
    const name = EVENT_CLASSES[random(model) % 8] ?? 'telemetry'
    const fill: Step = { do: 'append', class: name, count: 100, chars: random(model) % 500 }
    store = await take(model, store, fill)
    await rig.clock.advance(0)
  }
  await settled(model)
  await check(model, store, undefined)
  for (const step of plan.steps) {
    await store.ping()
    const before = evictions(store)
    model.appendedBytes = 0
    store = await take(model, store, step)
    await settled(model)
    await store.ping()
    await check(model, store, step.do === 'crash' || step.do === 'reopen' ? undefined : before)
  }
  await store.ping()
  const counted = EVENT_CLASSES.map((name) => figure(store, 'linli_log_class_rows', { class: name }))
  await store.close()
  const sql = EVENT_CLASSES.map((name) => `SELECT count(*) AS rows FROM ${name}`).join(' UNION ALL ')
  expect(rig.ask(sql, model.path).map((row) => (row as { rows: number }).rows)).toEqual(counted)
}

function open(model: Model): Promise<OpenedStore> {
  const { rig, path, plan } = model
  const writer = directPort()
  model.tending = true
  const port: StorePort = {
    async call(name, argument) {
      if (name === 'tend') model.tending = true
      const answer = await writer.call(name, argument)
      if (name === 'tend') model.tending = (answer as { more: boolean }).more
      return answer
    },
  }
  const { maxBytes, required } = plan
  return rig.open({ path, retention: { keepMs, maxBytes, required }, port: () => port })
}

/** Until nothing is left to be let go of. */
async function settled(model: Model): Promise<void> {
  do await model.rig.clock.advance(0)
  while (model.tending)
}

async function take(model: Model, store: OpenedStore, step: Step): Promise<OpenedStore> {
  const { rig, events, confirmed } = model
  switch (step.do) {
    case 'append': {
      const batch = Array.from({ length: step.count }, (_, n) => event(model, step, n))
      const { firstSeq } = await store.append(batch)
      for (const [n, each] of batch.entries()) events.set(firstSeq + n, each)
      return store
    }
    case 'confirm': {
      const seq = Math.floor(step.part * store.lastSeq())
      await store.confirm(step.consumer, { epoch: store.epoch, seq }, step.classes)
      for (const name of step.classes) {
        const key = `${step.consumer} ${name}`
        confirmed.set(key, Math.max(seq, confirmed.get(key) ?? 0))
      }
      return store
    }
    case 'wait':
      await rig.clock.advance(step.ms)
      return store
    case 'jump':
      rig.clock.jumpWall(step.byMs, step.state)
      await rig.clock.advance(MINUTE_MS)
      return store
    case 'reopen':
      await store.close()
      return open(model)
    case 'crash': {
      model.opened += 1
      model.path = rig.copied(`crashed-${model.opened}.db`, model.path)
      await store.close()
      return open(model)
    }
  }
}

/** A reading that can be summed up, or with more characters one that nothing makes smaller. */
function event(model: Model, step: Extract<Step, { do: 'append' }>, n: number): NewEvent {
  const { clock } = model.rig
  const reading = { points: { power: { v: random(model) % 1000, u: 'W' } }, quality: 'good' }
  let text = ''
  while (text.length < step.chars) text += random(model).toString(36)
  const body = JSON.stringify(step.chars < 100 ? reading : { ...reading, text })
  model.appendedBytes += body.length
  return {
    class: step.class,
    type: 'linli.meter.reading',
    source: `devices/meter-${n % 10}`,
    privacy: 'personal',
    monoMs: clock.monoMs(),
    wallMs: clock.wallMs(),
    clock: clock.state(),
    body,
  }
}

function random(model: Model): number {
  model.seed = (model.seed * 48_271) % 2_147_483_647
  return model.seed
}

interface Evictions {
  readonly thinned: number
  readonly age: Readonly<Record<EventClass, number>>
  readonly size: Readonly<Record<EventClass, number>>
}

function evictions(store: OpenedStore): Evictions {
  const by = (why: string): Record<EventClass, number> =>
    Object.fromEntries(
      EVENT_CLASSES.map((name) => [name, figure(store, 'linli_log_evicted_events_total', { class: name, why })]),
    ) as Record<EventClass, number>
  return { thinned: figure(store, 'linli_log_thinned_events_total'), age: by('age'), size: by('size') }
}

function figure(store: OpenedStore, name: string, labels: Record<string, string> = {}): number {
  const found = store
    .figures()
    .find((each) => each.name === name && Object.entries(labels).every(([key, value]) => each.labels?.[key] === value))
  return found?.value ?? 0
}

async function check(model: Model, store: OpenedStore, before: Evictions | undefined): Promise<void> {
  const { rig, path, plan } = model
  const bytes = ['', '-wal', '-mark', '-ballast'].map((end) => (existsSync(path + end) ? statSync(path + end).size : 0))
  expect(bytes.reduce((sum, each) => sum + each)).toBeLessThanOrEqual(plan.maxBytes)
  const gone = await gapFreeOrTold(model, store)
  if (before === undefined) return
  const now = evictions(store)
  for (const name of EVENT_CLASSES) {
    const evicted = gone.filter((seq) => model.events.get(seq)!.class === name)
    const [age, size] = [now.age[name] - before.age[name], now.size[name] - before.size[name]]
    // Readings that were thinned are told with those that were evicted behind them.
    const thinned = name === 'telemetry' ? now.thinned - before.thinned : 0
    if (name === 'telemetry') expect(evicted.length).toBeLessThanOrEqual(age + size + thinned)
    else expect(evicted).toHaveLength(age + size)
    const trusted = rig.clock.state() === 'synced' || rig.clock.state() === 'holdover'
    if (!trusted) expect(age).toBe(0)
    const least = Math.min(
      ...plan.required.map(({ consumer }) => model.confirmed.get(`${consumer} ${name}`) ?? 0),
      Number.POSITIVE_INFINITY,
    )
    // What was not confirmed went for room only.
    expect(evicted.filter((seq) => seq > least).length).toBeLessThanOrEqual(size + thinned)
    if (size > 0) classOrder(model, store, name)
  }
}

/** L5: every place is an event that was appended there, or in one gap that counts it; what goes is the oldest of its class. */
async function gapFreeOrTold(model: Model, store: OpenedStore): Promise<number[]> {
  const held = new Set<number>()
  const evicted: number[] = []
  let next = 1
  for (const entry of await readAll(store, { limit: 2000 })) {
    expect(entry.kind === 'event' ? entry.seq : entry.fromSeq).toBe(next)
    if (entry.kind === 'event') {
      const known = model.events.get(entry.seq)
      if (known === undefined) {
        expect(entry.type).toMatch(/^linli\.(log\.|audit\.evicted$|meter\.summary$)/)
        model.events.set(entry.seq, entry)
      } else {
        expect([entry.body, entry.class, entry.wallMs]).toEqual([known.body, known.class, known.wallMs])
      }
      held.add(entry.seq)
      next = entry.seq + 1
      continue
    }
    const counts: Partial<Record<EventClass, number>> = {}
    for (let seq = entry.fromSeq; seq <= entry.toSeq; seq++) {
      // What the log appended and let go of between two looks was never seen: a summary.
      const name = model.events.get(seq)?.class ?? 'telemetry'
      counts[name] = (counts[name] ?? 0) + 1
      if (entry.reason === 'evicted' && model.held.has(seq)) evicted.push(seq)
    }
    expect(entry.counts).toEqual(counts)
    next = entry.toSeq + 1
  }
  expect(next).toBe(store.lastSeq() + 1)
  for (const name of EVENT_CLASSES) {
    const ofClass = (seq: number): boolean => model.events.get(seq)?.class === name
    const last = Math.max(0, ...evicted.filter(ofClass))
    expect([...held].filter((seq) => seq < last && ofClass(seq))).toEqual([])
  }
  for (const seq of model.events.keys()) {
    if (seq > model.checkedSeq && !held.has(seq)) evicted.push(seq)
  }
  model.held = held
  model.checkedSeq = store.lastSeq()
  return evicted.filter((seq) => model.events.has(seq))
}

/** L8: a class that went for room left nobody before it with more than its reserved part and what came meanwhile. */
function classOrder(model: Model, store: OpenedStore, name: EventClass): void {
  const room = figure(store, 'linli_log_room_bytes')
  for (const other of EVICTION_ORDER.slice(0, EVICTION_ORDER.indexOf(name))) {
    const bytes = figure(store, 'linli_log_class_bytes', { class: other })
    expect(bytes).toBeLessThanOrEqual(RESERVED_PARTS[other] * room + model.appendedBytes + 16_384)
  }
}
