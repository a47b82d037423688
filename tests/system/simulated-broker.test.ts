import mqtt, { type MqttClient } from 'mqtt'
import { afterEach, expect, test } from 'vitest'
import { Broker } from '../../hardware-sim/broker.ts'
import { clock } from './sim-parts.ts'

const TOPIC = 'linli/hub-01/events/telemetry'
const endings: (() => unknown)[] = []
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end()
})

async function broker(users?: Record<string, string>): Promise<Broker> {
  const one = await Broker.start({ clock, ...(users === undefined ? {} : { users }) })
  endings.push(() => one.close())
  return one
}

async function client(url: string, options: mqtt.IClientOptions = {}): Promise<MqttClient> {
  const one = mqtt.connect(url, { protocolVersion: 4, reconnectPeriod: 0, connectTimeout: 1000, ...options })
  endings.push(() => one.endAsync(true))
  one.on('error', () => undefined)
  await new Promise<void>((resolve, reject) => {
    one.once('connect', () => resolve())
    one.once('close', () => reject(new Error('not let in')))
  })
  return one
}

function event(seq: number): string {
  return `{"specversion":"1.0","id":"hub-01/e1/${seq}","data":{}}`
}

/** Whether a message is confirmed within `ms`. */
async function confirmed(one: MqttClient, seq: number, ms: number): Promise<boolean> {
  const published = one.publishAsync(TOPIC, event(seq), { qos: 1 }).then(
    () => true,
    () => false,
  )
  return Promise.race([published, clock.sleep(ms).then(() => false)])
}

test('cut off, connections drop and the port is closed; brought back, it is the same port and the account goes on', async () => {
  const one = await broker()
  const before = await client(one.url)
  expect(await confirmed(before, 1, 1000)).toBe(true)
  const dropped = new Promise<void>((resolve) => before.once('close', () => resolve()))
  await one.cut()
  await dropped
  expect(one.cutOff).toBe(true)
  await expect(client(one.url)).rejects.toThrow('not let in')
  const { url } = one
  await one.restore()
  expect(one.url).toBe(url)
  const after = await client(url)
  expect(await confirmed(after, 1, 1000)).toBe(true)
  expect(await confirmed(after, 3, 1000)).toBe(true)
  expect(one.record.report()).toMatchObject({
    received: 3,
    unique: 2,
    duplicates: 1,
    missing: 1,
    firstSeq: 1,
    lastSeq: 3,
  })
})

test('withhold: it takes messages and confirms none; slow: each later', async () => {
  const one = await broker()
  one.behave({ kind: 'withhold' })
  const unanswered = await client(one.url)
  expect(await confirmed(unanswered, 1, 100)).toBe(false)
  expect(one.record.report().unique).toBe(1)
  one.behave({ kind: 'slow', pubackMs: 80 })
  const slow = await client(one.url)
  const began = clock.monoMs()
  expect(await confirmed(slow, 2, 1000)).toBe(true)
  expect(clock.monoMs() - began).toBeGreaterThan(79)
})

test('mute: it takes the connection and says nothing', async () => {
  const one = await broker()
  one.behave({ kind: 'mute' })
  await expect(client(one.url, { connectTimeout: 150 })).rejects.toThrow('not let in')
  one.behave({ kind: 'well' })
  expect(await confirmed(await client(one.url), 1, 1000)).toBe(true)
})

test('only who knows the password is let in, and nobody when it refuses', async () => {
  const one = await broker({ 'hub-01': 's3cret' })
  await expect(client(one.url)).rejects.toThrow('not let in')
  await expect(client(one.url, { username: 'hub-01', password: 'wrong' })).rejects.toThrow('not let in')
  const login = { username: 'hub-01', password: 's3cret' }
  expect(await confirmed(await client(one.url, login), 1, 1000)).toBe(true)
  one.behave({ kind: 'refuse' })
  await expect(client(one.url, login)).rejects.toThrow('not let in')
})

test('the platform speaks to whoever has subscribed', async () => {
  const one = await broker()
  const hub = await client(one.url)
  await hub.subscribeAsync('linli/hub-01/commands', { qos: 1 })
  const heard = new Promise((resolve) => hub.once('message', (topic, payload) => resolve([topic, payload.toString()])))
  await one.publish('linli/hub-01/commands', '{"verb":"unlock"}')
  expect(await heard).toEqual(['linli/hub-01/commands', '{"verb":"unlock"}'])
})
