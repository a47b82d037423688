import { type AddressInfo, createServer, type Socket } from 'node:net'
import mqtt from 'mqtt'
import { afterEach, describe, expect, test } from 'vitest'
import { createClock } from '../../gateway/io/clock.ts'
import { Broker } from '../../hardware-sim/broker.ts'
import { newEvent, newEvents } from '../contract/memory-store.ts'
import { eventually } from './eventually.ts'
import { Mosquitto } from './mosquitto.ts'
import { needs } from './needs.ts'
import { eventOf, MqttProxy, PUBACK, PUBLISH } from './proxy.ts'
import { fasterClock, runUpstream } from './upstream-rig.ts'

const cleanUp: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const each of cleanUp.splice(0).reverse()) await each()
})
function kept<T extends { close(): Promise<unknown> } | { stop(): Promise<unknown> }>(thing: T): T {
  cleanUp.push(() => ('close' in thing ? thing.close() : thing.stop()))
  return thing
}
const simBroker = async (): Promise<Broker> => kept(await Broker.start({ clock: createClock() }))
const drained = (upstream: ReturnType<typeof runUpstream>, limitMs = 15_000) =>
  eventually(() => upstream.state().lag === 0, limitMs, 'everything is acknowledged')

/** What a subscriber gets, with its properties. */
async function subscriber(url: string, topic: string) {
  const messages: { topic: string; text: string; retain: boolean; contentType: string | undefined }[] = []
  const client = mqtt.connect(url, { protocolVersion: 5, reconnectPeriod: 50 })
  cleanUp.push(() => client.endAsync(true))
  client.on('message', (name, payload, packet) => {
    const contentType = packet.properties?.contentType
    messages.push({ topic: name, text: payload.toString(), retain: packet.retain, contentType })
  })
  await client.subscribeAsync(topic, { qos: 1 })
  return messages
}

describe('a broker that knows only MQTT 3.1.1', () => {
  test('is spoken to in its own version, and gets everything once', async () => {
    const broker = await simBroker()
    const upstream = kept(runUpstream({ url: broker.url }))
    await upstream.store.append(newEvents(3000))
    await drained(upstream)
    expect(broker.record.report()).toMatchObject({ unique: 3000, duplicates: 0, missing: 0 })
    expect(upstream.lines).toContain('info connected {"protocol":"MQTT 3.1.1"}')
  })

  test('after a cut: sends no more than a window twice, and is asked in 3.1.1 at once', async () => {
    const broker = await simBroker()
    const upstream = kept(runUpstream({ url: broker.url }))
    await upstream.store.append(newEvents(20_000))
    await eventually(() => broker.record.report().unique > 2000)
    await broker.cut()
    await eventually(() => !upstream.state().connected)
    await upstream.store.append(newEvents(500))
    await broker.restore()
    await drained(upstream)
    const { unique, duplicates, missing } = broker.record.report()
    expect({ unique, missing }).toEqual({ unique: 20_500, missing: 0 })
    expect(duplicates).toBeLessThanOrEqual(100)
  })

  test('says online, and offline when the hub ends', async () => {
    const broker = await simBroker()
    const upstream = runUpstream({ url: broker.url })
    await eventually(() => broker.record.lastOn('linli/hub-01/status') === '{"online":true}')
    await upstream.stop()
    expect(broker.record.lastOn('linli/hub-01/status')).toBe('{"online":false}')
  })

  test('the cursor outlives the hub: an orderly restart sends nothing twice', async () => {
    const broker = await simBroker()
    const first = runUpstream({ url: broker.url })
    await first.store.append(newEvents(20_000))
    await eventually(() => broker.record.report().unique > 1000)
    await first.stop()
    const reached = first.state().position?.seq ?? 0
    expect(reached).toBeLessThan(20_000)
    const second = kept(runUpstream({ url: broker.url }, { store: first.store }))
    await drained(second)
    expect(broker.record.report()).toMatchObject({ unique: 20_000, duplicates: 0, missing: 0 })
  })

  test('one that withholds every PUBACK is left after the time, and asked again', async () => {
    const broker = await simBroker()
    broker.behave({ kind: 'withhold' })
    const upstream = kept(runUpstream({ url: broker.url }, { clock: fasterClock(10) }))
    await upstream.store.append(newEvents(10))
    await eventually(() => upstream.state().lastError?.includes('has not acknowledged the first message'))
    broker.behave({ kind: 'well' })
    await drained(upstream)
  })
})

