import { describe, expect, test } from 'vitest'
import { Fault } from '../../../../gateway/contract/fault.ts'
import { ALL_RIGHTS } from '../../../../gateway/contract/rights.ts'
import { LinkLost } from '../../../../gateway/upstream/link.ts'
import { MemoryStore, newEvent, newEvents } from '../../../contract/memory-store.ts'
import { FakeLink } from './fake-link.ts'
import { pumpRig } from './rig.ts'

const range = (from: number, to: number): string[] => Array.from({ length: to - from + 1 }, (_, n) => String(from + n))

describe('the window', () => {
  test('one hundred messages are in flight and not one more, in the order of the log', async () => {
    const { pump, store, stop, clock } = pumpRig()
    await store.append(newEvents(1000))
    const link = new FakeLink()
    const running = pump.run(link, stop.signal)
    await clock.advance(0)
    expect(link.ids()).toEqual(range(1, 100))
    link.ack(0, 1, 2)
    await clock.advance(0)
    expect(link.ids()).toEqual(range(1, 103))
    for (let next = 3; next < 1000; next++) {
      link.ack(next)
      await clock.advance(0)
    }
    expect(link.ids()).toEqual(range(1, 1000))
    expect(link.inFlightMax).toBe(100)
    expect(pump.state.position).toEqual({ epoch: 'e1', seq: 1000 })
    link.lose(new LinkLost('over'))
    expect(await running).toMatchObject({ message: 'over' })
  })

  test('a broker that takes twenty at once gets twenty (MQTT 5, 3.3.4)', async () => {
    const { pump, store, stop, clock } = pumpRig()
    await store.append(newEvents(100))
    const link = new FakeLink({ receiveMaximum: 20 })
    void pump.run(link, stop.signal)
    await clock.advance(0)
    link.ack(0)
    await clock.advance(0)
    expect(link.ids()).toEqual(range(1, 21))
    expect(link.inFlightMax).toBe(20)
  })

  test('acknowledgements that come together are answered in one go', async () => {
    const { pump, store, stop, clock } = pumpRig()
    await store.append(newEvents(300))
    const link = new FakeLink()
    void pump.run(link, stop.signal)
    await clock.advance(0)
    link.ack(0, 1, 2, 3, 4)
    expect(link.published).toHaveLength(100)
    await Promise.resolve()
    expect(link.published).toHaveLength(105)
  })

  test('a pump never reads more than about a page and a half ahead of what is acknowledged', async () => {
    const { pump, store, stop, clock } = pumpRig()
    await store.append(newEvents(10_000))
    const link = new FakeLink()
    void pump.run(link, stop.signal)
    await clock.advance(60)
    expect(store.reads).toBe(1)
    link.acknowledge = ({ settled }) => settled(undefined)
    link.ack(0)
    link.ack(...Array.from({ length: 99 }, (_, n) => n + 1))
    await clock.advance(0)
    expect(link.published).toHaveLength(10_000)
    expect(store.reads).toBe(20)
  })
})

