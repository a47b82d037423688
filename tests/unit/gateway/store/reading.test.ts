import { expect, test } from 'vitest'
import type { Rights } from '../../../../gateway/contract/rights.ts'
import { newEvent, newEvents } from '../../../contract/memory-store.ts'
import { inWords, readAll, storeRig } from './rig.ts'

const DOORS: Rights = { types: ['linli.door.*'], devices: ['*'], classes: ['telemetry', 'alarm'], privacy: 'public' }

test('one call passes over so much that is not for the reader and no more, and loses nothing by it', async () => {
  const rig = storeRig()
  const store = await rig.open()
  for (let n = 0; n < 6; n++) await store.append(newEvents(5000))
  await store.append([newEvent({ type: 'linli.door.opened' })])
  for (let n = 0; n < 3; n++) await store.append(newEvents(5000))
  await store.append([newEvent({ type: 'linli.door.forced', class: 'alarm' })])

  const first = await store.read({ after: { epoch: store.epoch, seq: 0 }, limit: 10, rights: DOORS })
  expect(first.entries).toEqual([])
  expect(first.more).toBe(true)
  expect(first.next.seq).toBeGreaterThan(19_000)
  expect(first.next.seq).toBeLessThan(22_000)
  expect((await readAll(store, { rights: DOORS })).map(inWords)).toEqual(['30001 telemetry', '45002 alarm'])
})

test('of a hundred readers who want what is not at hand, two at a time stand before the next commit', async () => {
  const rig = storeRig()
  const store = await rig.open()
  await store.append(newEvents(3000))
  let answered = 0
  const readers = Array.from({ length: 100 }, async () => {
    const page = await store.read({ after: { epoch: store.epoch, seq: 0 }, limit: 10 })
    answered += 1
    return page.entries.length
  })
  await store.append([newEvent({ class: 'alarm' })])
  expect(answered).toBeLessThan(5)
  expect(await Promise.all(readers)).toEqual(new Array(100).fill(10))
})

test('a page ends at its measure of text, whatever the rows are', async () => {
  const rig = storeRig()
  const store = await rig.open()
  await store.append(newEvents(100, { body: 'x'.repeat(1000) }))
  const page = await store.read({ after: { epoch: store.epoch, seq: 0 }, limit: 100, bytesMax: 5000 })
  expect(page.entries).toHaveLength(5)
})

test('a place that nothing speaks for is no silent hole: whoever reads everything finds it, and all are told', async () => {
  const rig = storeRig()
  const written = await rig.open()
  for (let n = 0; n < 6; n++) await written.append([newEvent({ class: n === 3 ? 'alarm' : 'telemetry' })])
  await written.close()
  // As a page of the database that is an older one: every row that is there is whole.
  rig.harm('DELETE FROM telemetry WHERE last IN (2, 3)')
  const store = await rig.open()
  const kept = ['1 telemetry', expect.stringMatching('^gap 2-3 corrupt'), '4 alarm', '5 telemetry', '6 telemetry']
  expect((await readAll(store)).map(inWords)).toEqual(kept)
  const page = await store.read({ after: { epoch: store.epoch, seq: 0 }, limit: 10, classes: ['telemetry'] })
  expect(page.entries.map(inWords)).toEqual(kept.filter((words) => words !== '4 alarm'))
})