describe('a peer that is no broker', () => {
  /** Listens and does with each connection what the test says. */
  async function listener(each: (socket: Socket) => void): Promise<string> {
    const sockets = new Set<Socket>()
    const server = createServer((socket) => {
      sockets.add(socket)
      socket.on('error', () => undefined)
      each(socket)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    cleanUp.push(async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    })
    return `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  test('takes the connection and never answers: left after ten seconds, with the reason', async () => {
    const url = await listener((socket) => socket.resume())
    const upstream = kept(runUpstream({ url }, { clock: fasterClock(20) }))
    await eventually(() => upstream.state().lastError?.includes('has not answered within 10000 ms'))
  })

  test('talks something else: left at once', async () => {
    const url = await listener((socket) => socket.write('SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n'))
    const upstream = kept(runUpstream({ url }))
    await eventually(() => upstream.state().lastError !== undefined, 3000)
    expect(upstream.state().connected).toBe(false)
  })

  test('is not there: asked again and again, at growing pauses, with one line in the log', async () => {
    const upstream = kept(runUpstream({ url: 'mqtt://127.0.0.1:9' }))
    await eventually(() => (upstream.figures().find((f) => f.name === 'linli_upstream_failures_total')?.value ?? 0) > 3)
    expect(upstream.lines).toEqual([expect.stringContaining('ECONNREFUSED')])
  })
})

describe('mosquitto', needs('mosquitto'), () => {
  const mosquitto = async (...settings: string[]) => kept(await Mosquitto.start(settings))

  test('is spoken to in MQTT 5: structured CloudEvents with their content type, in order', async () => {
    const broker = await mosquitto()
    const messages = await subscriber(broker.url, 'linli/hub-01/events/#')
    const upstream = kept(runUpstream({ url: broker.url }))
    await upstream.store.append([
      ...newEvents(500),
      newEvent({ class: 'alarm', source: 'devices/门-1', body: '{"名":"消防"}' }),
    ])
    await drained(upstream)
    await eventually(() => messages.length === 501)
    expect(upstream.lines).toContain('info connected {"protocol":"MQTT 5"}')
    const events = messages.map(({ text }) => JSON.parse(text))
    expect(events.map(({ linliseq }) => linliseq)).toEqual(Array.from({ length: 501 }, (_, n) => n + 1))
    expect(events.at(-1)).toMatchObject({
      specversion: '1.0',
      id: 'hub-01/e1/501',
      source: '/hubs/hub-01/devices/门-1',
      data: { 名: '消防' },
    })
    expect(messages.at(-1)).toMatchObject({
      topic: 'linli/hub-01/events/alarm',
      contentType: 'application/cloudevents+json; charset=utf-8',
      retain: false,
    })
  })

  test('tells whether the hub is there: retained, and by the last will when it vanishes', async () => {
    const broker = await mosquitto()
    const proxy = kept(await MqttProxy.start(broker.port))
    const upstream = kept(runUpstream({ url: proxy.url, reconnectMax: '1h' }, { clock: createClock() }))
    await eventually(() => upstream.state().connected)
    const late = await subscriber(broker.url, 'linli/hub-01/status')
    await eventually(() => late.length === 1)
    expect(late[0]).toMatchObject({ text: '{"online":true}', retain: true })
    proxy.cut()
    await eventually(() => late.length >= 2)
    expect(late[1]?.text).toBe('{"online":false}')
  })

  test('asks for five at a time and gets five', async () => {
    const broker = await mosquitto('max_inflight_messages 5')
    const proxy = kept(await MqttProxy.start(broker.port))
    const upstream = kept(runUpstream({ url: proxy.url }))
    await upstream.store.append(newEvents(1000))
    await drained(upstream)
    expect(proxy.inFlightMax).toBe(5)
    expect(proxy.duplicates).toBe(0)
  })

  test('never has more than a hundred in flight, whatever it would take', async () => {
    const broker = await mosquitto('max_inflight_messages 0')
    const proxy = kept(await MqttProxy.start(broker.port))
    const upstream = kept(runUpstream({ url: proxy.url }))
    await upstream.store.append(newEvents(10_000))
    await drained(upstream)
    expect(proxy.inFlightMax).toBe(100)
    expect(proxy.acknowledged.size).toBe(10_000)
  })

  test('a packet larger than it takes is announced as missing, and the connection stands', async () => {
    const broker = await mosquitto('max_packet_size 2000')
    const proxy = kept(await MqttProxy.start(broker.port))
    const upstream = kept(runUpstream({ url: proxy.url }))
    const large = newEvent({ class: 'status', body: JSON.stringify({ text: 'x'.repeat(3000) }) })
    await upstream.store.append([...newEvents(2), large, ...newEvents(2)])
    await drained(upstream)
    expect(proxy.published.map((id) => id.split('/').at(-1))).toEqual(['1', '2', 'gap-quarantined-3-3', '4', '5'])
    expect(proxy.connections).toBe(1)
  })

  test('the size is reckoned to the byte: a packet as large as it takes goes', async () => {
    const broker = await mosquitto('max_packet_size 2000')
    const proxy = kept(await MqttProxy.start(broker.port))
    const sizes: number[] = []
    proxy.toBroker = ({ kind, bytes }) => {
      if (kind === PUBLISH && eventOf(bytes) !== undefined) sizes.push(bytes.length)
      return [bytes]
    }
    const upstream = kept(runUpstream({ url: proxy.url }))
    await upstream.store.append(Array.from({ length: 40 }, (_, n) => newEvent({ body: `"${'x'.repeat(1640 + n)}"` })))
    await drained(upstream)
    const whole = sizes.filter((size) => size > 1700)
    expect(Math.max(...whole)).toBe(2000)
    expect(proxy.published.filter((id) => id.includes('gap')).length).toBe(40 - whole.length)
    expect(proxy.connections).toBe(1)
  })

  test('a wrong password is said once and tried slowly', async () => {
    const broker = await mosquitto('password_file {folder}/nobody')
    const options = { url: broker.url, username: 'hub', password: { secret: 'city' } }
    const upstream = kept(runUpstream(options, { secrets: { city: 'wrong' } }))
    await eventually(() => upstream.state().lastError?.includes('ot authorized'))
    expect(upstream.lines.filter((line) => line.startsWith('warn'))).toHaveLength(1)
  })

  test('two hubs with one identity: the one that is thrown out says so, and does not fight', async () => {
    const broker = await mosquitto()
    const proxy = kept(await MqttProxy.start(broker.port))
    const upstream = kept(runUpstream({ url: proxy.url, reconnectMax: '1h' }))
    await eventually(() => upstream.state().connected)
    // DISCONNECT with reason 0x8E, session taken over (MQTT 5, 3.14.2.1).
    proxy.toClient = ({ kind, bytes }) => (kind === PUBACK ? [Buffer.from([0xe0, 2, 0x8e, 0])] : [bytes])
    await upstream.store.append(newEvents(1))
    await eventually(() => upstream.state().lastError?.includes('two hubs have one client id'))
    expect(upstream.state().connected).toBe(false)
  })

  test('killed twenty times in mid-stream: every event is acknowledged, and none is lost or given up', async () => {
    const broker = await mosquitto('max_inflight_messages 100')
    const proxy = kept(await MqttProxy.start(broker.port))
    const upstream = kept(runUpstream({ url: proxy.url }))
    let appended = 0
    for (let round = 0; round < 20; round++) {
      await upstream.store.append(newEvents(2000))
      appended += 2000
      const before = proxy.acknowledged.size
      await eventually(() => proxy.acknowledged.size > before + 100 * (round % 4), 10_000, `round ${round} moves`)
      await broker.kill()
      await upstream.store.append(newEvents(10))
      appended += 10
      await broker.restart()
    }
    await drained(upstream)
    expect(proxy.acknowledged.size).toBe(appended)
    expect(proxy.duplicates).toBeLessThanOrEqual(20 * 100)
    expect(upstream.figures().find(({ name }) => name === 'linli_upstream_quarantined_total')?.value).toBe(0)
  }, 60_000)
})

describe('the network between', needs('mosquitto'), () => {
  async function between(options: Record<string, unknown> = {}, parts: Parameters<typeof runUpstream>[1] = {}) {
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
    await eventually(() => upstream.state().connected)
    proxy.stall(true)
    const silentMs = performance.now()
    await eventually(() => !upstream.state().connected, 4000)
    expect(performance.now() - silentMs).toBeLessThan(2500)
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
    const confirmed = upstream.store.cursors.get('up:city')?.seq ?? 0
    const again = kept(runUpstream({ url: proxy.url, clientId: 'after-the-crash' }, { store: upstream.store }))
    await drained(again)
    expect(proxy.duplicates).toBe(5000 - confirmed)
    expect(5000 - confirmed).toBeLessThanOrEqual(1000 + 100)
  })
})
