import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import modbusSerial from 'modbus-serial'
import { modbusTcp } from '../../drivers/rs485/modbus-tcp.ts'
import { rs485 } from '../../drivers/rs485/rs485.ts'
import type { Driver, Host } from '../../gateway/contract/driver.ts'
import type { Seen } from '../../gateway/contract/event.ts'
import type { Io } from '../../gateway/contract/io.ts'
import type { Log } from '../../gateway/contract/log.ts'
import { createClock } from '../../gateway/io/clock.ts'
import { createSerial } from '../../gateway/io/serial.ts'
import { createTcp } from '../../gateway/io/tcp.ts'
import { Simulator } from '../../hardware-sim/demo/simulator.ts'
import type { LineStatistics } from '../../hardware-sim/line-statistics.ts'
import {
  alternatingPairs,
  type BenchFigure,
  figureOf,
  figureOfPairs,
  median,
  ratioAtLeast,
  ratioAtMost,
  valueAtLeast,
  valueAtMost,
} from './figure.ts'

const RUNS = 5
const REGISTERS = 50
/** So often that a line is never idle. */
const ALWAYS = '10ms'
const UNITS = 8
const TCP_REGISTERS = 40
const WARM_UP_MS = 700
const TIMEOUT_MS = 2000
const SETTLE_MS = 500

/** The driver as the hub runs it, on a pty with wire time in another process, beside modbus-serial on the same one. */
export async function figures(): Promise<BenchFigure[]> {
  const efficiencies = [
    await efficiency(9600, 4000, 0.98),
    await efficiency(19_200, 3000, 0.97),
    await efficiency(115_200, 3000, 0.88),
  ]
  const violations = figureOf(
    {
      name: 'line.gap_violations',
      unit: 'requests',
      note: 'requests inside the 3.5 characters of silence, over all runs above',
      goal: valueAtMost(0),
    },
    efficiencies.map((each) => each.violations),
  )
  return [...efficiencies.map((each) => each.figure), violations, await cpu(), await neighbours(), ...(await overTcp())]
}

/** Back to back, one meter, one block; what the wire itself needs over what it took. */
async function efficiency(
  baud: number,
  windowMs: number,
  bound: number,
): Promise<{ figure: BenchFigure; violations: number }> {
  return withWorld(lineWorld(baud, 1), async (world) => {
    const running = await startDriver(rs485, lineOptions(world, baud, 1))
    const runs: LineStatistics[] = []
    try {
      await pause(WARM_UP_MS)
      for (let run = 0; run < RUNS; run++) {
        await lineOf(world, true)
        await pause(windowMs)
        runs.push(await lineOf(world, false))
      }
    } finally {
      await running.end()
    }
    const lateMs = median(runs.map((each) => each.lateMs)).toFixed(2)
    const note = `one meter, ${REGISTERS} registers, 5 ms of turnaround, 3.5 characters of silence; the simulated wire was ${lateMs} ms late by itself`
    const name = `line.efficiency.${baud}`
    return {
      figure: figureOf(
        { name, unit: 'ratio', note, goal: valueAtLeast(bound) },
        runs.map((each) => each.efficiency),
      ),
      violations: Math.max(...runs.map((each) => each.gapViolations)),
    }
  })
}

/** Processor time of this process for each request, the answer in pieces of 8 bytes. */
async function cpu(): Promise<BenchFigure> {
  const baud = 9600
  return withWorld(lineWorld(baud, 1), async (world) => {
    const ours = async (): Promise<number> => {
      const running = await startDriver(rs485, lineOptions(world, baud, 1))
      try {
        await pause(WARM_UP_MS)
        return await cpuPerRequest(world, () => pause(3000))
      } finally {
        await running.end()
      }
    }
    const other = async (): Promise<number> => {
      const client = new modbusSerial.default()
      client.setTimeout(TIMEOUT_MS)
      client.setID(1)
      await client.connectRTUBuffered(world.ready.lines[0]!.path, { baudRate: baud })
      try {
        await client.readInputRegisters(0, REGISTERS)
        return await cpuPerRequest(world, async () => {
          for (const untilMs = performance.now() + 3000; performance.now() < untilMs; ) {
            await client.readInputRegisters(0, REGISTERS)
          }
        })
      } finally {
        await new Promise((resolve) => client.close(() => resolve(undefined)))
      }
    }
    const pairs = await alternatingPairs(RUNS, ours, other)
    const note = `processor time a request at ${baud} baud, ${REGISTERS} registers in pieces of 8 bytes; schedule, decoding and event included; beside modbus-serial, buffered`
    return figureOfPairs({ name: 'line.cpu', unit: 'us', note, goal: ratioAtMost(0.25) }, pairs)
  })
}

