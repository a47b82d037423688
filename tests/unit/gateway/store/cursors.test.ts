import fc from 'fast-check'
import { expect, test } from 'vitest'
import { EVENT_CLASSES, type EventClass } from '../../../../gateway/contract/event.ts'
import type { Store } from '../../../../gateway/store/store.ts'
import { newEvents } from '../../../contract/memory-store.ts'
import { storeRig } from './rig.ts'

const EVENTS = 30
const lags = (store: Store) =>
  store
    .figures()
    .filter(({ name }) => name === 'linli_consumer_lag_places')
    .map(({ labels, value }) => `${labels?.consumer} ${labels?.class} ${value}`)

test('how far each consumer is behind is a figure, by class, after a restart too', async () => {
  const rig = storeRig()
  const first = await rig.open()
  await first.append(newEvents(10))
  await first.confirm('pull:property', { epoch: first.epoch, seq: 4 })
  await first.confirm('up:city', { epoch: first.epoch, seq: 10 }, ['alarm'])
  const expected = [
    'pull:property telemetry 6',
    'pull:property status 6',
    'pull:property alarm 6',
    'pull:property audit 6',
    'up:city alarm 0',
  ]
  expect(lags(first)).toEqual(expected)
  await first.close()
  const second = await rig.open()
  expect(lags(second)).toEqual(expected)
  await second.append(newEvents(2))
  await second.confirm('pull:property', { epoch: second.epoch, seq: 11 }, ['status'])
  await second.reset('pull:property', { epoch: second.epoch, seq: 1 }, ['audit'])
  expect(lags(second)).toEqual([
    'pull:property telemetry 8',
    'pull:property status 1',
    'pull:property alarm 8',
    'pull:property audit 11',
    'up:city alarm 2',
  ])
})

test('cursors by class are what a table of places would be, over restarts', async () => {
  const classes = fc.subarray([...EVENT_CLASSES], { minLength: 1 })
  const move = fc.record({
    consumer: fc.constantFrom('a', 'b'),
    force: fc.boolean(),
    seq: fc.integer({ min: 0, max: EVENTS }),
    classes,
    restart: fc.boolean(),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(move, { maxLength: 12 }), classes, async (moves, asked) => {
      const rig = storeRig()
      let store = await rig.open()
      await store.append(newEvents(EVENTS))
      const table = new Map<string, number>()
      for (const { consumer, force, seq, classes: moved, restart } of moves) {
        const position = { epoch: store.epoch, seq }
        if (force) await store.reset(consumer, position, moved)
        else await store.confirm(consumer, position, moved)
        for (const name of moved) {
          const key = `${consumer} ${name}`
          table.set(key, force ? seq : Math.max(seq, table.get(key) ?? 0))
        }
        if (restart) {
          await store.close()
          store = await rig.open()
        }
      }
      for (const consumer of ['a', 'b']) {
        const places = asked.map((name: EventClass) => table.get(`${consumer} ${name}`))
        const found = await store.cursor(consumer, asked)
        expect(found?.seq).toBe(places.includes(undefined) ? undefined : Math.min(...(places as number[])))
      }
    }),
    { numRuns: 40, seed: 3 },
  )
})

test('a cursor of one class that is damaged counts as the one of all, which is behind it', async () => {
  const rig = storeRig()
  const store = await rig.open()
  await store.append(newEvents(20))
  await store.confirm('city', { epoch: store.epoch, seq: 5 })
  await store.confirm('city', { epoch: store.epoch, seq: 15 }, ['alarm'])
  await store.close()
  rig.harm("UPDATE class_cursor SET seq = 19 WHERE class = 'alarm'")
  const again = await rig.open()
  expect(await again.cursor('city', ['alarm'])).toEqual({ epoch: again.epoch, seq: 5 })
})
