import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fullJitterMs } from '../../../../gateway/upstream/backoff.ts'
import { upstreamOptions } from '../../../../gateway/upstream/options.ts'
import { topicOf } from '../../../../gateway/upstream/topics.ts'
import { type Slot, Window } from '../../../../gateway/upstream/window.ts'
import { seededRandom } from '../../../../hardware-sim/random.ts'
import { newEvent } from '../../../contract/memory-store.ts'

const slot = (seq: number): Slot => ({
  item: { entry: { ...newEvent(), kind: 'event', epoch: 'e1', seq }, after: seq },
  topic: 't',
  payload: Buffer.alloc(0),
  sentMs: 0,
  state: 'sent',
})

describe('the window', () => {
  test('whatever the order of acknowledgements, the front is the first that waits', () => {
    const orders = fc.shuffledSubarray([1, 2, 3, 4, 5, 6, 7, 8], { minLength: 0, maxLength: 8 })
    fc.assert(
      fc.property(orders, (order) => {
        const window = new Window(8)
        const slots = new Map([1, 2, 3, 4, 5, 6, 7, 8].map((seq) => [seq, slot(seq)]))
        for (const each of slots.values()) window.push(each)
        let cursor = 0
        const acknowledged = new Set<number>()
        for (const seq of order) {
          acknowledged.add(seq)
          slots.get(seq)!.state = 'acknowledged'
          cursor = window.settle()?.item.after ?? cursor
          let expected = 0
          while (acknowledged.has(expected + 1)) expected += 1
          expect(cursor).toBe(expected)
          expect(window.length).toBe(8 - expected)
        }
      }),
    )
  })

  test('takes no more than it holds', () => {
    const window = new Window(1)
    window.push(slot(1))
    expect(() => window.push(slot(2))).toThrow('full')
  })
})

describe('full jitter', () => {
  test('is never negative and never more than its span or the bound', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), fc.integer(), (failures, seed) => {
        const ms = fullJitterMs(failures, 1000, 30_000, seededRandom(seed))
        expect(ms).toBeGreaterThanOrEqual(0)
        expect(ms).toBeLessThan(Math.min(30_000, 1000 * 2 ** Math.min(failures - 1, 30)) + 1)
      }),
    )
  })

  test('two hundred hubs whose broker comes back stay under twenty attempts in any second', () => {
    const random = seededRandom(7)
    // Out for ten minutes: every hub pauses up to 30 s at a time, at a random phase.
    const perSecond = new Map<number, number>()
    for (let hub = 0; hub < 200; hub++) {
      for (let atMs = 0, failures = 1; atMs < 600_000; failures++) {
        atMs += fullJitterMs(failures, 1000, 30_000, random)
        const second = Math.floor(atMs / 1000)
        if (second >= 300) perSecond.set(second, (perSecond.get(second) ?? 0) + 1)
      }
    }
    expect(Math.max(...perSecond.values())).toBeLessThan(30)
    const mean = [...perSecond.values()].reduce((sum, n) => sum + n, 0) / perSecond.size
    expect(mean).toBeLessThan(20)
  })
})

test('topics carry hub and class', () => {
  const event = { ...newEvent({ class: 'alarm' }), kind: 'event', epoch: 'e1', seq: 1 } as const
  expect(topicOf('hub-01', event)).toBe('linli/hub-01/events/alarm')
})

describe('the settings of an upstream', () => {
  const parse = (mqtt: object, rest: object = {}) => upstreamOptions.safeParse({ id: 'city', mqtt, ...rest })
  const firstIssue = (mqtt: object) => {
    const issue = parse(mqtt).error?.issues[0]
    return `${issue?.path.join('.')}: ${issue?.message}`
  }

  test('an address is enough; whoever names no rights gets what is public', () => {
    expect(parse({ url: 'mqtts://broker.example:8883' }).data).toEqual({
      id: 'city',
      mqtt: {
        url: 'mqtts://broker.example:8883',
        format: 'cloudevents',
        qos: 1,
        window: 100,
        keepaliveMs: 30_000,
        publishTimeoutMs: 20_000,
        reconnectMaxMs: 30_000,
      },
      rights: {
        types: ['*'],
        devices: ['*'],
        classes: ['telemetry', 'status', 'alarm', 'audit'],
        privacy: 'public',
      },
      required: true,
    })
  })

  test('durations carry units and come out in milliseconds', () => {
    const parsed = parse({ url: 'mqtt://127.0.0.1', keepalive: '2m', publishTimeout: '500ms', reconnectMax: '1m' })
    expect(parsed.data?.mqtt).toMatchObject({ keepaliveMs: 120_000, publishTimeoutMs: 500, reconnectMaxMs: 60_000 })
  })

  test('mistakes are told with the way out', () => {
    expect(firstIssue({ url: 'http://x' })).toContain('mqtt.url: an address of a broker')
    expect(firstIssue({ url: 'mqtt://user:password@x' })).toContain('without user and password')
    expect(firstIssue({ url: 'mqtt://x', window: 101 })).toContain('mqtt.window')
    expect(firstIssue({ url: 'mqtt://x', keepalive: 30 })).toContain('a duration with its unit')
    expect(firstIssue({ url: 'mqtts://x', cert: 'a.pem' })).toContain('cert and key belong together')
    expect(firstIssue({ url: 'mqtt://x', ca: 'a.pem' })).toContain('mqtts')
    expect(firstIssue({ url: 'mqtt://x', username: 'a', password: 'secret in the file' })).toContain('mqtt.password')
    expect(firstIssue({ url: 'mqtt://x', password: { secret: 'city' } })).toContain('a password needs a username')
    expect(firstIssue({ url: 'mqtt://x', qos: 0 })).toContain('mqtt.qos')
  })
})