async function cpuPerRequest(world: Simulator, run: () => Promise<void>): Promise<number> {
  await lineOf(world, true)
  const before = process.cpuUsage()
  await run()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / (await lineOf(world, false)).requests
}

/** 32 meters on one line that has no time to spare: with 4 of them dead, the others beside their own rate without the dead. */
async function neighbours(): Promise<BenchFigure> {
  const [baud, meters, windowMs] = [115_200, 32, 40_000]
  return withWorld(lineWorld(baud, meters), async (world) => {
    const alive = (statistics: LineStatistics): number =>
      Object.entries(statistics.answersByMeter)
        .filter(([id]) => !DEAD.includes(id))
        .reduce((sum, [, answers]) => sum + answers, 0) /
      (statistics.elapsedMs / 1000)
    const rate = async (devices: (id: string) => boolean): Promise<number> => {
      const running = await startDriver(rs485, lineOptions(world, baud, meters, devices))
      try {
        // Who is dead is found out in the first seconds.
        await pause(12_000)
        await lineOf(world, true)
        await pause(windowMs)
        return alive(await lineOf(world, false))
      } finally {
        await running.end()
      }
    }
    for (const meter of DEAD) await world.ask({ do: 'silence', meter })
    const value = await rate(() => true)
    const baseline = await rate((id) => !DEAD.includes(id))
    const note =
      'readings a second of 28 meters, back to back, while 4 others on the line are dead; beside the 28 alone'
    return figureOfPairs({ name: 'line.neighbours', unit: 'reads/s', note, goal: ratioAtLeast(0.95) }, [
      { value, baseline },
    ])
  })
}
const DEAD = ['meter-3', 'meter-11', 'meter-19', 'meter-27']

/** Modbus TCP: one unit, one request after the other; eight units, eight on their way. */
async function overTcp(): Promise<BenchFigure[]> {
  return withWorld(
    { modbusTcp: [{ id: 'plant', turnaroundMs: 0, meters: metersOf(UNITS, TCP_REGISTERS) }], broker: false },
    async (world) => {
      const { host, port } = world.ready.modbusTcp[0]!
      const requests = async (): Promise<number> => (await world.report()).modbusTcp.plant!.requests
      const measure = async (run: () => Promise<void>): Promise<{ reads: number; cpu: number }> => {
        const [sinceMs, first, before] = [performance.now(), await requests(), process.cpuUsage()]
        await run()
        const { user, system } = process.cpuUsage(before)
        const reads = (await requests()) - first
        return { reads: reads / ((performance.now() - sinceMs) / 1000), cpu: (user + system) / reads }
      }
      const ours = async (inFlight: number): Promise<{ reads: number; cpu: number }> => {
        const running = await startTcp(host, port, inFlight)
        try {
          return await measure(() => pause(1500))
        } finally {
          await running.end()
        }
      }
      const other = async (): Promise<{ reads: number; cpu: number }> => {
        const client = new modbusSerial.default()
        client.setTimeout(TIMEOUT_MS)
        await client.connectTCP(host, { port })
        client.setID(1)
        try {
          return await measure(async () => {
            for (const untilMs = performance.now() + 1500; performance.now() < untilMs; )
              await client.readInputRegisters(0, TCP_REGISTERS)
          })
        } finally {
          await new Promise((resolve) => client.close(() => resolve(undefined)))
        }
      }
      const costs: { value: number; baseline: number }[] = []
      const one = await alternatingPairs(
        RUNS,
        async () => (await ours(1)).reads,
        async () => (await other()).reads,
      )
      const eight = await alternatingPairs(
        RUNS,
        async () => (await ours(UNITS)).reads,
        async () => (await ours(1)).reads,
      )
      costs.push(
        ...(await alternatingPairs(
          RUNS,
          async () => (await ours(1)).cpu,
          async () => (await other()).cpu,
        )),
      )
      const what = `${TCP_REGISTERS} registers, back to back`
      return [
        figureOfPairs(
          {
            name: 'modbustcp.one',
            unit: 'reads/s',
            note: `${what}, one on its way, by the whole driver; beside bare modbus-serial`,
            goal: null,
          },
          one,
        ),
        figureOfPairs(
          {
            name: 'modbustcp.eight',
            unit: 'reads/s',
            note: `${what}, eight units with one each on its way; beside one on its way`,
            goal: ratioAtLeast(2),
          },
          eight,
        ),
        figureOfPairs(
          {
            name: 'modbustcp.cpu',
            unit: 'us',
            note: `${what}: processor time a read, decoding and event included; beside bare modbus-serial`,
            goal: ratioAtMost(0.8),
          },
          costs,
        ),
      ]
    },
  )
}

