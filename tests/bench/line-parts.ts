import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Driver, Host } from '../../gateway/contract/driver.ts'
import type { Seen } from '../../gateway/contract/event.ts'
import type { Io } from '../../gateway/contract/io.ts'
import type { Log } from '../../gateway/contract/log.ts'
import { createClock } from '../../gateway/io/clock.ts'
import { createSerial } from '../../gateway/io/serial.ts'
import { createTcp } from '../../gateway/io/tcp.ts'
import { Simulator } from '../../hardware-sim/demo/simulator.ts'
import type { LineStatistics } from '../../hardware-sim/line-statistics.ts'

/** What was asked last is still being answered, and modbus-serial would stumble over it; it also lets go of a port late. */
export const SETTLE_MS = 500

export interface Running {
  end(): Promise<void>
}

const silent: Log = { debug() {}, info() {}, warn() {}, error() {}, with: () => silent }

/** A driver with real ports and sockets, and a hub around it that takes every event at once. */
export async function startDriver<Options>(driver: Driver<Options>, settings: object): Promise<Running> {
  const ending = new AbortController()
  const profiles = { load: async (registers: string) => floats(Number(registers)), list: async () => [] }
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
    lastReading: () => undefined,
    figures() {},
    show() {},
    keep: (_name, make) => make(),
  }
  const done = driver.run(host)
  done.catch(() => undefined)
  return {
    async end() {
      ending.abort(new Error('measured'))
      await done
      await pause(SETTLE_MS)
    },
  }
}

/** A profile of float registers beside each other: one request. */
export function floats(registers: number): object {
  const points = Array.from({ length: registers / 2 }, (_, at) => ({
    point: `power_${at + 1}`,
    unit: 'W',
    table: 'input',
    address: at * 2,
    as: 'float32',
  }))
  return {
    id: `bench/floats-${registers}`,
    maker: 'Bench',
    model: `${registers / 2} floats`,
    protocol: 'modbus',
    source: 'made for this measurement: numbers beside each other',
    points,
    samples: [{ words: { 0: '4366 8000' }, expect: { power_1: 230.5 } }],
  }
}

export interface SimulatedMeter {
  readonly id: string
  readonly address: number
  readonly profile: object
}

export function meters(count: number, registers: number): SimulatedMeter[] {
  const profile = floats(registers)
  return Array.from({ length: count }, (_, at) => ({ id: `meter-${at + 1}`, address: at + 1, profile }))
}

export async function withWorld<T>(scenario: object, run: (world: Simulator) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'linli-bench-'))
  const world = await Simulator.start(folder, scenario)
  let ended = ''
  world.child.ended.then(({ code }) => {
    ended = `the simulator has ended (${code}):\n${world.child.tail()}`
  })
  try {
    return await run(world)
  } catch (error) {
    throw ended === '' ? error : new Error(ended, { cause: error })
  } finally {
    await world.end()
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  }
}

/** The account of `line-1`. @param reset begin it anew */
export async function lineOf(world: Simulator, reset: boolean): Promise<LineStatistics> {
  const { lines } = (await world.ask({ do: 'report', reset })) as unknown as { lines: Record<string, LineStatistics> }
  return lines['line-1']!
}

/** Processor time of this process, in microseconds, since a call of `process.cpuUsage`. */
export function cpuUs(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since)
  return user + system
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
