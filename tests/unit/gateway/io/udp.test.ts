import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createUdp } from '../../../../gateway/io/udp.ts'

const udp = createUdp()
let life: AbortController
/** A socket of Node that sends back what it gets, twice. */
let mirror: Socket
let mirrorPort: number
/** Datagrams that it has sent back. */
let mirrored = 0

beforeEach(async () => {
  life = new AbortController()
  mirrored = 0
  mirror = createSocket('udp4')
  mirror.on('message', (bytes, { port, address }) => {
    for (const _ of [1, 2]) mirror.send(bytes, port, address, () => (mirrored += 1))
  })
  mirror.bind(0, '127.0.0.1')
  await once(mirror, 'listening')
  mirrorPort = mirror.address().port
})
afterEach(() => {
  life.abort(new Error('over'))
  mirror.close()
})
const soon = (ms = 2000): number => performance.now() + ms

test('what is sent comes back, with where it came from, each datagram once', async () => {
  const socket = await udp.open('127.0.0.1', life.signal)
  await socket.send(Buffer.from('probe'), mirrorPort, '127.0.0.1')
  for (const _ of [1, 2]) {
    const datagram = await socket.receive(soon())
    expect(Buffer.from(datagram!.bytes).toString()).toBe('probe')
    expect(datagram!.from).toBe(`127.0.0.1:${mirrorPort}`)
  }
  expect(await socket.receive(soon(20))).toBeUndefined()
})

test('nothing until the time given is nothing', async () => {
  const socket = await udp.open(undefined, life.signal)
  const startedMs = performance.now()
  expect(await socket.receive(soon(30))).toBeUndefined()
  // Timers know whole milliseconds.
  expect(performance.now() - startedMs).toBeGreaterThanOrEqual(28)
})

test('of a flood the newest 256 are kept', async () => {
  const socket = await udp.open('127.0.0.1', life.signal)
  for (let count = 0; count < 140; count++) {
    await socket.send(Buffer.of(count), mirrorPort, '127.0.0.1')
    // The kernel's buffer is not what is tested.
    if (count % 20 === 19) await new Promise((resolve) => setTimeout(resolve, 5))
  }
  // Looking takes them out, so it has to wait until all are there.
  await expect.poll(() => mirrored, { timeout: 10_000 }).toBe(280)
  await new Promise((resolve) => setTimeout(resolve, 100))
  const numbers: number[] = []
  for (let next = await socket.receive(0); next !== undefined; next = await socket.receive(0)) {
    numbers.push(next.bytes[0]!)
  }
  expect([numbers.length, numbers[0], numbers.at(-1)]).toEqual([256, 12, 139])
})

test('whoever waits is let go when its life ends, and nothing goes out any more', async () => {
  const socket = await udp.open('127.0.0.1', life.signal)
  const waiting = socket.receive(soon(10_000))
  const alsoWaiting = socket.receive(soon(10_000))
  life.abort(new Error('stopped'))
  await expect(waiting).rejects.toThrow('stopped')
  await expect(alsoWaiting).rejects.toThrow('stopped')
  await expect(socket.send(Buffer.of(1), mirrorPort, '127.0.0.1')).rejects.toThrow('stopped')
  await expect(udp.open('127.0.0.1', life.signal)).rejects.toThrow('stopped')
})

test('an address that is not ours, and a datagram that is too long, are faults', async () => {
  await expect(udp.open('192.0.2.1', life.signal)).rejects.toMatchObject({ reach: 'connection', code: 'udp' })
  const socket = await udp.open('127.0.0.1', life.signal)
  await expect(socket.send(Buffer.alloc(70_000), mirrorPort, '127.0.0.1')).rejects.toMatchObject({ code: 'udp' })
})

test('the addresses of this machine have the loopback among them', async () => {
  expect(await udp.addresses()).toContain('127.0.0.1')
})
