import fc from 'fast-check'
import { expect, test } from 'vitest'
import { EVENT_CLASSES, type EventClass, type NewEvent, PRIVACY_LEVELS } from '../../../../gateway/contract/event.ts'
import { maySee, type Rights } from '../../../../gateway/contract/rights.ts'
import type { Store } from '../../../../gateway/store/store.ts'
import { newEvent } from '../../../contract/memory-store.ts'
import { inWords, readAll, storeRig } from './rig.ts'

/** What the log should hold: every event ever appended, where the trim stands, and the cursors. */
interface Model {
  readonly events: NewEvent[]
  trimmed: number
  readonly cursors: Map<string, number>
}

type Step =
  | { readonly do: 'append'; readonly batch: readonly NewEvent[]; readonly together: number }
  | { readonly do: 'read'; readonly after: number; readonly limit: number; readonly bytesMax: number | undefined }
  | { readonly do: 'readAll'; readonly rights: Rights; readonly classes: readonly EventClass[]; readonly limit: number }
  | { readonly do: 'confirm' | 'reset'; readonly consumer: string; readonly part: number }
  | { readonly do: 'trim'; readonly part: number }
  | { readonly do: 'reopen' }

const anyEvent: fc.Arbitrary<NewEvent> = fc
  .record({
    class: fc.oneof({ weight: 5, arbitrary: fc.constant('telemetry' as const) }, fc.constantFrom(...EVENT_CLASSES)),
    type: fc.constantFrom('linli.meter.reading', 'linli.meter.fault', 'linli.door.opened'),
    source: fc.constantFrom('devices/meter-1', 'devices/meter-2', 'devices/door-1', 'connections/line-1', ''),
    privacy: fc.constantFrom(...PRIVACY_LEVELS),
    body: fc.nat(1e6).map((v) => `{"v":${v}}`),
  })
  .map(newEvent)
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('append' as const),
      batch: fc.array(anyEvent, { maxLength: 40 }),
      together: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('read' as const),
      after: fc.nat(200),
      limit: fc.integer({ min: 1, max: 60 }),
      bytesMax: fc.option(fc.nat(300), { nil: undefined }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('readAll' as const),
      rights: fc.record({
        types: fc.subarray(['linli.meter.*', 'linli.door.opened', '*']),
        devices: fc.subarray(['meter-1', 'door-*', 'connections/*', '*']),
        classes: fc.subarray([...EVENT_CLASSES]),
        privacy: fc.constantFrom(...PRIVACY_LEVELS),
      }),
      classes: fc.subarray([...EVENT_CLASSES], { minLength: 1 }),
      limit: fc.integer({ min: 1, max: 20 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom('confirm' as const, 'reset' as const),
      consumer: fc.constantFrom('city', 'property'),
      part: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('trim' as const), part: fc.double({ min: 0, max: 1, noNaN: true }) }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'reopen' as const }) },
)

/** What a reader with these rights should be told from a place on, in words. */
function expected(model: Model, after: number, rights: Rights | undefined, classes: readonly EventClass[]): string[] {
  const told: string[] = []
  const gone = model.events.slice(0, model.trimmed)
  const counts = Object.fromEntries(
    EVENT_CLASSES.map((name) => [name, gone.filter((event) => event.class === name).length]),
  )
  const mine = classes.filter((name) => rights === undefined || rights.classes.includes(name))
  if (after < model.trimmed && mine.some((name) => counts[name]! > 0)) {
    const named = Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0))
    told.push(JSON.stringify(['gap', 1, model.trimmed, named]))
  }
  for (let seq = Math.max(after, model.trimmed) + 1; seq <= model.events.length; seq++) {
    const event = model.events[seq - 1]!
    const may = rights === undefined || maySee(rights, { kind: 'event', epoch: '', seq, ...event })
    if (may && classes.includes(event.class)) told.push(JSON.stringify([seq, event.class, event.source, event.body]))
  }
  return told
}