describe('the cursor', () => {
  test('moves only past an unbroken run of acknowledgements', async () => {
    const { pump, store, stop, clock } = pumpRig()
    await store.append(newEvents(3))
    const link = new FakeLink()
    void pump.run(link, stop.signal)
    await clock.advance(0)
    link.ack(1, 2)
    expect(pump.state.position?.seq).toBe(0)
    link.ack(0)
    expect(pump.state.position?.seq).toBe(3)
  })

  test('is not moved by a second PUBACK for the same message', async () => {
    const { pump, store, stop, clock } = pumpRig()
    await store.append(newEvents(3))
    const link = new FakeLink()
    void pump.run(link, stop.signal)
    await clock.advance(0)
    link.ack(0, 0, 0)
    expect(pump.state.position?.seq).toBe(1)
    expect(pump.state.counts.acknowledged).toBe(1)
  })

  test('is not moved by what is said of a connection that is lost', async () => {
    const { pump, store, stop, clock } = pumpRig()
    await store.append(newEvents(3))
    const lost = new FakeLink()
    const first = pump.run(lost, stop.signal)
    await clock.advance(0)
    lost.lose(new LinkLost('cut'))
    await first
    lost.ack(0, 1, 2)
    expect(pump.state.position?.seq).toBe(0)
  })

  test('is made durable after a second, or after a thousand acknowledgements', async () => {
    const { pump, store, stop, clock } = pumpRig()
    await store.append(newEvents(5))
    const link = new FakeLink()
    void pump.run(link, stop.signal)
    await clock.advance(0)
    link.ack(0, 1, 2)
    await clock.advance(999)
    expect(store.confirmed('up:city')).toBeUndefined()
    await clock.advance(1)
    expect(store.confirmed('up:city')).toEqual({ epoch: 'e1', seq: 3 })
    expect(store.confirms).toBe(1)
    link.acknowledge = ({ settled }) => settled(undefined)
    link.ack(3, 4)
    await store.append(newEvents(2000))
    await clock.advance(0)
    expect(store.confirmed('up:city')?.seq).toBeGreaterThanOrEqual(1000)
    expect(store.confirms).toBeLessThanOrEqual(3)
  })

  test('that cannot be written holds nothing up, and is said once', async () => {
    const { pump, store, stop, clock, lines } = pumpRig()
    await store.append(newEvents(300))
    const link = new FakeLink()
    link.acknowledge = ({ settled }) => settled(undefined)
    store.confirm = () => Promise.reject(new Fault('connection', 'disk full', { code: 'store' }))
    void pump.run(link, stop.signal)
    await clock.advance(30_000)
    expect(link.published).toHaveLength(300)
    expect(lines.filter((line) => line.includes('could not be written'))).toHaveLength(1)
  })

  test('passes what the rights leave out', async () => {
    const { pump, store, stop, clock } = pumpRig({ rights: { ...ALL_RIGHTS, privacy: 'public' } })
    await store.append([newEvent(), newEvent({ privacy: 'personal' }), newEvent(), newEvent({ privacy: 'sensitive' })])
    const link = new FakeLink()
    link.acknowledge = ({ settled }) => settled(undefined)
    void pump.run(link, stop.signal)
    await clock.advance(0)
    expect(link.ids()).toEqual(['1', '3'])
    expect(pump.state.position?.seq).toBe(4)
    await store.append(newEvents(5, { privacy: 'sensitive' }))
    await clock.advance(0)
    expect(link.ids()).toEqual(['1', '3'])
    expect(pump.state.position?.seq).toBe(9)
  })

  test('does not pass what the rights leave out while an earlier message is in flight', async () => {
    const { pump, store, stop, clock } = pumpRig({ rights: { ...ALL_RIGHTS, privacy: 'public' } })
    await store.append([newEvent()])
    const link = new FakeLink()
    void pump.run(link, stop.signal)
    await clock.advance(0)
    await store.append(newEvents(5, { privacy: 'sensitive' }))
    await clock.advance(0)
    expect(pump.state.position?.seq).toBe(0)
    link.ack(0)
    expect(pump.state.position?.seq).toBe(6)
  })
})

describe('a lost connection', () => {
  test('all that was in flight is sent again from the cursor, with the same bytes, no more than a window', async () => {
    const { pump, store, stop, clock } = pumpRig()
    await store.append(newEvents(500))
    const first = new FakeLink()
    const running = pump.run(first, stop.signal)
    await clock.advance(0)
    first.ack(...Array.from({ length: 50 }, (_, n) => n))
    await clock.advance(0)
    expect(first.ids()).toEqual(range(1, 150))
    first.lose(new LinkLost('cut'))
    await running
    const second = new FakeLink()
    void pump.run(second, stop.signal)
    await clock.advance(0)
    expect(second.ids()).toEqual(range(51, 150))
    expect(second.published.map(({ text }) => text)).toEqual(first.published.slice(50).map(({ text }) => text))
  })

  test('no PUBACK within the time means that it is dead', async () => {
    const { pump, store, stop, clock } = pumpRig({ publishTimeoutMs: 20_000 })
    await store.append(newEvents(3))
    const link = new FakeLink()
    const running = pump.run(link, stop.signal)
    await clock.advance(10_000)
    link.ack(0, 1)
    await clock.advance(9999)
    expect(link.ended).toBeUndefined()
    await clock.advance(1)
    expect(link.ended).toBe('destroyed')
    expect(await running).toMatchObject({ message: expect.stringContaining('no PUBACK within 20000 ms') })
    expect(pump.state.counts.timeouts).toBe(1)
  })

  test('a slow broker that goes on acknowledging is left alone', async () => {
    const { pump, store, stop, clock } = pumpRig({ publishTimeoutMs: 20_000, window: 10 })
    await store.append(newEvents(30))
    const link = new FakeLink()
    void pump.run(link, stop.signal)
    for (let index = 0; index < 30; index++) {
      await clock.advance(1900)
      link.ack(index)
    }
    await clock.advance(100_000)
    expect(link.ended).toBeUndefined()
    expect(pump.state.position?.seq).toBe(30)
  })

  test('leaves no timer behind', async () => {
    const { pump, store, stop, clock } = pumpRig()
    await store.append(newEvents(10))
    const link = new FakeLink()
    const running = pump.run(link, stop.signal)
    await clock.advance(0)
    link.ack(0)
    link.refuse(1, 0x97)
    link.lose(new LinkLost('cut'))
    await running
    expect(clock.pending).toBe(0)
    expect(store.waiting).toBe(0)
  })
})