function startTcp(host: string, port: number, inFlight: number): Promise<Running> {
  const devices = metersOf(UNITS, TCP_REGISTERS).map(({ id, address }) => ({
    id,
    profile: String(TCP_REGISTERS),
    address,
    every: ALWAYS,
  }))
  return startDriver(modbusTcp, {
    modbusTcp: { host, port, inFlight },
    devices: inFlight === 1 ? devices.slice(0, 1) : devices,
  })
}

interface Running {
  end(): Promise<void>
}

const silent: Log = { debug() {}, info() {}, warn() {}, error() {}, with: () => silent }

/** The driver with real ports and sockets, and a hub around it that takes every event at once. */
async function startDriver<Options>(driver: Driver<Options>, settings: object): Promise<Running> {
  const ending = new AbortController()
  const profiles = { load: async (registers: string) => profileOf(Number(registers)), list: async () => [] }
  const host: Host<Options> = {
    connection: 'bench',
    options: driver.options.parse(settings),
    signal: ending.signal,
    clock: createClock(),
    log: silent,
    io: { serial: createSerial(), tcp: createTcp(), profiles } as unknown as Io,
    emit: async (batch: readonly Seen[]) => void batch.map(({ data }) => JSON.stringify(data)),
    mark() {},
    serve() {},
    figures() {},
  }
  const done = driver.run(host)
  done.catch(() => undefined)
  return {
    async end() {
      ending.abort(new Error('measured'))
      await done
      // What was asked last is still being answered; modbus-serial would stumble over it.
      await pause(SETTLE_MS)
    },
  }
}

function lineWorld(baud: number, meters: number): object {
  return { fineTime: true, lines: [{ id: 'line-1', baud, meters: metersOf(meters, REGISTERS) }], broker: false }
}

function metersOf(count: number, registers: number): { id: string; address: number; profile: object }[] {
  return Array.from({ length: count }, (_, at) => ({
    id: `meter-${at + 1}`,
    address: at + 1,
    profile: profileOf(registers),
  }))
}

function lineOptions(world: Simulator, baud: number, meters: number, wanted = (_id: string): boolean => true): object {
  const devices = metersOf(meters, REGISTERS).map(({ id, address }) => ({
    id,
    profile: String(REGISTERS),
    address,
    every: ALWAYS,
  }))
  return { rs485: { port: world.ready.lines[0]!.path, baud }, devices: devices.filter(({ id }) => wanted(id)) }
}

/** Float registers beside each other: one request. */
function profileOf(registers: number): object {
  return {
    id: `bench/floats-${registers}`,
    maker: 'Bench',
    model: `${registers / 2} floats`,
    protocol: 'modbus',
    source: 'made for this measurement: numbers beside each other',
    points: Array.from({ length: registers / 2 }, (_, at) => ({
      point: `power_${at + 1}`,
      unit: 'W',
      table: 'input',
      address: at * 2,
      as: 'float32',
    })),
    samples: [{ words: { 0: '4366 8000' }, expect: { power_1: 230.5 } }],
  }
}

async function lineOf(world: Simulator, reset: boolean): Promise<LineStatistics> {
  const { lines } = (await world.ask({ do: 'report', reset })) as unknown as { lines: Record<string, LineStatistics> }
  return lines['line-1']!
}

async function withWorld<T>(scenario: object, run: (world: Simulator) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'linli-bench-'))
  const world = await Simulator.start(folder, scenario)
  try {
    return await run(world)
  } finally {
    await world.end()
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
