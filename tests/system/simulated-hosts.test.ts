import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { serveForeignSerial, serveForeignTcp } from '../../hardware-sim/foreign-meter.ts'
import { ModbusTcpHost } from '../../hardware-sim/modbus-tcp.ts'
import { seededRandom } from '../../hardware-sim/random.ts'
import { clock, closeClient, type ForeignClient, foreignClient, meter, temporaryFolder } from './sim-parts.ts'

const endings: (() => unknown)[] = []
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end()
})

async function hostWith(turnaroundMs = 0): Promise<ModbusTcpHost> {
  const meters = [meter(1), meter(2)]
  const host = await ModbusTcpHost.start({ clock, random: seededRandom(1), meters, turnaroundMs })
  endings.push(() => host.cut())
  return host
}

async function clientOf(port: number, unit: number, timeoutMs?: number): Promise<ForeignClient> {
  const client = foreignClient(timeoutMs)
  await client.connectTCP('127.0.0.1', { port })
  endings.push(() => closeClient(client))
  client.setID(unit)
  return client
}

/** What came on a socket within `forMs`, as hex. */
async function exchange(port: number, request: string, forMs: number): Promise<string> {
  const socket: Socket = connect(port, '127.0.0.1')
  const parts: Buffer[] = []
  socket.on('data', (bytes: Buffer) => parts.push(bytes))
  socket.on('error', () => parts.push(Buffer.from('error')))
  socket.write(Buffer.from(request.replace(/\s/g, ''), 'hex'))
  await clock.sleep(forMs)
  socket.destroy()
  return Buffer.concat(parts).toString('hex')
}

test('a foreign client reads, writes, and is refused, unit by unit', async () => {
  const host = await hostWith()
  const client = await clientOf(host.port, 2)
  expect((await client.readHoldingRegisters(100, 3)).data).toEqual([100, 101, 102])
  await client.writeRegisters(5, [7, 8])
  expect((await client.readHoldingRegisters(4, 4)).data).toEqual([4, 7, 8, 7])
  await expect(client.readHoldingRegisters(600, 1)).rejects.toMatchObject({ modbusCode: 2 })
  client.setID(9)
  await expect(client.readHoldingRegisters(0, 1)).rejects.toMatchObject({ modbusCode: 11 })
  expect(host.statistics()).toMatchObject({ requests: 5, answers: 5, connections: 1 })
})

test('requests in flight are answered side by side, each with its transaction', async () => {
  const { port } = await hostWith(30)
  // Three requests in one segment: transactions 1, 2, 3 for one register each.
  const ask = (id: string, address: string): string => `00${id} 0000 0006 01 03 00${address} 0001`
  const began = clock.monoMs()
  const heard = await exchange(port, ask('01', '10') + ask('02', '20') + ask('03', '30'), 70)
  expect(clock.monoMs() - began).toBeLessThan(90)
  expect(heard).toBe(
    '0001 0000 0005 01 03 02 0010 0002 0000 0005 01 03 02 0020 0003 0000 0005 01 03 02 0030'.replace(/\s/g, ''),
  )
})

test.each([
  ['another protocol', 'GET / HTTP/1.1\r\n\r\n'],
  ['a length beyond 254', '\x00\x01\x00\x00\x00\xff\x01\x03'],
  ['a length without a function', '\x00\x01\x00\x00\x00\x01\x01\x03'],
])('a stream that is no Modbus is hung up on: %s', async (_name, text) => {
  const { port } = await hostWith()
  const socket = connect(port, '127.0.0.1')
  const closed = new Promise<string>((resolve) => socket.once('close', () => resolve('closed')))
  socket.write(text, 'latin1')
  expect(await closed).toBe('closed')
})

test.each([
  ['silence', { kind: 'silence' } as const, ''],
  ['another transaction', { kind: 'wrong-transaction' } as const, '0002000000050103020010'],
  ['another unit', { kind: 'wrong-unit', unit: 7 } as const, '0001000000050703020010'],
  ['busy', { kind: 'refuse', code: 6 } as const, '000100000003018306'],
  ['half a frame', { kind: 'half' } as const, '0001000000'],
])('%s', async (_name, fault, expected) => {
  const host = await hostWith()
  host.setFault('meter-1', fault)
  expect(await exchange(host.port, '0001 0000 0006 01 03 0010 0001', 40)).toBe(expected)
})

test('cut off and brought back on the same port', async () => {
  const host = await hostWith()
  const { port } = host
  await host.cut()
  await expect(clientOf(port, 1)).rejects.toThrow('ECONNREFUSED')
  await host.restore()
  expect(host.port).toBe(port)
  const client = await clientOf(port, 1)
  expect((await client.readHoldingRegisters(3, 1)).data).toEqual([3])
})

test('the same meters behind modbus-serial’s own servers, on TCP and on a pty', async () => {
  const meters = [meter(1), meter(2)]
  const tcp = await serveForeignTcp(meters)
  endings.push(() => tcp.close())
  const folder = temporaryFolder()
  endings.push(() => folder.remove())
  const serial = await serveForeignSerial(meters, join(folder.path, 'foreign'))
  endings.push(() => serial.close())
  const overSerial = foreignClient()
  await overSerial.connectRTUBuffered(serial.path, { baudRate: 9600 })
  endings.push(() => closeClient(overSerial))
  for (const client of [await clientOf(tcp.port, 1), overSerial]) {
    client.setID(2)
    expect((await client.readHoldingRegisters(200, 2)).data).toEqual([200, 201])
    expect((await client.readCoils(0, 3)).data.slice(0, 3)).toEqual([true, false, true])
    const volts = Buffer.from((await client.readInputRegisters(0, 2)).buffer).readFloatBE(0)
    expect(volts).toBeGreaterThan(220)
    expect(volts).toBeLessThan(240)
    await expect(client.readHoldingRegisters(600, 2)).rejects.toMatchObject({ modbusCode: 2 })
  }
})
