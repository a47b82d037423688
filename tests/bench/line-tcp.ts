import modbusSerial from 'modbus-serial'
import { readRequest, wordAt } from '../../drivers/rs485/codec/pdu.ts'
import { TcpHost } from '../../drivers/rs485/tcp-host.ts'
import { createClock } from '../../gateway/io/clock.ts'
import { createTcp } from '../../gateway/io/tcp.ts'
import { alternatingPairs, type BenchFigure, figureOfPairs, ratioAtLeast, ratioAtMost } from './figure.ts'
import { cpuUs, meters, withWorld } from './line-parts.ts'

const RUNS = 5
/** Short windows in quick turn: what else a machine does hits both sides alike. */
const CPU_RUNS = 21
const CPU_WINDOW_MS = 400
const WINDOW_MS = 1500
const UNITS = 8
const REGISTERS = 40
/** What a small meter takes to answer; on a host that takes no time only two processes are measured. */
const TURNAROUND_MS = 2
const TIMEOUT_MS = 2000
const WHAT = `${REGISTERS} registers, back to back`

interface Measured {
  readonly readsPerSecond: number
  readonly cpuUsPerRead: number
}

interface At {
  readonly host: string
  readonly port: number
}

/** A client that stands, and asks so many units for so long, each again as soon as it has answered. */
interface Client {
  run(units: number, forMs: number): Promise<Measured>
  close(): Promise<void>
}

/** Modbus TCP beside modbus-serial: one unit, one request after the other; eight units, eight on their way. */
export async function tcpFigures(): Promise<BenchFigure[]> {
  return [...(await besideModbusSerial()), await eightOnTheirWay()]
}

/** A host that answers at once, so that our own time is what counts. */
function besideModbusSerial(): Promise<BenchFigure[]> {
  return withHost(0, async (at) => {
    const [we, they] = [await ours(at), await foreign(at)]
    try {
      for (const client of [we, they]) await client.run(1, WINDOW_MS)
      const one = await alternatingPairs(
        RUNS,
        async () => (await we.run(1, WINDOW_MS)).readsPerSecond,
        async () => (await they.run(1, WINDOW_MS)).readsPerSecond,
      )
      const cpu = await alternatingPairs(
        CPU_RUNS,
        async () => (await we.run(1, CPU_WINDOW_MS)).cpuUsPerRead,
        async () => (await they.run(1, CPU_WINDOW_MS)).cpuUsPerRead,
      )
      const note = `${WHAT}, one on its way, to an array of numbers; beside modbus-serial`
      const cpuNote = `processor time a read: ${note}`
      return [
        figureOfPairs({ name: 'modbustcp.one', unit: 'reads/s', note, goal: null }, one),
        figureOfPairs({ name: 'modbustcp.cpu', unit: 'us', note: cpuNote, goal: ratioAtMost(0.8) }, cpu),
      ]
    } finally {
      await Promise.all([we.close(), they.close()])
    }
  })
}

function eightOnTheirWay(): Promise<BenchFigure> {
  return withHost(TURNAROUND_MS, async (at) => {
    const client = await ours(at)
    try {
      const pairs = await alternatingPairs(
        RUNS,
        async () => (await client.run(UNITS, WINDOW_MS)).readsPerSecond,
        async () => (await client.run(1, WINDOW_MS)).readsPerSecond,
      )
      const note = `${WHAT}, ${UNITS} units with one each on its way, a host that takes ${TURNAROUND_MS} ms; beside one on its way`
      return figureOfPairs({ name: 'modbustcp.eight', unit: 'reads/s', note, goal: ratioAtLeast(2) }, pairs)
    } finally {
      await client.close()
    }
  })
}

function withHost<T>(turnaroundMs: number, run: (at: At) => Promise<T>): Promise<T> {
  const scenario = { modbusTcp: [{ id: 'plant', turnaroundMs, meters: meters(UNITS, REGISTERS) }], broker: false }
  return withWorld(scenario, (world) => run(world.ready.modbusTcp[0]!))
}

async function ours({ host, port }: At): Promise<Client> {
  const ending = new AbortController()
  const wire = await createTcp().dial(host, port, TIMEOUT_MS, ending.signal)
  const tcp = new TcpHost({ wire, clock: createClock(), timeoutMs: TIMEOUT_MS, inFlightMax: UNITS })
  tcp.hear().catch(() => undefined)
  const read = async (unit: number): Promise<number[]> => {
    const { answer } = await tcp.ask(unit, readRequest('input', 0, REGISTERS), { attempts: 1 })
    if (answer.kind !== 'data') throw new Error(`exception ${answer.code}`)
    return Array.from({ length: REGISTERS }, (_, at) => wordAt(answer.data, at))
  }
  return { run: (units, forMs) => measure(units, forMs, read), close: () => wire.close() }
}

async function foreign({ host, port }: At): Promise<Client> {
  const client = new modbusSerial.default()
  client.setTimeout(TIMEOUT_MS)
  await client.connectTCP(host, { port })
  client.setID(1)
  const read = async (): Promise<number[]> => (await client.readInputRegisters(0, REGISTERS)).data
  return {
    run: (units, forMs) => measure(units, forMs, read),
    close: () => new Promise((resolve) => client.close(() => resolve())),
  }
}

async function measure(
  units: number,
  forMs: number,
  read: (unit: number) => Promise<readonly number[]>,
): Promise<Measured> {
  const sinceMs = performance.now()
  const before = process.cpuUsage()
  let reads = 0
  const keepAsking = async (unit: number): Promise<void> => {
    while (performance.now() - sinceMs < forMs) {
      const { length } = await read(unit)
      if (length !== REGISTERS) throw new Error(`${length} registers in place of ${REGISTERS}`)
      reads += 1
    }
  }
  await Promise.all(Array.from({ length: units }, (_, at) => keepAsking(at + 1)))
  return { readsPerSecond: reads / ((performance.now() - sinceMs) / 1000), cpuUsPerRead: cpuUs(before) / reads }
}
