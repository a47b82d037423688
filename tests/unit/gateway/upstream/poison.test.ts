import { describe, expect, test } from 'vitest'
import { LinkLost } from '../../../../gateway/upstream/link.ts'
import { newEvent, newEvents } from '../../../contract/memory-store.ts'
import { FakeLink, type Published } from './fake-link.ts'
import { pumpRig } from './rig.ts'

/** MQTT 5, 3.4.2.1. */
const UNSPECIFIED = 0x80
const NOT_AUTHORIZED = 0x87
const QUOTA_EXCEEDED = 0x97
const PAYLOAD_FORMAT_INVALID = 0x99

/** A broker that refuses one event for ever and takes all others. */
function refusing(seq: number, reasonCode: number) {
  return ({ id, settled }: Published): void =>
    settled(id.endsWith(`/${seq}`) ? { reasonCode, message: `reason ${reasonCode}` } : undefined)
}

describe('an event that the broker refuses', () => {
  test('does not move the cursor, and is tried again after a pause', async () => {
    const { pump, store, stop, clock } = pumpRig()
    await store.append(newEvents(3))
    const link = new FakeLink()
    void pump.run(link, stop.signal)
    await clock.advance(0)
    link.refuse(0, QUOTA_EXCEEDED)
    link.ack(1, 2)
    await clock.advance(0)
    expect(pump.state.position?.seq).toBe(0)
    await clock.advance(1000)
    expect(link.ids()).toEqual(['1', '2', '3', '1'])
    link.ack(3)
    expect(pump.state.position?.seq).toBe(3)
  })

  test('stops what is new until it is tried again, so that nobody is pushed further over a quota', async () => {
    const { pump, store, stop, clock } = pumpRig({ window: 10 })
    await store.append(newEvents(100))
    const link = new FakeLink()
    void pump.run(link, stop.signal)
    await clock.advance(0)
    link.refuse(9, QUOTA_EXCEEDED)
    link.ack(0, 1, 2, 3, 4, 5, 6, 7, 8)
    await clock.advance(999)
    expect(link.published).toHaveLength(10)
    await clock.advance(1)
    expect(link.ids(10)).toEqual(['10', '11', '12', '13', '14', '15', '16', '17', '18', '19'])
  })

  test('while others are taken: after five refusals a gap record goes in its place and the others go on', async () => {
    const { pump, store, stop, clock, lines } = pumpRig()
    await store.append([...newEvents(2), newEvent({ class: 'alarm' }), ...newEvents(5)])
    const link = new FakeLink()
    link.acknowledge = refusing(3, PAYLOAD_FORMAT_INVALID)
    void pump.run(link, stop.signal)
    await clock.advance(60_000)
    const ids = link.ids()
    expect(ids.filter((id) => id === '3')).toHaveLength(5)
    expect(ids.at(-1)).toBe('gap-quarantined-3-3')
    expect(JSON.parse(link.published.at(-1)?.text ?? '').data).toMatchObject({
      reason: 'quarantined',
      fromSeq: 3,
      toSeq: 3,
      counts: { alarm: 1 },
    })
    expect(pump.state.position?.seq).toBe(8)
    expect(pump.state.counts).toMatchObject({ refused: 5, quarantined: 1 })
    expect(pump.state.suspects.size).toBe(0)
    expect(lines.filter((line) => line.startsWith('warn'))).toEqual([
      expect.stringContaining('"event":"hub-01/e1/3"'),
      expect.stringContaining('taken out of the way'),
    ])
  })

  test('alone: is no poison, however often it is refused, until another is taken', async () => {
    const { pump, store, stop, clock } = pumpRig()
    await store.append(newEvents(1))
    const link = new FakeLink()
    link.acknowledge = refusing(1, UNSPECIFIED)
    void pump.run(link, stop.signal)
    await clock.advance(3_600_000)
    expect(pump.state.counts).toMatchObject({ quarantined: 0 })
    expect(pump.state.counts.refused).toBeGreaterThan(100)
    await store.append(newEvents(1))
    await clock.advance(90_000)
    expect(pump.state.counts.quarantined).toBe(1)
    expect(pump.state.position?.seq).toBe(2)
  })

  test('for want of a right: never is poison; the pauses grow to a quarter of an hour and the log is not flooded', async () => {
    const { pump, store, stop, clock, lines } = pumpRig()
    await store.append([newEvent({ class: 'audit' }), ...newEvents(5)])
    const link = new FakeLink()
    link.acknowledge = refusing(1, NOT_AUTHORIZED)
    void pump.run(link, stop.signal)
    await clock.advance(24 * 3_600_000)
    const tries = link.ids().filter((id) => id === '1').length
    expect(tries).toBeGreaterThan(90)
    expect(tries).toBeLessThan(120)
    expect(pump.state.counts.quarantined).toBe(0)
    expect(pump.state.position?.seq).toBe(0)
    expect(lines.filter((line) => line.startsWith('warn'))).toHaveLength(1)
  })

  test('whose gap record is refused too is let go with an error in the log', async () => {
    const { pump, store, stop, clock, lines } = pumpRig()
    await store.append(newEvents(3))
    const link = new FakeLink()
    link.acknowledge = ({ id, settled }) =>
      settled(/\/(1|gap-.*)$/.test(id) ? { reasonCode: PAYLOAD_FORMAT_INVALID, message: 'no' } : undefined)
    void pump.run(link, stop.signal)
    await clock.advance(300_000)
    expect(pump.state.position?.seq).toBe(3)
    expect(lines.filter((line) => line.startsWith('error'))).toHaveLength(1)
  })

  test('is remembered over connections', async () => {
    const { pump, store, stop, clock } = pumpRig()
    await store.append(newEvents(3))
    for (let connection = 0; connection < 5; connection++) {
      const link = new FakeLink()
      link.acknowledge = refusing(1, PAYLOAD_FORMAT_INVALID)
      const running = pump.run(link, stop.signal)
      await clock.advance(0)
      link.lose(new LinkLost('cut'))
      await running
    }
    const link = new FakeLink()
    link.acknowledge = refusing(1, PAYLOAD_FORMAT_INVALID)
    void pump.run(link, stop.signal)
    await clock.advance(0)
    expect(link.ids()).toEqual(['gap-quarantined-1-1', '2', '3'])
  })
})

