import modbusSerial from 'modbus-serial'
import { rs485 } from '../../drivers/rs485/rs485.ts'
import type { Simulator } from '../../hardware-sim/demo/simulator.ts'
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
import { cpuUs, lineOf, meters, pause, SETTLE_MS, startDriver, withWorld } from './line-parts.ts'
import { tcpFigures } from './line-tcp.ts'

const RUNS = 5
const REGISTERS = 50
/** So often that a line is never idle. */
const ALWAYS = '10ms'
const WARM_UP_MS = 700
const CPU_WINDOW_MS = 3000
const CPU_BAUD = 9600
const TIMEOUT_MS = 2000
const SPEEDS = [
  { baud: 9600, windowMs: 4000, bound: 0.98 },
  { baud: 19_200, windowMs: 3000, bound: 0.97 },
  { baud: 115_200, windowMs: 3000, bound: 0.88 },
] as const

const METERS = 32
const DEAD = ['meter-3', 'meter-11', 'meter-19', 'meter-27']
/** In this time it is found out who is dead. */
const DEAD_FOUND_MS = 15_000
const NEIGHBOURS_WINDOW_MS = 40_000

/** The driver as the hub runs it, on a pty with wire time in another process, beside modbus-serial on the same one. */
export async function figures(): Promise<BenchFigure[]> {
  const efficiencies: Efficiency[] = []
  for (const speed of SPEEDS) efficiencies.push(await efficiency(speed))
  const violations = figureOf(
    {
      name: 'line.gap_violations',
      unit: 'requests',
      note: 'requests inside the 3.5 characters of silence, in all of the runs above',
      goal: valueAtMost(0),
    },
    efficiencies.map((each) => each.violations),
  )
  const told = efficiencies.map((each) => each.figure)
  return [...told, violations, await cpu(), await neighbours(), ...(await tcpFigures())]
}

interface Efficiency {
  readonly figure: BenchFigure
  readonly violations: number
}

/** Back to back, one meter, one block: what the wire itself needs over what it took. */
async function efficiency({ baud, windowMs, bound }: (typeof SPEEDS)[number]): Promise<Efficiency> {
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
    const note = `one meter, ${REGISTERS} registers, 5 ms of turnaround, 3.5 characters of silence; the ${lateMs} ms by which the simulated wire itself was late are taken off`
    const measured = { name: `line.efficiency.${baud}`, unit: 'ratio', note, goal: valueAtLeast(bound) }
    return {
      figure: figureOf(measured, runs.map(shareOfWire)),
      violations: Math.max(...runs.map((each) => each.gapViolations)),
    }
  })
}

/** The measuring wire hands bytes over a little late when its process had to wait; that is no fault of the master's. */
function shareOfWire({ idealMs, elapsedMs, answers, lateMs }: LineStatistics): number {
  return idealMs / (elapsedMs - answers * lateMs)
}

/** Processor time of this process for each request, the answer in pieces of 8 bytes. */
async function cpu(): Promise<BenchFigure> {
  return withWorld(lineWorld(CPU_BAUD, 1), async (world) => {
    const pairs = await alternatingPairs(
      RUNS,
      () => ourCpu(world),
      () => foreignCpu(world),
    )
    const note = `processor time a request at ${CPU_BAUD} baud, ${REGISTERS} registers in pieces of 8 bytes; schedule, decoding and event included; beside modbus-serial, buffered`
    return figureOfPairs({ name: 'line.cpu', unit: 'us', note, goal: ratioAtMost(0.25) }, pairs)
  })
}

async function ourCpu(world: Simulator): Promise<number> {
  const running = await startDriver(rs485, lineOptions(world, CPU_BAUD, 1))
  try {
    await pause(WARM_UP_MS)
    return await cpuPerRequest(world, () => pause(CPU_WINDOW_MS))
  } finally {
    await running.end()
  }
}

async function foreignCpu(world: Simulator): Promise<number> {
  const client = new modbusSerial.default()
  client.setTimeout(TIMEOUT_MS)
  client.setID(1)
  await client.connectRTUBuffered(world.ready.lines[0]!.path, { baudRate: CPU_BAUD })
  const readFor = async (ms: number): Promise<void> => {
    for (const untilMs = performance.now() + ms; performance.now() < untilMs; ) {
      await client.readInputRegisters(0, REGISTERS)
    }
  }
  try {
    await readFor(WARM_UP_MS)
    return await cpuPerRequest(world, () => readFor(CPU_WINDOW_MS))
  } finally {
    await new Promise((resolve) => client.close(() => resolve(undefined)))
    await pause(SETTLE_MS)
  }
}

async function cpuPerRequest(world: Simulator, run: () => Promise<void>): Promise<number> {
  await lineOf(world, true)
  const before = process.cpuUsage()
  await run()
  const us = cpuUs(before)
  return us / (await lineOf(world, false)).requests
}

/** A line without time to spare, 4 of its 32 meters dead: the others, beside their own rate without the dead. */
async function neighbours(): Promise<BenchFigure> {
  const baud = 115_200
  return withWorld(lineWorld(baud, METERS), async (world) => {
    const rate = async (wanted: (id: string) => boolean): Promise<number> => {
      const running = await startDriver(rs485, lineOptions(world, baud, METERS, wanted))
      try {
        await pause(DEAD_FOUND_MS)
        await lineOf(world, true)
        await pause(NEIGHBOURS_WINDOW_MS)
        return aliveRate(await lineOf(world, false))
      } finally {
        await running.end()
      }
    }
    for (const meter of DEAD) await world.ask({ do: 'silence', meter })
    const value = await rate(() => true)
    const baseline = await rate((id) => !DEAD.includes(id))
    const note = `readings a second of ${METERS - DEAD.length} meters, back to back, while ${DEAD.length} others on the line are dead; beside the same alone; windows of ${NEIGHBOURS_WINDOW_MS / 1000} s`
    return figureOfPairs({ name: 'line.neighbours', unit: 'reads/s', note, goal: ratioAtLeast(0.95) }, [
      { value, baseline },
    ])
  })
}

function aliveRate({ answersByMeter, elapsedMs }: LineStatistics): number {
  const alive = Object.entries(answersByMeter).filter(([id]) => !DEAD.includes(id))
  return alive.reduce((sum, [, answers]) => sum + answers, 0) / (elapsedMs / 1000)
}

function lineWorld(baud: number, count: number): object {
  return { fineTime: true, lines: [{ id: 'line-1', baud, meters: meters(count, REGISTERS) }], broker: false }
}

function lineOptions(world: Simulator, baud: number, count: number, wanted = (_id: string): boolean => true): object {
  const devices = meters(count, REGISTERS)
    .filter(({ id }) => wanted(id))
    .map(({ id, address }) => ({ id, profile: String(REGISTERS), address, every: ALWAYS }))
  return { rs485: { port: world.ready.lines[0]!.path, baud }, devices }
}
