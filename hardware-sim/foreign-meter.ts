import { renameSync, rmSync, symlinkSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { type IServiceVector, ServerSerial, ServerTCP } from 'modbus-serial'
import type { ModbusMeter } from './modbus-meter.ts'
import { createPty, type Pty } from './pty.ts'
import type { Table } from './registers.ts'

/* MODBUS Application Protocol Specification V1.1b3, section 7. */
const ILLEGAL_ADDRESS = 2
const GATEWAY_TARGET_SILENT = 0x0b
/** How long ServerSerial waits for more bytes before it takes what came as a frame; its own default is 30. */
const FRAME_END_MS = 10

export interface ForeignTcp {
  readonly host: string
  readonly port: number
  close(): Promise<void>
}

export interface ForeignSerial {
  /** What the hub opens. */
  readonly path: string
  close(): Promise<void>
}

/**
 * The same meters behind the server of modbus-serial, which shares no line with ours: what the hub reads there it
 * reads from somebody else's idea of Modbus TCP.
 */
export async function serveForeignTcp(meters: readonly ModbusMeter[]): Promise<ForeignTcp> {
  const host = '127.0.0.1'
  // ServerTCP takes port 0 for 502, so a free one is found before.
  const port = await freePort(host)
  const server = new ServerTCP(vectorOf(meters), { host, port })
  await new Promise<void>((resolve, reject) => {
    server.on('initialized', () => resolve())
    server.on('serverError', (error) => reject(error))
  })
  return { host, port, close: () => closed(server) }
}

/**
 * The same over a serial line: ServerSerial at one pseudo-terminal, the hub at another, and their far ends joined.
 * It answers as soon as its process can, without wire time, and whatever the CRC of a request is.
 * @param path where the link to the hub's end stands.
 */
export async function serveForeignSerial(
  meters: readonly ModbusMeter[],
  path: string,
  baud = 9600,
): Promise<ForeignSerial> {
  const settings = { baud, stopBits: 1 } as const
  const hubEnd: Pty = createPty(settings, (bytes) => void serverEnd.write(bytes))
  const serverEnd: Pty = createPty(settings, (bytes) => void hubEnd.write(bytes))
  const options = { path: serverEnd.path, baudRate: baud, interval: FRAME_END_MS }
  const server = new ServerSerial(vectorOf(meters), options as unknown as ConstructorParameters<typeof ServerSerial>[1])
  await new Promise<void>((resolve, reject) => {
    server.on('initialized', () => resolve())
    server.on('error', (error) => reject(error))
  })
  rmSync(`${path}.new`, { force: true })
  symlinkSync(hubEnd.path, `${path}.new`)
  renameSync(`${path}.new`, path)
  return {
    path,
    async close() {
      await closed(server)
      rmSync(path, { force: true })
      hubEnd.close()
      serverEnd.close()
    },
  }
}

/** What modbus-serial's servers ask for, answered from the registers of our meters. */
function vectorOf(meters: readonly ModbusMeter[]): IServiceVector {
  const registersOf = (unit: number): ModbusMeter['registers'] => {
    const meter = meters.find((one) => one.unit === unit)
    if (meter === undefined) throw refusal(GATEWAY_TARGET_SILENT)
    return meter.registers
  }
  // Synchronous, and throwing: an array's promise is taken for an answer of the wrong length (modbus-serial 8.0.25).
  const read = (table: Table, address: number, count: number, unit: number): number[] => {
    const values = registersOf(unit).read(table, address, count)
    if (values === undefined) throw refusal(ILLEGAL_ADDRESS)
    return [...values]
  }
  const write = (table: Table, address: number, values: readonly number[], unit: number): void => {
    if (!registersOf(unit).write(table, address, values)) throw refusal(ILLEGAL_ADDRESS)
  }
  return {
    getCoil: (address: number, unit: number) => read('coil', address, 1, unit)[0] !== 0,
    getDiscreteInput: (address: number, unit: number) => read('discrete', address, 1, unit)[0] !== 0,
    getInputRegister: (address: number, unit: number) => read('input', address, 1, unit)[0]!,
    getHoldingRegister: (address: number, unit: number) => read('holding', address, 1, unit)[0]!,
    getMultipleInputRegisters: (address: number, count: number, unit: number) => read('input', address, count, unit),
    getMultipleHoldingRegisters: (address: number, count: number, unit: number) =>
      read('holding', address, count, unit),
    setCoil: (address: number, value: boolean, unit: number) => write('coil', address, [value ? 1 : 0], unit),
    setRegister: (address: number, value: number, unit: number) => write('holding', address, [value], unit),
    setRegisterArray: (address: number, values: number[], unit: number) => write('holding', address, values, unit),
  }
}

/** An error that modbus-serial turns into an exception answer. */
function refusal(modbusErrorCode: number): Error {
  return Object.assign(new Error(`Modbus exception ${modbusErrorCode}`), { modbusErrorCode })
}

function closed(server: ServerTCP | ServerSerial): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()))
}

async function freePort(host: string): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, host, resolve))
  const { port } = probe.address() as AddressInfo
  await new Promise((resolve) => probe.close(resolve))
  return port
}
