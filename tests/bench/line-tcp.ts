import modbusSerial from 'modbus-serial'
import { NETWORK_COSTS } from '../../drivers/rs485/costs.ts'
import { ModbusMeter } from '../../drivers/rs485/modbus/modbus-meter.ts'
import { modbusProfile } from '../../drivers/rs485/profile.ts'
import { TcpHost } from '../../drivers/rs485/tcp-host.ts'
import { createClock } from '../../gateway/io/clock.ts'
import { createTcp } from '../../gateway/io/tcp.ts'
import { alternatingPairs, type BenchFigure, figureOfPairs, ratioAtLeast, ratioAtMost } from './figure.ts'
import { cpuUs, floats, meters, withWorld } from './line-parts.ts'

const RUNS = 5
const UNITS = 8
const REGISTERS = 40
const WINDOW_MS = 1500
const TIMEOUT_MS = 2000

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
  const scenario = { modbusTcp: [{ id: 'plant', turnaroundMs: 0, meters: meters(UNITS, REGISTERS) }], broker: false }
  return withWorld(scenario, async (world) => {
    const at = world.ready.modbusTcp[0]!
    const speed = async (run: Promise<Measured>): Promise<number> => (await run).readsPerSecond
    const cost = async (run: Promise<Measured>): Promise<number> => (await run).cpuUsPerRead
    await Promise.all([ours(at, 1), foreign(at)])
    const one = await alternatingPairs(
      RUNS,
      () => speed(ours(at, 1)),
      () => speed(foreign(at)),
    )
    const eight = await alternatingPairs(
      RUNS,
      () => speed(ours(at, UNITS)),
      () => speed(ours(at, 1)),
    )
    const cpu = await alternatingPairs(
      RUNS,
      () => cost(ours(at, 1)),
      () => cost(foreign(at)),
    )
    const what = `${REGISTERS} registers, back to back`
    return [
      figureOfPairs(
        {
          name: 'modbustcp.one',
          unit: 'reads/s',
          note: `${what}, one on its way, decoded; beside bare modbus-serial`,
          goal: null,
        },
        one,
      ),
      figureOfPairs(
        {
          name: 'modbustcp.eight',
          unit: 'reads/s',
          note: `${what}, eight units, one each on its way; beside one`,
          goal: ratioAtLeast(2),
        },
        eight,
      ),
      figureOfPairs(
        {
          name: 'modbustcp.cpu',
          unit: 'us',
          note: `${what}: processor time a read, decoded; beside bare modbus-serial`,
          goal: ratioAtMost(0.8),
        },
        cpu,
      ),
    ]
  })
}

/** So many units, each asked again as soon as it has answered. */
async function ours({ host, port }: At, units: number): Promise<Measured> {
  const ending = new AbortController()
  const clock = createClock()
  const wire = await createTcp().dial(host, port, TIMEOUT_MS, ending.signal)
  const tcp = new TcpHost({ wire, clock, timeoutMs: TIMEOUT_MS, inFlightMax: units })
  tcp.hear().catch(() => undefined)
  const profile = modbusProfile.parse(floats(REGISTERS))
  try {
    return await measure(units, (unit) => {
      const meter = new ModbusMeter(`meter-${unit}`, profile, NETWORK_COSTS, (request, attempts) =>
        tcp.ask(unit, request, { attempts }),
      )
      return () => meter.read(1)
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
    return await measure(1, () => () => client.readInputRegisters(0, REGISTERS))
  } finally {
    await new Promise((resolve) => client.close(() => resolve(undefined)))
  }
}

async function measure(units: number, readerOf: (unit: number) => () => Promise<unknown>): Promise<Measured> {
  const sinceMs = performance.now()
  const before = process.cpuUsage()
  let reads = 0
  const keepAsking = async (unit: number): Promise<void> => {
    const read = readerOf(unit)
    while (performance.now() - sinceMs < WINDOW_MS) {
      await read()
      reads += 1
    }
  }
  await Promise.all(Array.from({ length: units }, (_, at) => keepAsking(at + 1)))
  return { readsPerSecond: reads / ((performance.now() - sinceMs) / 1000), cpuUsPerRead: cpuUs(before) / reads }
}
