import { describe, expect, test } from 'vitest'
import type { Clock } from '../../gateway/contract/clock.ts'
import { newEvents } from '../contract/memory-store.ts'
import { eventually } from './eventually.ts'
import { kept } from './kept.ts'
import { Mosquitto } from './mosquitto.ts'
import { needs } from './needs.ts'
import { eventOf, MqttProxy, PUBACK, PUBLISH } from './proxy.ts'
import { drained, fasterClock, runUpstream } from './upstream-rig.ts'

describe('the network between', needs('mosquitto'), () => {
  async function between(options: Record<string, unknown> = {}, parts: { clock?: Clock } = {}) {
    const broker = kept(await Mosquitto.start(['max_inflight_messages 100']))
    const proxy = kept(await MqttProxy.start(broker.port))
    const upstream = kept(runUpstream({ url: proxy.url, ...options }, parts))
    return { broker, proxy, upstream }
  }

  test('cuts ten times in mid-stream: nothing is lost, and a window at most comes twice each time', async () => {
    const { proxy, upstream } = await between()
    for (let round = 0; round < 10; round++) {
      await upstream.store.append(newEvents(1000))
      const before = proxy.acknowledged.size
      await eventually(() => proxy.acknowledged.size > before + 50)
      proxy.cut()
    }
    await drained(upstream)
    expect(proxy.acknowledged.size).toBe(10_000)
    expect(proxy.duplicates).toBeLessThanOrEqual(10 * 100)
  })

  test('falls silent while messages are in flight: found by the publish time-out', async () => {
    const { proxy, upstream } = await between({ publishTimeout: '1s', keepalive: '60s' })
    await eventually(() => upstream.state().connected)
    proxy.stall(true)
    await upstream.store.append(newEvents(10))
    await eventually(() => upstream.state().lastError?.includes('no PUBACK within 1000 ms'), 3000)
    proxy.stall(false)
    await drained(upstream)
  })

  test('falls silent while nothing is sent: found by the keep-alive, within one and a half of it', async () => {
    const { proxy, upstream } = await between({ keepalive: '1s', publishTimeout: '60s' })
    // What was acknowledged once shows that the connection stands, whatever the first tries to agree on a version did.
    await upstream.store.append(newEvents(1))
    await drained(upstream)
    proxy.stall(true)
    const silentMs = performance.now()
    await eventually(() => !upstream.state().connected, 4000)
    expect(performance.now() - silentMs).toBeLessThan(3000)
    expect(upstream.state().lastError).toContain('Keepalive')
    proxy.stall(false)
    await eventually(() => upstream.state().connected)
  })

  test('loses PUBACKs: the same ids are sent again, and the cursor does not pass them before', async () => {
    const { proxy, upstream } = await between({ publishTimeout: '500ms' })
    let lost = 0
    proxy.toClient = ({ kind, bytes }) => {
      if (kind !== PUBACK || lost === 3 || proxy.published.length < 10) return [bytes]
      lost += 1
      return []
    }
    await upstream.store.append(newEvents(200))
    await drained(upstream)
    expect(lost).toBe(3)
    expect(proxy.acknowledged.size).toBe(200)
    expect(proxy.duplicates).toBeGreaterThan(0)
    expect(proxy.duplicates).toBeLessThanOrEqual(100 * (proxy.connections - 1))
  })

  test('repeats PUBACKs and makes some up: the cursor is right all the same', async () => {
    const { proxy, upstream } = await between()
    proxy.toClient = ({ kind, bytes }) => {
      if (kind !== PUBACK) return [bytes]
      const unknown = Buffer.from(bytes)
      unknown.writeUInt16BE((bytes.readUInt16BE(2) + 30_000) % 65_535 || 1, 2)
      return [unknown, bytes, bytes]
    }
    await upstream.store.append(newEvents(2000))
    await drained(upstream)
    expect(proxy.acknowledged.size).toBe(2000)
    expect(proxy.duplicates).toBe(0)
    expect(upstream.state().position?.seq).toBe(2000)
  })

  test('a PUBACK of 0x99 for one event: it is announced as missing, the others go on', async () => {
    const { proxy, upstream } = await between({}, { clock: fasterClock(50) })
    const refused = new Set<number>()
    proxy.toBroker = ({ kind, bytes }) => {
      const event = kind === PUBLISH ? eventOf(bytes) : undefined
      if (event?.id === 'hub-01/e1/7') refused.add(event.packetId)
      return [bytes]
    }
    proxy.toClient = ({ kind, bytes }) => {
      if (kind !== PUBACK || !refused.delete(bytes.readUInt16BE(2))) return [bytes]
      return [Buffer.from([0x40, 3, bytes[2]!, bytes[3]!, 0x99])]
    }
    await upstream.store.append(newEvents(300))
    await drained(upstream)
    expect(proxy.published.filter((id) => id === 'hub-01/e1/7')).toHaveLength(5)
    expect(proxy.acknowledged).toContain('hub-01/e1/gap-quarantined-7-7')
    expect(proxy.acknowledged.size).toBe(300)
    expect(proxy.connections).toBe(1)
  })

  test('a hub that dies without a word sends again what it had not confirmed, and no more than that', async () => {
    const { proxy, upstream } = await between()
    await upstream.store.append(newEvents(5000))
    await drained(upstream)
    const confirmed = upstream.store.confirmed('up:city')?.seq ?? 0
    const again = kept(runUpstream({ url: proxy.url, clientId: 'after-the-crash' }, { store: upstream.store }))
    await drained(again)
    expect(proxy.duplicates).toBe(5000 - confirmed)
    expect(5000 - confirmed).toBeLessThanOrEqual(1000 + 100)
  })
})
