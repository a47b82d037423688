import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Fault } from '../../gateway/contract/fault.ts'
import type { SerialSettings, SerialWire } from '../../gateway/contract/io.ts'
import { createSerial } from '../../gateway/io/serial.ts'
import { createPty, type Pty } from '../../hardware-sim/pty.ts'
import { eventually } from './eventually.ts'

const SETTINGS: SerialSettings = { baud: 9600, dataBits: 8, parity: 'none', stopBits: 1 }
const serial = createSerial()
let heard: Buffer
let pty: Pty
let ending: AbortController

beforeEach(() => {
  heard = Buffer.alloc(0)
  pty = createPty({ baud: 2400, stopBits: 1 }, (bytes) => {
    heard = Buffer.concat([heard, bytes])
  })
  ending = new AbortController()
})
afterEach(() => {
  ending.abort()
  pty.close()
})

const open = (settings = SETTINGS): Promise<SerialWire> => serial.open(pty.path, settings, ending.signal)
const faultOf = (promise: Promise<unknown>): Promise<Fault> =>
  promise.then(
    () => expect.fail('no fault'),
    (error) => error,
  )
const inMs = (ms: number): number => performance.now() + ms
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

test('bytes go out as they are, at the speed that was asked for', async () => {
  const wire = await open({ ...SETTINGS, baud: 19_200, parity: 'even' })
  expect(pty.settings().baud).toBe(19_200)
  const all = Uint8Array.from({ length: 256 }, (_, byte) => byte)
  await wire.write(all)
  await eventually(() => heard.length >= 256)
  expect([...heard]).toEqual([...all])
})

test('every byte comes in as it is', async () => {
  const wire = await open()
  const all = Buffer.from(Array.from({ length: 300 }, (_, at) => at & 255))
  pty.write(all)
  const first = await wire.read(300, inMs(2000))
  expect(Buffer.compare(Buffer.from(first), all)).toBe(0)
})

test('a read ends as soon as enough is there, with all that is there', async () => {
  const wire = await open()
  const read = wire.read(20, inMs(5000))
  for (let piece = 0; piece < 4; piece++) {
    pty.write(Buffer.alloc(8, piece))
    await pause(2)
  }
  const bytes = await read
  expect(bytes.length).toBeGreaterThanOrEqual(20)
  const rest = await wire.read(32 - bytes.length, inMs(1000))
  expect(bytes.length + rest.length).toBe(32)
})

test('more than the 255 bytes that a terminal can wait for', async () => {
  const wire = await open()
  const read = wire.read(700, inMs(5000))
  for (let piece = 0; piece < 7; piece++) {
    pty.write(Buffer.alloc(100, piece))
    await pause(2)
  }
  expect(await read).toHaveLength(700)
})

test('a read ends at its time with what there is, and not before', async () => {
  const wire = await open()
  pty.write(Buffer.of(1, 2, 3))
  for (const waitMs of [1.75, 3.6, 30]) {
    const untilMs = inMs(waitMs)
    const bytes = await wire.read(waitMs === 1.75 ? 1000 : 1, untilMs)
    expect(performance.now()).toBeGreaterThanOrEqual(untilMs)
    expect([...bytes]).toEqual(waitMs === 1.75 ? [1, 2, 3] : [])
  }
})

test('a read in the past takes what has come; one without a number waits for the time only', async () => {
  const wire = await open()
  pty.write(Buffer.of(7))
  await eventually(async () => (await wire.read(1, inMs(10))).length === 1)
  pty.write(Buffer.alloc(40, 9))
  const untilMs = inMs(25)
  const bytes = await wire.read(Number.POSITIVE_INFINITY, untilMs)
  expect(bytes).toHaveLength(40)
  expect(performance.now()).toBeGreaterThanOrEqual(untilMs)
  expect(await wire.read(5, 0)).toHaveLength(0)
})

test('what was not read can be forgotten', async () => {
  const wire = await open()
  pty.write(Buffer.from('old'))
  await pause(20)
  wire.discard()
  pty.write(Buffer.from('new'))
  expect(Buffer.from(await wire.read(3, inMs(1000))).toString()).toBe('new')
})

test('the speed can be changed between two requests', async () => {
  const wire = await open()
  await wire.write(Buffer.from('slow'))
  await eventually(() => heard.length === 4)
  await wire.configure({ ...SETTINGS, baud: 115_200 })
  expect(pty.settings().baud).toBe(115_200)
  pty.write(Buffer.from('answer'))
  expect(Buffer.from(await wire.read(6, inMs(1000))).toString()).toBe('answer')
})

test('a port has one owner; it is free again when that one has closed it', async () => {
  const wire = await open()
  const fault = await faultOf(open())
  expect([fault.reach, fault.code]).toEqual(['connection', 'port-busy'])
  await wire.close()
  const second = await open()
  await second.write(Buffer.from('again'))
  await eventually(() => heard.toString() === 'again')
})

test('a port that is not there is named, with those that are', async () => {
  const fault = await faultOf(serial.open('/dev/ttyNOWHERE', SETTINGS, ending.signal))
  expect([fault.reach, fault.code]).toEqual(['connection', 'port-missing'])
  expect(fault.message).toContain('/dev/ttyNOWHERE')
  for (const { path, byPath } of await serial.list()) expect(fault.hint).toContain(byPath ?? path)
})

test('what is no serial port is refused as what it is', async () => {
  const fault = await faultOf(serial.open('/dev/null', SETTINGS, ending.signal))
  expect([fault.reach, fault.message.includes('/dev/null')]).toEqual(['connection', true])
})

test('unplugged while nobody reads or writes: noticed within two seconds', async () => {
  const wire = await open()
  const sinceMs = performance.now()
  pty.close()
  const reason = (await wire.gone) as Fault
  expect(performance.now() - sinceMs).toBeLessThan(2000)
  expect([reason.reach, reason.code]).toEqual(['connection', 'port-gone'])
  await expect(wire.write(Buffer.of(1))).rejects.toBe(reason)
  await expect(wire.read(1, inMs(10))).rejects.toBe(reason)
})

test('unplugged while somebody waits for an answer: the wait ends', async () => {
  const wire = await open()
  const waiting = faultOf(wire.read(10, inMs(60_000)))
  pty.close()
  expect((await waiting).code).toBe('port-gone')
})

test('the end of its life closes it, and nobody is left waiting', async () => {
  const wire = await open()
  const waiting = faultOf(wire.read(10, inMs(60_000)))
  ending.abort()
  expect((await waiting).code).toBe('port-closed')
  expect(await wire.gone).toBeUndefined()
  await wire.close()
  await expect(serial.open(pty.path, SETTINGS, ending.signal)).rejects.toBe(ending.signal.reason)
})
