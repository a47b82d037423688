import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Fault } from '../../gateway/contract/fault.ts'
import type { Wire } from '../../gateway/contract/io.ts'
import { createTcp } from '../../gateway/io/tcp.ts'
import { eventually } from './eventually.ts'

const tcp = createTcp()
let server: Server
let port: number
let peers: Socket[]
let ending: AbortController

beforeEach(async () => {
  peers = []
  ending = new AbortController()
  server = createServer((socket) => {
    peers.push(socket)
    socket.on('error', () => socket.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
})
afterEach(() => {
  ending.abort()
  for (const peer of peers) peer.destroy()
  server.close()
})

const dial = (): Promise<Wire> => tcp.dial('127.0.0.1', port, 2000, ending.signal)
const faultOf = (promise: Promise<unknown>): Promise<Fault> =>
  promise.then(
    () => expect.fail('no fault'),
    (error) => error,
  )
const inMs = (ms: number): number => performance.now() + ms

test('bytes go both ways; a read ends when enough is there, or at its time', async () => {
  const wire = await dial()
  const peer = await eventually(() => peers[0])
  const heard: Buffer[] = []
  peer.on('data', (bytes: Buffer) => heard.push(bytes))
  await wire.write(Buffer.from('question'))
  await eventually(() => Buffer.concat(heard).toString() === 'question')
  const read = wire.read(6, inMs(5000))
  peer.write('ans')
  setTimeout(() => peer.write('wer!'), 10)
  expect(Buffer.from(await read).toString()).toBe('answer!')
  const untilMs = inMs(20)
  expect(await wire.read(1, untilMs)).toHaveLength(0)
  // Timers of Node know whole milliseconds.
  expect(performance.now()).toBeGreaterThan(untilMs - 1)
})

test('a read without an end waits for bytes only', async () => {
  const wire = await dial()
  const read = wire.read(1, Number.POSITIVE_INFINITY)
  const peer = await eventually(() => peers[0])
  peer.write('x')
  expect(await read).toHaveLength(1)
})

test('the other side hangs up: whoever waits is told, and so is who comes later', async () => {
  const wire = await dial()
  const waiting = faultOf(wire.read(1, inMs(60_000)))
  const peer = await eventually(() => peers[0])
  peer.destroy()
  expect((await waiting).reach).toBe('connection')
  expect(((await wire.gone) as Fault).code).toBe('tcp-gone')
  expect((await faultOf(wire.read(1, inMs(10)))).code).toBe('tcp-gone')
  expect((await faultOf(wire.write(Buffer.of(1)))).code).toBe('tcp-gone')
})

test('nothing listens there: a fault of the connection with a way out', async () => {
  await new Promise((resolve) => server.close(resolve))
  const fault = await faultOf(dial())
  expect([fault.reach, fault.code]).toEqual(['connection', 'econnrefused'])
  expect(fault.message).toContain(`127.0.0.1:${port}`)
  expect(fault.hint).toContain('nothing listens on this port')
})

test('the end of its life closes it', async () => {
  const wire = await dial()
  const waiting = faultOf(wire.read(1, inMs(60_000)))
  ending.abort()
  expect((await waiting).code).toBe('tcp-closed')
  expect(await wire.gone).toBeUndefined()
  await eventually(() => peers[0]?.destroyed)
  await expect(dial()).rejects.toBe(ending.signal.reason)
})