describe('the end', () => {
  test('what is in flight may still be acknowledged, and the cursor is durable when it is over', async () => {
    const { pump, store, stop, clock } = pumpRig()
    await store.append(newEvents(250))
    const link = new FakeLink()
    const running = pump.run(link, stop.signal)
    await clock.advance(0)
    stop.abort()
    await clock.advance(0)
    link.ack(...Array.from({ length: 100 }, (_, n) => n))
    await clock.advance(0)
    expect(await running).toBeUndefined()
    expect(link.published).toHaveLength(100)
    expect(store.confirmed('up:city')).toEqual({ epoch: 'e1', seq: 100 })
    expect(clock.pending).toBe(0)
  })

  test('is not held up by a broker that is silent', async () => {
    const { pump, store, stop, clock } = pumpRig()
    await store.append(newEvents(5))
    const running = pump.run(new FakeLink(), stop.signal)
    await clock.advance(0)
    stop.abort()
    await clock.advance(1000)
    expect(await running).toBeUndefined()
    expect(pump.state.position?.seq).toBe(0)
  })
})

describe('the log', () => {
  test('what was trimmed is announced first, among the audit events', async () => {
    const { pump, store, stop, clock } = pumpRig()
    await store.append(newEvents(10))
    await store.trim(4)
    const link = new FakeLink()
    link.acknowledge = ({ settled }) => settled(undefined)
    void pump.run(link, stop.signal)
    await clock.advance(0)
    expect(link.ids()).toEqual(['gap-evicted-1-4', ...range(5, 10)])
    expect(link.published[0]?.topic).toBe('linli/hub-01/events/audit')
    expect(JSON.parse(link.published[0]?.text ?? '')).toMatchObject({
      type: 'linli.log.gap',
      data: { fromSeq: 1, toSeq: 4, reason: 'evicted', counts: { telemetry: 4 } },
    })
  })

  test('each class has its topic', async () => {
    const { pump, store, stop, clock } = pumpRig()
    await store.append([
      newEvent(),
      newEvent({ class: 'status' }),
      newEvent({ class: 'alarm' }),
      newEvent({ class: 'audit' }),
    ])
    const link = new FakeLink()
    void pump.run(link, stop.signal)
    await clock.advance(0)
    expect(link.published.map(({ topic }) => topic)).toEqual([
      'linli/hub-01/events/telemetry',
      'linli/hub-01/events/status',
      'linli/hub-01/events/alarm',
      'linli/hub-01/events/audit',
    ])
  })

  test('a cursor of another log goes on with the oldest of this one', async () => {
    const { pump, store, stop, clock, lines } = pumpRig({ store: new MemoryStore('new') })
    store.stand('up:city', { epoch: 'old', seq: 700 })
    await store.append(newEvents(3))
    const link = new FakeLink()
    void pump.run(link, stop.signal)
    await clock.advance(0)
    expect(link.ids()).toEqual(range(1, 3))
    expect(store.confirmed('up:city')).toEqual({ epoch: 'new', seq: 0 })
    expect(lines.join()).toContain('belongs to another log')
  })

  test('a cursor ahead of the log goes on at its end', async () => {
    const { pump, store, stop, clock } = pumpRig()
    store.stand('up:city', { epoch: 'e1', seq: 700 })
    await store.append(newEvents(3))
    const link = new FakeLink()
    void pump.run(link, stop.signal)
    await clock.advance(0)
    await store.append(newEvents(1))
    await clock.advance(0)
    expect(link.ids()).toEqual(['4'])
  })

  test('a disk that fails ends the run with its fault', async () => {
    const { pump, store, stop, clock } = pumpRig()
    store.stand('up:city', { epoch: 'e1', seq: 0 })
    store.trouble = new Fault('connection', 'the disk is gone', { code: 'store' })
    const running = pump.run(new FakeLink(), stop.signal)
    running.catch(() => undefined)
    await clock.advance(0)
    await expect(running).rejects.toThrow('the disk is gone')
  })
})
