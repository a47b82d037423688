import modbusSerial from 'modbus-serial'
import { readRequest, wordAt } from '../../drivers/rs485/codec/pdu.ts'
import { TcpHost } from '../../drivers/rs485/tcp-host.ts'
import { createClock } from '../../gateway/io/clock.ts'
import { createTcp } from '../../gateway/io/tcp.ts'
import { alternatingPairs, type BenchFigure, figureOfPairs, ratioAtLeast, ratioAtMost } from './figure.ts'
import { cpuUs, meters, withWorld } from './line-parts.ts'

const RUNS = 5
const UNITS = 8
const REGISTERS = 40
/** What a small meter takes to answer; on a host that takes no time only two processes are measured. */
const TURNAROUND_MS = 2
const WINDOW_MS = 1500
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

/** Modbus TCP beside modbus-serial: one unit, one request after the other; eight units, eight on their way. */
export async function tcpFigures(): Promise<BenchFigure[]> {
  return [...(await besideModbusSerial()), await eightOnTheirWay()]
}

/** A host that answers at once, so that our own time is what counts. */
function besideModbusSerial(): Promise<BenchFigure[]> {
  return withHost(0, async (at) => {
    await ours(at, 1)
    await foreign(at)
    const one = await alternatingPairs(
      RUNS,
      async () => (await ours(at, 1)).readsPerSecond,
      async () => (await foreign(at)).readsPerSecond,
    )
    const cpu = await alternatingPairs(
      RUNS,
      async () => (await ours(at, 1)).cpuUsPerRead,
      async () => (await foreign(at)).cpuUsPerRead,
    )
    const note = `${WHAT}, one on its way, to an array of numbers; beside modbus-serial`
    const cpuNote = `processor time a read: ${note}`
    return [
      figureOfPairs({ name: 'modbustcp.one', unit: 'reads/s', note, goal: null }, one),
      figureOfPairs({ name: 'modbustcp.cpu', unit: 'us', note: cpuNote, goal: ratioAtMost(0.8) }, cpu),
    ]
  })
}

function eightOnTheirWay(): Promise<BenchFigure> {
  return withHost(TURNAROUND_MS, async (at) => {
    const pairs = await alternatingPairs(
      RUNS,
      async () => (await ours(at, UNITS)).readsPerSecond,
      async () => (await ours(at, 1)).readsPerSecond,
    )
    const note = `${WHAT}, ${UNITS} units with one each on its way, a host that takes ${TURNAROUND_MS} ms; beside one on its way`
    return figureOfPairs({ name: 'modbustcp.eight', unit: 'reads/s', note, goal: ratioAtLeast(2) }, pairs)
  })
}

function withHost<T>(turnaroundMs: number, run: (at: At) => Promise<T>): Promise<T> {
  const scenario = { modbusTcp: [{ id: 'plant', turnaroundMs, meters: meters(UNITS, REGISTERS) }], broker: false }
  return withWorld(scenario, (world) => run(world.ready.modbusTcp[0]!))
}

/** So many units, each asked again as soon as it has answered. */
async function ours({ host, port }: At, units: number): Promise<Measured> {
  const ending = new AbortController()
  const wire = await createTcp().dial(host, port, TIMEOUT_MS, ending.signal)
  const tcp = new TcpHost({ wire, clock: createClock(), timeoutMs: TIMEOUT_MS, inFlightMax: units })
  tcp.hear().catch(() => undefined)
  try {
    return await measure(units, async (unit) => {
      const { answer } = await tcp.ask(unit, readRequest('input', 0, REGISTERS), { attempts: 1 })
      if (answer.kind !== 'data') throw new Error(`exception ${answer.code}`)
      return Array.from({ length: REGISTERS }, (_, at) => wordAt(answer.data, at))
    })
  } finally {
    ending.abort()
    await wire.close()
  }
}

async function foreign({ host, port }: At): Promise<Measured> {
  const client = new modbusSerial.default()
  client.setTimeout(TIMEOUT_MS)
  await client.connectTCP(host, { port })
  client.setID(1)
  try {
    return await measure(1, async () => (await client.readInputRegisters(0, REGISTERS)).data)
  } finally {
    await new Promise((resolve) => client.close(() => resolve(undefined)))
  }
}

async function measure(units: number, read: (unit: number) => Promise<readonly number[]>): Promise<Measured> {
  const sinceMs = performance.now()
  const before = process.cpuUsage()
  let reads = 0
  const keepAsking = async (unit: number): Promise<void> => {
    while (performance.now() - sinceMs < WINDOW_MS) {
      const { length } = await read(unit)
      if (length !== REGISTERS) throw new Error(`${length} registers in place of ${REGISTERS}`)
      reads += 1
    }
  }
  await Promise.all(Array.from({ length: units }, (_, at) => keepAsking(at + 1)))
  return { readsPerSecond: reads / ((performance.now() - sinceMs) / 1000), cpuUsPerRead: cpuUs(before) / reads }
}