describe('an event larger than the broker takes', () => {
  test('is not sent at all: its gap record is, at its place', async () => {
    const { pump, store, stop, clock } = pumpRig()
    await store.append([newEvent(), newEvent({ body: JSON.stringify({ text: 'x'.repeat(2000) }) }), newEvent()])
    const link = new FakeLink({ packetBytesMax: 1000 })
    link.acknowledge = ({ settled }) => settled(undefined)
    void pump.run(link, stop.signal)
    await clock.advance(0)
    expect(link.ids()).toEqual(['1', 'gap-quarantined-2-2', '3'])
    expect(pump.state.counts.quarantined).toBe(1)
    expect(pump.state.position?.seq).toBe(3)
  })
})

describe('a broker that closes over an event, as MQTT 3.1.1 says no', () => {
  /** Connections that end as soon as event `seq` is sent on them; what was sent before it is acknowledged. */
  async function connections(rig: ReturnType<typeof pumpRig>, seq: number, count: number, everyMs: number) {
    const sent: string[][] = []
    for (let index = 0; index < count; index++) {
      const link = new FakeLink()
      link.acknowledge = ({ id, settled }) => {
        if (id.endsWith(`/${seq}`)) link.lose(new LinkLost('the broker closed the connection'))
        else if (!link.ids().includes(String(seq))) settled(undefined)
      }
      const running = rig.pump.run(link, rig.stop.signal)
      await rig.clock.advance(everyMs)
      sent.push(link.ids())
      if (link.ids().includes(String(seq))) await running
    }
    return sent
  }

  test('is asked with that event alone, and after five times in a minute or more goes on without it', async () => {
    const rig = pumpRig()
    await rig.store.append(newEvents(6))
    const sent = await connections(rig, 3, 8, 15_000)
    expect(sent[0]?.slice(0, 3)).toEqual(['1', '2', '3'])
    // The second still fills its window, because the first had acknowledgements; from the third on it is alone.
    expect(sent.slice(2, 7)).toEqual([['3'], ['3'], ['3'], ['3'], ['3']])
    expect(sent[7]).toEqual(['gap-quarantined-3-3', '4', '5', '6'])
    expect(rig.pump.state.position?.seq).toBe(6)
  })

  test('twenty closings in a few seconds are a broker in trouble, and nothing is given up', async () => {
    const rig = pumpRig()
    await rig.store.append(newEvents(6))
    await connections(rig, 3, 20, 500)
    expect(rig.pump.state.counts.quarantined).toBe(0)
    expect(rig.pump.state.position?.seq).toBe(2)
  })

  test('after a connection without one acknowledgement the window opens step by step', async () => {
    const { pump, store, stop, clock } = pumpRig({ window: 8 })
    await store.append(newEvents(40))
    const lost = new FakeLink()
    const running = pump.run(lost, stop.signal)
    await clock.advance(0)
    lost.lose(new LinkLost('cut'))
    await running
    const link = new FakeLink()
    void pump.run(link, stop.signal)
    await clock.advance(0)
    expect(link.published).toHaveLength(1)
    link.ack(0)
    await clock.advance(0)
    expect(link.published).toHaveLength(3)
    link.ack(1)
    await clock.advance(0)
    expect(link.published).toHaveLength(6)
    link.ack(2)
    await clock.advance(0)
    expect(link.published).toHaveLength(11)
    expect(link.inFlightMax).toBe(8)
  })
})
