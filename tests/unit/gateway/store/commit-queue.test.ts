import { expect, test } from 'vitest'
import { CommitQueue } from '../../../../gateway/store/commit-queue.ts'
import { VirtualClock } from '../../../../hardware-sim/clock.ts'
import { newEvent, newEvents } from '../../../contract/memory-store.ts'

const LIMITS = { gatherMs: 1000, urgentMs: 20, commitEvents: 100, commitChars: 256 * 1024 }

/** A queue whose first commit is behind it. */
function queue(limits = LIMITS) {
  const clock = new VirtualClock()
  const waiting = new CommitQueue(clock, limits)
  waiting.take()
  const put = (events = [newEvent()]): boolean => waiting.append({ events, resolve: () => {}, reject: () => {} })
  const alarm = (): boolean => put([newEvent({ class: 'alarm' })])
  const taken = () => waiting.take().appends.map(({ events }) => events.map((event) => event.class).join('+'))
  return { clock, waiting, put, alarm, taken }
}

test('telemetry waits for more of it, counted from the first', async () => {
  const { clock, waiting, put, taken } = queue()
  expect(waiting.dueInMs()).toBe(Number.POSITIVE_INFINITY)
  put()
  await clock.advance(600)
  put()
  expect(waiting.dueInMs()).toBe(400)
  await clock.advance(400)
  expect(waiting.dueInMs()).toBe(0)
  expect(taken()).toEqual(['telemetry', 'telemetry'])
  expect(waiting.dueInMs()).toBe(Number.POSITIVE_INFINITY)
})

test('the very first readings wait 20 ms only', async () => {
  const clock = new VirtualClock()
  const waiting = new CommitQueue(clock, LIMITS)
  waiting.append({ events: [newEvent()], resolve: () => {}, reject: () => {} })
  expect(waiting.dueInMs()).toBe(20)
  waiting.take()
  waiting.append({ events: [newEvent()], resolve: () => {}, reject: () => {} })
  expect(waiting.dueInMs()).toBe(1000)
})

test('an alarm is due at once and takes along what came before it', () => {
  const { waiting, put, alarm, taken } = queue()
  put()
  alarm()
  expect(waiting.dueInMs()).toBe(0)
  put()
  expect(taken()).toEqual(['telemetry', 'alarm', 'telemetry'])
})

test('alarms one after the other are committed every 20 ms at the oftenest', async () => {
  const { clock, waiting, alarm, taken } = queue()
  alarm()
  expect(waiting.dueInMs()).toBe(0)
  taken()
  await clock.advance(5)
  alarm()
  expect(waiting.dueInMs()).toBe(15)
  await clock.advance(10)
  alarm()
  expect(waiting.dueInMs()).toBe(5)
  await clock.advance(5)
  expect(taken()).toEqual(['alarm', 'alarm'])
  await clock.advance(100)
  alarm()
  expect(waiting.dueInMs()).toBe(0)
})

test('so many events, or so much text, wait for nothing', () => {
  const { waiting, put, taken } = queue()
  put(newEvents(99))
  expect(waiting.dueInMs()).toBe(1000)
  put(newEvents(2))
  expect(waiting.dueInMs()).toBe(0)
  expect(taken()).toHaveLength(2)
  put(newEvents(3, { body: 'x'.repeat(100_000) }))
  expect(waiting.dueInMs()).toBe(0)
})

test('a commit is no larger than it should be, but a call is never split', () => {
  const { put, waiting } = queue()
  for (const count of [60, 60, 250, 10]) put(newEvents(count))
  const sizes = []
  while (!waiting.empty) sizes.push(waiting.take().appends.map(({ events }) => events.length))
  expect(sizes).toEqual([[60, 60], [250], [10]])
})

test('a confirmation waits like telemetry', async () => {
  const { clock, waiting } = queue()
  waiting.confirm({ consumer: 'city', seq: 5, force: false, resolve: () => {}, reject: () => {} })
  expect(waiting.dueInMs()).toBe(1000)
  await clock.advance(1000)
  expect(waiting.take().confirms).toMatchObject([{ consumer: 'city', seq: 5 }])
  expect(waiting.empty).toBe(true)
})

test('what waits is bounded, in events and in text', () => {
  const { put, waiting } = queue()
  let taken = 0
  while (put(newEvents(1000))) taken += 1
  expect(taken).toBe(50)
  waiting.takeAll()
  taken = 0
  while (put([newEvent({ body: 'x'.repeat(1024 * 1024) })])) taken += 1
  expect(taken).toBe(16)
})
