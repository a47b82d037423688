import mqtt from 'mqtt'
import { describe, expect, test } from 'vitest'
import { newEvent, newEvents } from '../contract/memory-store.ts'
import { eventually } from './eventually.ts'
import { atEnd, kept } from './kept.ts'
import { Mosquitto } from './mosquitto.ts'
import { needs } from './needs.ts'
import { eventOf, MqttProxy, PUBACK, PUBLISH } from './proxy.ts'
import { drained, fasterClock, runUpstream } from './upstream-rig.ts'

/** What a subscriber gets, with its properties. */
async function subscriber(url: string, topic: string) {
  const messages: { topic: string; text: string; retain: boolean; contentType: string | undefined }[] = []
  const client = mqtt.connect(url, { protocolVersion: 5, reconnectPeriod: 50 })
  atEnd(() => client.endAsync(true))
  client.on('message', (name, payload, packet) => {
    const contentType = packet.properties?.contentType
    messages.push({ topic: name, text: payload.toString(), retain: packet.retain, contentType })
  })
  await client.subscribeAsync(topic, { qos: 1 })
  return messages
}

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
    const upstream = kept(runUpstream({ url: proxy.url, reconnectMax: '1h' }))
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

  test('a wrong password is said once and tried less and less often, whatever the settings say', async () => {
    const broker = await mosquitto('password_file {folder}/nobody')
    const options = { url: broker.url, username: 'hub', password: { secret: 'city' }, reconnectMax: '200ms' }
    const clock = fasterClock(20)
    const upstream = kept(runUpstream(options, { clock, secrets: { city: 'wrong' } }))
    await eventually(() => upstream.state().lastError?.includes('ot authorized'))
    // Twenty seconds of the hub: at every 200 ms it would have been a hundred times and more.
    const untilMs = clock.monoMs() + 20_000
    await eventually(() => clock.monoMs() > untilMs)
    expect(upstream.figures().find(({ name }) => name === 'linli_upstream_failures_total')?.value).toBeLessThan(25)
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