async function found(
  store: Store,
  after: number,
  query: { rights?: Rights; classes?: readonly EventClass[]; limit?: number },
) {
  const entries = await readAll(store, query, after)
  return entries.map((entry) => {
    if (entry.kind === 'event') return JSON.stringify([entry.seq, entry.class, entry.source, entry.body])
    const counts = Object.fromEntries(
      EVENT_CLASSES.flatMap((name) => (entry.counts[name] ? [[name, entry.counts[name]]] : [])),
    )
    return JSON.stringify(['gap', entry.fromSeq, entry.toSeq, counts])
  })
}

async function step(store: Store, model: Model, { ...one }: Step): Promise<void> {
  const { epoch } = store
  const last = model.events.length
  switch (one.do) {
    case 'append':
      return append(store, model, one)
    case 'read':
      return read(store, model, one)
    case 'readAll': {
      const { rights, classes, limit } = one
      const after = Math.floor(last / 3)
      expect(await found(store, 0, { rights, classes, limit })).toEqual(expected(model, 0, rights, classes))
      expect(await found(store, after, { classes, limit })).toEqual(expected(model, after, undefined, classes))
      return
    }
    case 'confirm':
    case 'reset': {
      const seq = Math.floor(one.part * last)
      const now = one.do === 'reset' ? seq : Math.max(seq, model.cursors.get(one.consumer) ?? 0)
      if (one.do === 'reset') await store.reset(one.consumer, { epoch, seq })
      else expect(await store.confirm(one.consumer, { epoch, seq })).toEqual({ epoch, seq: now })
      model.cursors.set(one.consumer, now)
      return
    }
    case 'trim':
      model.trimmed = Math.max(model.trimmed, Math.floor(one.part * last))
      await store.trim(model.trimmed)
      expect(store.firstSeq()).toBe(model.trimmed + 1)
      return
    case 'reopen':
      return
  }
}

async function append(store: Store, model: Model, { batch, together }: Extract<Step, { do: 'append' }>): Promise<void> {
  const calls = Array.from({ length: together }, () => store.append(batch))
  for (const { firstSeq, lastSeq } of await Promise.all(calls)) {
    expect([firstSeq, lastSeq]).toEqual([model.events.length + 1, model.events.length + batch.length])
    model.events.push(...batch)
  }
  expect(store.lastSeq()).toBe(model.events.length)
}

async function read(store: Store, model: Model, one: Extract<Step, { do: 'read' }>): Promise<void> {
  const seq = Math.min(one.after, model.events.length)
  const all = expected(model, seq, undefined, EVENT_CLASSES)
  const measure = one.bytesMax === undefined ? {} : { bytesMax: one.bytesMax }
  const page = await store.read({ after: { epoch: store.epoch, seq }, limit: one.limit, ...measure })
  expect(page.entries.length).toBeGreaterThanOrEqual(Math.min(1, all.length))
  expect(page.entries.length).toBeLessThanOrEqual(one.limit)
  expect(page.more).toBe(page.entries.length < all.length)
  const words = page.entries.map(inWords)
  const whole = (await readAll(store, {}, seq)).map(inWords)
  expect(words).toEqual(whole.slice(0, words.length))
}

/** Without a tail everything is read from the file, with one mostly from memory: both must say the same. */
for (const tailEvents of [0, 30]) {
  test(`the log is what was appended, less what was announced as gone, tail of ${tailEvents}`, {
    timeout: 60_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyStep, { minLength: 1, maxLength: 25 }), async (steps) => {
        const rig = storeRig()
        const model: Model = { events: [], trimmed: 0, cursors: new Map() }
        let store = await rig.open({ tailEvents })
        const { epoch } = store
        for (const one of [...steps, { do: 'reopen' } as const]) {
          await step(store, model, one)
          if (one.do === 'reopen') {
            await store.close()
            store = await rig.open({ tailEvents })
          }
          expect(store.epoch).toBe(epoch)
          expect(store.lastSeq()).toBe(model.events.length)
        }
        expect(await found(store, 0, {})).toEqual(expected(model, 0, undefined, EVENT_CLASSES))
        for (const [consumer, seq] of model.cursors) expect(await store.cursor(consumer)).toEqual({ epoch, seq })
        await store.close()
      }),
      { numRuns: 60 },
    )
  })
}
