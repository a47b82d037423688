import { describe, expect, test } from 'vitest'
import type { Entry, EventClass, NewEvent } from '../../gateway/contract/event.ts'
import type { Rights } from '../../gateway/contract/rights.ts'
import { EpochChanged, PositionAhead, type Store } from '../../gateway/store/store.ts'
import { newEvent, newEvents } from './memory-store.ts'

/**
 * What every log must do, whatever it is made of.
 * @param open gives an empty log; the suite closes it
 */
export function storeContract(name: string, open: () => Promise<Store>): void {
  const withStore = (title: string, body: (store: Store) => Promise<void>): void =>
    test(title, async () => {
      const store = await open()
      try {
        await body(store)
      } finally {
        await store.close()
      }
    })
  const at = (store: Store, seq: number) => ({ epoch: store.epoch, seq })
  const readAll = async (store: Store, query: { rights?: Rights; classes?: EventClass[]; limit?: number } = {}) => {
    const entries: Entry[] = []
    let after = at(store, 0)
    for (;;) {
      const page = await store.read({ limit: 3, ...query, after })
      entries.push(...page.entries)
      after = page.next
      if (!page.more) return { entries, next: after }
    }
  }

  describe(`the contract of the log: ${name}`, () => {
    withStore('an empty log ends at 0, begins at 1 and has nothing to read', async (store) => {
      expect(store.lastSeq()).toBe(0)
      expect(store.firstSeq()).toBe(1)
      expect(await store.read({ after: at(store, 0), limit: 10 })).toEqual({
        entries: [],
        next: at(store, 0),
        more: false,
      })
      expect(await store.cursor('city')).toBeUndefined()
    })

    withStore('events come back at their places, in order, with every word they had', async (store) => {
      const events = [
        newEvent({ body: '{"n":1,"名":"阳光花园"}', monoMs: 12.345 }),
        newEvent({
          class: 'alarm',
          type: 'linli.fire.alarm',
          source: '',
          privacy: 'sensitive',
          clock: 'never',
          wallMs: 5,
        }),
        newEvent({ class: 'status', source: 'connections/line-1', clock: 'holdover', monoMs: 0 }),
        newEvent({ class: 'audit', privacy: 'personal', clock: 'unsynced', body: '{}' }),
        newEvent({ body: '{"n":5}' }),
      ]
      expect(await store.append(events)).toEqual({ firstSeq: 1, lastSeq: 5 })
      expect(store.lastSeq()).toBe(5)
      const { entries, next } = await readAll(store)
      expect(entries).toEqual(events.map((event, n) => ({ ...event, kind: 'event', epoch: store.epoch, seq: n + 1 })))
      expect(next).toEqual(at(store, 5))
    })

    withStore('calls made without waiting keep their order, alarms among them too', async (store) => {
      const classes: EventClass[] = ['telemetry', 'telemetry', 'alarm', 'telemetry', 'status', 'telemetry', 'audit']
      const places = await Promise.all(
        classes.map((name, n) => store.append(newEvents(2, { class: name, body: `{"call":${n}}` }))),
      )
      expect(places).toEqual(classes.map((_, n) => ({ firstSeq: 2 * n + 1, lastSeq: 2 * n + 2 })))
      const { entries } = await readAll(store)
      expect(entries.map((entry) => entry.kind === 'event' && entry.body)).toEqual(
        classes.flatMap((_, n) => [`{"call":${n}}`, `{"call":${n}}`]),
      )
    })

    withStore('an empty batch takes no place', async (store) => {
      expect(await store.append([])).toEqual({ firstSeq: 1, lastSeq: 0 })
      expect(await store.append([newEvent()])).toEqual({ firstSeq: 1, lastSeq: 1 })
    })

    withStore('a page holds at most its limit, and at least one entry however small its bytes', async (store) => {
      await store.append(newEvents(10))
      const page = await store.read({ after: at(store, 4), limit: 4 })
      expect(page.entries.map((entry) => entry.kind === 'event' && entry.seq)).toEqual([5, 6, 7, 8])
      expect(page.next).toEqual(at(store, 8))
      expect(page.more).toBe(true)
      const narrow = await store.read({ after: at(store, 4), limit: 4, bytesMax: 1 })
      expect(narrow.entries).toHaveLength(1)
      expect(narrow.next).toEqual(at(store, 5))
      const rest = await store.read({ after: at(store, 8), limit: 4 })
      expect(rest.entries).toHaveLength(2)
      expect(rest.more).toBe(false)
    })

    withStore('the same question has the same answer', async (store) => {
      await store.append([...newEvents(5), newEvent({ class: 'alarm' }), ...newEvents(5)])
      const ask = () => store.read({ after: at(store, 2), limit: 6 })
      expect(await ask()).toEqual(await ask())
    })

    withStore(
      'rights hide types, devices, classes and what is too private, and the position passes over it',
      async (store) => {
        await store.append([
          newEvent({ type: 'linli.meter.reading', source: 'devices/meter-1', privacy: 'personal' }),
          newEvent({ type: 'linli.meter.reading', source: 'devices/meter-2' }),
          newEvent({ type: 'linli.door.opened', source: 'devices/door-1', class: 'status' }),
          newEvent({ type: 'linli.fire.alarm', source: 'devices/smoke-1', class: 'alarm' }),
          newEvent({ type: 'linli.meter.reading', source: 'devices/water-1' }),
          newEvent({ type: 'linli.meter.reading', source: 'devices/meter-3', privacy: 'sensitive' }),
        ])
        const may = async (rights: Partial<Rights>) => {
          const all: Rights = {
            types: ['*'],
            devices: ['*'],
            classes: ['telemetry', 'status', 'alarm'],
            privacy: 'sensitive',
          }
          const { entries, next } = await readAll(store, { rights: { ...all, ...rights } })
          expect(next).toEqual(at(store, 6))
          return entries.map((entry) => entry.kind === 'event' && entry.seq)
        }
        expect(await may({})).toEqual([1, 2, 3, 4, 5, 6])
        expect(await may({ types: ['linli.meter.*'] })).toEqual([1, 2, 5, 6])
        expect(await may({ devices: ['meter-*', 'door-1'] })).toEqual([1, 2, 3, 6])
        expect(await may({ classes: ['alarm'] })).toEqual([4])
        expect(await may({ privacy: 'public' })).toEqual([2, 3, 4, 5])
        expect(await may({ privacy: 'personal', types: ['linli.meter.*'] })).toEqual([1, 2, 5])
        expect(await may({ types: [] })).toEqual([])
        const { entries } = await readAll(store, { classes: ['status', 'alarm'] })
        expect(entries.map((entry) => entry.kind === 'event' && entry.seq)).toEqual([3, 4])
      },
    )

    withStore('the bell rings for those who stand at the end, and not before', async (store) => {
      const signal = new AbortController().signal
      await store.append(newEvents(2))
      await store.beyond(1, signal)
      let rung = 0
      const waiting = store.beyond(3, signal).then(() => {
        rung = store.lastSeq()
      })
      await store.append([newEvent()])
      expect(rung).toBe(0)
      await store.append([newEvent()])
      await waiting
      expect(rung).toBe(4)
    })

    withStore('who waits for the bell can leave', async (store) => {
      const controller = new AbortController()
      const waiting = store.beyond(0, controller.signal)
      controller.abort(new Error('enough'))
      await expect(waiting).rejects.toThrow('enough')
      await expect(store.beyond(0, controller.signal)).rejects.toThrow('enough')
    })

    withStore('a cursor goes on, never back, unless its owner asks', async (store) => {
      await store.append(newEvents(10))
      expect(await store.confirm('city', at(store, 4))).toEqual(at(store, 4))
      expect(await store.confirm('city', at(store, 4))).toEqual(at(store, 4))
      expect(await store.confirm('city', at(store, 2))).toEqual(at(store, 4))
      expect(await Promise.all([7, 9, 8].map((seq) => store.confirm('city', at(store, seq))))).toContainEqual(
        at(store, 9),
      )
      expect(await store.cursor('city')).toEqual(at(store, 9))
      expect(await store.cursor('other')).toBeUndefined()
      await store.reset('city', at(store, 3))
      expect(await store.cursor('city')).toEqual(at(store, 3))
      await store.confirm('city', at(store, 5))
      expect(await store.cursor('city')).toEqual(at(store, 5))
    })

    withStore('a cursor of one class leaves the others where they are', async (store) => {
      await store.append(newEvents(20))
      expect(await store.confirm('city', at(store, 9), ['alarm'])).toEqual(at(store, 9))
      expect(await store.cursor('city', ['alarm'])).toEqual(at(store, 9))
      // What was never confirmed in one class was not confirmed in all.
      expect(await store.cursor('city')).toBeUndefined()
      expect(await store.cursor('city', ['telemetry'])).toBeUndefined()
      // All classes at once: none moves back.
      await store.confirm('city', at(store, 4))
      expect(await store.cursor('city', ['alarm'])).toEqual(at(store, 9))
      expect(await store.cursor('city', ['telemetry', 'alarm'])).toEqual(at(store, 4))
      expect(await store.confirm('city', at(store, 6), ['telemetry', 'alarm'])).toEqual(at(store, 6))
      expect(await store.cursor('city', ['status'])).toEqual(at(store, 4))
      expect(await store.cursor('city')).toEqual(at(store, 4))
      // Overtaken by all, then one class back because its owner asks, behind where the others stand.
      await store.confirm('city', at(store, 12))
      expect(await store.cursor('city', ['alarm'])).toEqual(at(store, 12))
      await store.reset('city', at(store, 2), ['telemetry'])
      expect(await store.cursor('city', ['telemetry'])).toEqual(at(store, 2))
      expect(await store.cursor('city', ['status', 'alarm', 'audit'])).toEqual(at(store, 12))
      expect(await store.cursor('city')).toEqual(at(store, 2))
      await store.reset('city', at(store, 7))
      expect(await store.cursor('city', ['alarm'])).toEqual(at(store, 7))
      expect(await store.cursor('other', ['alarm'])).toBeUndefined()
    })

    withStore('a position of another log or ahead of this one is told so, and changes nothing', async (store) => {
      await store.append(newEvents(3))
      await store.confirm('city', at(store, 2))
      const foreign = { epoch: 'another', seq: 1 }
      const ahead = at(store, 4)
      for (const call of [
        (position: typeof ahead) => store.read({ after: position, limit: 1 }),
        (position: typeof ahead) => store.confirm('city', position),
        (position: typeof ahead) => store.reset('city', position),
      ]) {
        const changed = await call(foreign).catch((error) => error)
        expect(changed).toBeInstanceOf(EpochChanged)
        expect(changed.oldest).toEqual(at(store, 0))
        const early = await call(ahead).catch((error) => error)
        expect(early).toBeInstanceOf(PositionAhead)
        expect(early.lastSeq).toBe(3)
      }
      expect(await store.cursor('city')).toEqual(at(store, 2))
    })

    withStore('what is trimmed is announced once, at its place, to those who could have seen it', async (store) => {
      await store.append([...newEvents(4), newEvent({ class: 'alarm' }), ...newEvents(5)])
      await store.trim(3)
      expect(store.firstSeq()).toBe(4)
      await store.trim(7)
      expect(store.firstSeq()).toBe(8)
      expect(store.lastSeq()).toBe(10)
      const gap = { kind: 'gap', epoch: store.epoch, fromSeq: 1, toSeq: 7, reason: 'evicted' }
      const counts = { telemetry: 6, alarm: 1 }
      const { entries } = await readAll(store)
      expect(entries[0]).toMatchObject({ ...gap, counts })
      expect(entries.slice(1).map((entry) => entry.kind === 'event' && entry.seq)).toEqual([8, 9, 10])
      const first = await store.read({ after: at(store, 0), limit: 1 })
      expect(first.entries).toMatchObject([{ ...gap, counts }])
      const second = await store.read({ after: first.next, limit: 1 })
      expect(second.entries).toMatchObject([{ kind: 'event', seq: 8 }])
      const midway = await store.read({ after: at(store, 5), limit: 1 })
      expect(midway.entries).toMatchObject([gap])
      const behind = await store.read({ after: at(store, 7), limit: 1 })
      expect(behind.entries).toMatchObject([{ kind: 'event', seq: 8 }])
      expect((await readAll(store, { classes: ['status'] })).entries).toEqual([])
      expect((await readAll(store, { classes: ['alarm'] })).entries).toMatchObject([{ kind: 'gap' }])
    })

    withStore('an emptied log goes on where it was', async (store) => {
      await store.append(newEvents(5))
      await store.trim(5)
      expect(store.firstSeq()).toBe(6)
      expect(await store.append(newEvents(2))).toEqual({ firstSeq: 6, lastSeq: 7 })
    })

    withStore('it answers while it is alive and tells its figures', async (store) => {
      await store.append([newEvent()])
      await expect(store.ping()).resolves.toBeUndefined()
      for (const figure of store.figures()) expect(figure.name).toMatch(/^linli_log_/)
    })

    test('a closed log takes nothing more', async () => {
      const store = await open()
      await store.close()
      await expect(store.append([newEvent() as NewEvent])).rejects.toMatchObject({ code: 'store', reach: 'connection' })
    })
  })
}
