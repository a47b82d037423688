import { expect, test } from 'vitest'
import { type Seen, Sensitive } from '../../../../gateway/contract/event.ts'
import { Fault } from '../../../../gateway/contract/fault.ts'
import { coreParts, told } from './parts.ts'

const seen = (data: Seen['data'], monoMs = 0): Seen => ({
  device: 'meter-1',
  type: 'linli.meter.reading',
  class: 'telemetry',
  privacy: 'personal',
  monoMs,
  data,
})

test('wall time is when the world spoke, also when the clock was set since', async () => {
  const { clock, recorder, stored } = coreParts()
  await clock.advance(5000)
  clock.jumpWall(3_600_000)
  await recorder.record('line-1', [seen({ power: 7 }, 2000)])
  expect(stored).toEqual([
    {
      class: 'telemetry',
      type: 'linli.meter.reading',
      source: 'devices/meter-1',
      privacy: 'personal',
      monoMs: 2000,
      wallMs: Date.UTC(2026, 10, 23, 9, 0, 2),
      clock: 'synced',
      body: '{"power":7}',
    },
  ])
})

test('what is sensitive reaches the log only as its keyed hash', async () => {
  const { recorder, stored } = coreParts()
  await recorder.record('gate', [seen({ card: new Sensitive('1234567'), reader: 'in' })])
  expect(stored[0]?.body).toBe('{"card":"hash-of-7","reader":"in"}')
})

test('a broken storage stops nobody: events wait in memory and reach the log in order when it is back', async () => {
  const { clock, recorder, stored, store, lines } = coreParts()
  store.broken = new Fault('connection', 'disk I/O error', { code: 'store' })
  for (let n = 1; n <= 3; n++) await recorder.record('line-1', [seen({ n })])
  await clock.advance(5000)
  expect([stored.length, recorder.volatile()]).toEqual([0, 3])
  store.broken = undefined
  await recorder.record('line-1', [seen({ n: 4 })])
  await clock.advance(2000)
  expect(stored.map(({ body }) => body)).toEqual(['{"n":1}', '{"n":2}', '{"n":3}', '{"n":4}'])
  expect(recorder.volatile()).toBe(0)
  expect(lines).toEqual([
    'error storage does not take events: they are kept in memory',
    'info storage takes events again',
  ])
})

test('what memory could not hold is counted and said', async () => {
  const { clock, recorder, stored, store } = coreParts()
  store.broken = new Fault('connection', 'disk I/O error', { code: 'store' })
  const batch = Array.from({ length: 500 }, (_, n) => seen({ n }))
  for (let round = 0; round < 5; round++) await recorder.record('line-1', batch)
  expect(recorder.volatile()).toBe(2000)
  store.broken = undefined
  await clock.advance(10_000)
  expect(told(stored.slice(0, 1))).toEqual([
    ' linli.log.lost {"reason":"the storage was broken for longer than memory lasts","count":500}',
  ])
  expect(stored.length).toBe(2001)
  // A counter never falls, also when all is well again.
  expect(recorder.figures().map(({ value }) => value)).toEqual([0, 500])
})

test('what waits goes to the log without a pause as soon as it takes events, faster than more comes', async () => {
  const { clock, recorder, stored, store } = coreParts()
  store.broken = new Fault('connection', 'disk I/O error', { code: 'store' })
  let n = 0
  const next = (count: number) =>
    recorder.record(
      'line-1',
      Array.from({ length: count }, () => seen({ n: ++n })),
    )
  for (let round = 0; round < 4; round++) await next(500)
  store.broken = undefined
  const append = store.append.bind(store)
  // A slow disk: meanwhile a thousand more come, and there is room for none.
  store.append = async (batch) => {
    if (n < 3000) await next(1000)
    return append(batch)
  }
  await clock.advance(1000)
  expect(recorder.volatile()).toBe(0)
  const numbers = stored.filter(({ type }) => type !== 'linli.log.lost').map(({ body }) => JSON.parse(body).n)
  // The first five hundred were on their way; of the others the newest are there.
  expect(numbers).toEqual([...range(1, 500), ...range(1501, 3000)])
  expect(told(stored.filter(({ type }) => type === 'linli.log.lost'))).toEqual([
    ' linli.log.lost {"reason":"the storage was broken for longer than memory lasts","count":1000}',
  ])
})

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index)

test('a store that fails in an unforeseen way is a bug, not a broken disk', async () => {
  const { recorder, store } = coreParts()
  store.broken = new TypeError('bug')
  await expect(recorder.record('line-1', [seen({})])).rejects.toThrow('bug')
})
