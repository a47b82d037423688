import { closeSync, constants, existsSync, openSync, readdirSync, readlinkSync, readSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { SerialPort } from 'serialport'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { PtyLine } from '../../hardware-sim/pty-line.ts'
import { seededRandom } from '../../hardware-sim/random.ts'
import { makeRaw } from '../../hardware-sim/termios.ts'
import { clock, closeClient, foreignClient, meter, temporaryFolder } from './sim-parts.ts'

let folder: ReturnType<typeof temporaryFolder>
let line: PtyLine

function lineAt(baud: number): PtyLine {
  const settings = { baud, dataBits: 8, parity: 'none', stopBits: 1 } as const
  line = new PtyLine(join(folder.path, 'line-1'), { clock, random: seededRandom(1), settings })
  line.line.attach(meter(1))
  line.line.attach(meter(2))
  return line
}

beforeEach(() => {
  folder = temporaryFolder()
})
afterEach(() => {
  line.close()
  folder.remove()
})

/** Request 8 characters, turnaround 5 ms, answer 5 + 2N characters of ten bits. */
function exchangeMs(baud: number, registers: number): number {
  return ((8 + 5 + 2 * registers) * 10_000) / baud + 5
}

test.each([
  { baud: 9600, rounds: 8 },
  { baud: 115_200, rounds: 60 },
])('50 registers at $baud baud take as long as on a wire', async ({ baud, rounds }) => {
  const client = foreignClient()
  await client.connectRTUBuffered(lineAt(baud).path, { baudRate: baud })
  client.setID(1)
  const tookMs: number[] = []
  for (let i = 0; i < rounds; i++) {
    const beganMs = clock.monoMs()
    const { data } = await client.readHoldingRegisters(100, 50)
    tookMs.push(clock.monoMs() - beganMs)
    expect(data).toEqual(Array.from({ length: 50 }, (_, k) => 100 + k))
    await clock.sleep(5)
  }
  await closeClient(client)
  // Never sooner than on a wire. Later by what waking two processes costs, which the quickest round shows best.
  const quickest = Math.min(...tookMs)
  expect(quickest).toBeGreaterThan(exchangeMs(baud, 50) - 0.05)
  expect(quickest).toBeLessThan(exchangeMs(baud, 50) * 1.03 + 1)
  expect(line.line.statistics()).toMatchObject({ requests: rounds, answers: rounds, gapViolations: 0, collisions: 0 })
  expect(line.overrunBytes).toBe(0)
})

test.each([
  { baud: 9600, rounds: 8, atLeast: 0.985 },
  { baud: 115_200, rounds: 40, atLeast: 0.94 },
])('at $baud baud an efficiency of $atLeast is within reach', async ({ baud, rounds, atLeast }) => {
  const port = await openPort(lineAt(baud).path, baud)
  const request = Buffer.from('010300640032', 'hex')
  const frame = Buffer.concat([request, Buffer.alloc(2)])
  frame.writeUInt16LE(crc(request), 6)
  const reached: number[] = []
  for (let i = 0; i < rounds; i++) {
    const answered = bytesOf(port, 105)
    port.write(frame)
    expect((await answered).length).toBe(105)
    await clock.sleep(4)
    reached.push(line.line.statistics({ reset: true }).efficiency)
  }
  await closePort(port)
  // A busy machine makes rounds longer, never shorter: the best says what the line itself takes.
  expect(Math.max(...reached)).toBeGreaterThan(atLeast)
  expect(Math.max(...reached)).toBeLessThanOrEqual(1)
})

test('every byte goes both ways as it is: no echo, no line discipline', async () => {
  const port = await openPort(lineAt(115_200).path, 115_200)
  const all = Buffer.from(Array.from({ length: 256 }, (_, i) => i))
  const back = bytesOf(port, 256)
  line.line.setFault(undefined, { kind: 'echo' })
  port.write(all)
  expect(await back).toEqual(all)
  line.line.setFault(undefined, undefined)
  const nothing = bytesOf(port, 1, 50)
  port.write(all)
  expect((await nothing).length).toBe(0)
  await closePort(port)
})

test('it is raw before anybody has made it so: a plain file gets every byte, and nothing comes back', async () => {
  const { path } = lineAt(115_200)
  const file = openSync(path, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK)
  // Without raw mode: 03 and 1C would be signals, 04 an end, 0D would become 0A, and all wait for a line's end.
  const special = Buffer.of(0x03, 0x04, 0x0a, 0x0d, 0x11, 0x13, 0x1c, 0x7f, 0xff)
  line.line.inject(special)
  await clock.sleep(20)
  const room = Buffer.alloc(100)
  expect(room.subarray(0, readSync(file, room))).toEqual(special)
  expect(line.line.statistics().bytesHeard).toBe(0)
  closeSync(file)
})

test('two stop bits are there before anybody has set them', async () => {
  lineAt(9600).close()
  const settings = { baud: 9600, dataBits: 8, parity: 'none', stopBits: 2 } as const
  line = new PtyLine(join(folder.path, 'line-1'), { clock, random: seededRandom(1), settings })
  const file = openSync(line.path, constants.O_RDWR | constants.O_NOCTTY)
  writeSync(file, Buffer.of(1))
  await clock.sleep(30)
  expect([line.line.statistics().bytesHeard, line.line.settings.stopBits]).toEqual([1, 2])
  closeSync(file)
})

test('the line sees at which speed the other end was opened', async () => {
  const port = await openPort(lineAt(9600).path, 19_200)
  port.write(Buffer.of(1))
  await clock.sleep(30)
  expect(line.line.settings.baud).toBe(19_200)
  await closePort(port)
})

test('at speed 0 nothing is on the wire, and the line lives on', async () => {
  const port = await openPort(lineAt(9600).path, 9600)
  const file = openSync(line.path, constants.O_RDWR | constants.O_NOCTTY)
  const request = Buffer.from('0103000100', 'hex')
  makeRaw(file, { baud: 0, stopBits: 1 })
  port.write(request)
  await clock.sleep(30)
  expect(line.line.statistics().requests).toBe(0)
  makeRaw(file, { baud: 9600, stopBits: 1 })
  port.write(request)
  await clock.sleep(30)
  expect(line.line.statistics().requests).toBe(1)
  closeSync(file)
  await closePort(port)
})

test('opened and closed again and again, it stays the same line', async () => {
  lineAt(115_200)
  for (let i = 0; i < 3; i++) {
    const client = foreignClient()
    await client.connectRTUBuffered(line.path, { baudRate: 115_200 })
    client.setID(2)
    expect((await client.readHoldingRegisters(7, 2)).data).toEqual([7, 8])
    await closeClient(client)
  }
})

test('plugging in and out leaves no descriptor behind', async () => {
  lineAt(9600)
  const open = (): number => readdirSync('/proc/self/fd').length
  const before = open()
  for (let i = 0; i < 10; i++) {
    line.unplug()
    line.plug()
    await clock.sleep(5)
  }
  expect(open()).toBe(before)
})

test('unplugged, the port at the other end goes; plugged in again, it is there under the same path', async () => {
  const port = await openPort(lineAt(9600).path, 9600)
  const before = readlinkSync(line.path)
  // serialport notices a hang-up only while it waits for something to read.
  port.on('data', () => undefined)
  await clock.sleep(50)
  const gone = new Promise((resolve) => port.once('close', resolve))
  line.unplug()
  await gone
  expect(existsSync(line.path)).toBe(false)
  line.plug()
  expect(existsSync(line.path)).toBe(true)
  expect(before).toMatch(/^\/dev\/pts\/\d+$/)
  const client = foreignClient()
  await client.connectRTUBuffered(line.path, { baudRate: 9600 })
  client.setID(1)
  expect((await client.readHoldingRegisters(1, 1)).data).toEqual([1])
  await closeClient(client)
})

function openPort(path: string, baudRate: number): Promise<SerialPort> {
  return new Promise((resolve, reject) => {
    const port: SerialPort = new SerialPort({ path, baudRate }, (error) => (error ? reject(error) : resolve(port)))
    port.on('error', () => port.close())
  })
}

function closePort(port: SerialPort): Promise<void> {
  return new Promise((resolve) => port.close(() => resolve()))
}

/** The next `count` bytes, or what came within `forMs`. */
async function bytesOf(port: SerialPort, count: number, forMs = 2000): Promise<Buffer> {
  const parts: Buffer[] = []
  let enough = (): void => undefined
  const take = (bytes: Buffer): void => {
    parts.push(bytes)
    if (Buffer.concat(parts).length >= count) enough()
  }
  port.on('data', take)
  await Promise.race([new Promise<void>((resolve) => (enough = resolve)), clock.sleep(forMs)])
  port.off('data', take)
  return Buffer.concat(parts)
}

/** CRC-16/MODBUS by its table-free definition, written down once more so that the simulator does not check itself. */
function crc(bytes: Uint8Array): number {
  return bytes.reduce((start, byte) => {
    let value = start ^ byte
    for (let i = 0; i < 8; i++) value = value % 2 === 1 ? (value >> 1) ^ 0xa001 : value >> 1
    return value
  }, 0xffff)
}
