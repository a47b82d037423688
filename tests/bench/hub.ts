import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HubClient } from '../../hardware-sim/demo/client.ts'
import { createToken, freePort, HubProcess, type PlainSettings, writeHubSettings } from '../../hardware-sim/demo/hub.ts'
import { cpuSeconds, memoryBytes } from '../../hardware-sim/demo/process-figures.ts'
import { Simulator } from '../../hardware-sim/demo/simulator.ts'
import { type BenchFigure, figureOf, valueAtMost } from './figure.ts'

const METERS = 50
/** A simulated world holds at most 32 hosts. */
const METERS_A_WORLD = 25
const POINTS = 20
const WARM_UP_MS = 8000
const WINDOW_MS = 20_000
const RUNS = 5
const STARTS = 7
const START_LIMIT_MS = 20_000

/** The hub as a whole, as a process of its own, with the simulated world in others. */
export async function figures(): Promise<BenchFigure[]> {
  return [await cpuPer1000Points(), ...(await memoryAndStart())]
}

/** 50 Modbus TCP meters, each a connection, 20 float registers a second each; durable and forwarded. */
async function cpuPer1000Points(): Promise<BenchFigure> {
  return inFolder(async (folder) => {
    const worlds = await Promise.all([
      Simulator.start(join(folder, 'one'), { ...hosts(0), broker: {} }),
      Simulator.start(join(folder, 'two'), { ...hosts(METERS_A_WORLD), broker: false }),
    ])
    const hub = new HubProcess({ settings: manyMeters(folder, worlds), logFile: join(folder, 'hub.log') })
    try {
      const { pid } = hub.child
      await pause(WARM_UP_MS)
      const runs: number[] = []
      let came = 0
      for (let run = 0; run < RUNS; run++) {
        const [cpu, events] = [cpuSeconds(pid), await telemetryOf(worlds[0])]
        await pause(WINDOW_MS)
        const points = ((await telemetryOf(worlds[0])) - events) * POINTS
        came += points
        runs.push((cpuSeconds(pid) - cpu) / (points / 1000))
      }
      // A hub that polls less than it is asked for is not cheap. In one window alone a round may be missing that comes in the next.
      const due = (METERS * POINTS * RUNS * WINDOW_MS) / 1000
      if (came < due * 0.97) throw new Error(`${came} points came to the broker, ${due} were due\n${hub.child.tail()}`)
      const note = `${METERS} Modbus TCP meters, ${POINTS} points a second each, durable and at the broker; windows of ${WINDOW_MS / 1000} s`
      return figureOf({ name: 'hub.cpu_per_1000_points', unit: 's', note, goal: valueAtMost(0.012) }, runs)
    } finally {
      await hub.stop()
      await Promise.all(worlds.map((world) => world.end()))
    }
  })
}

/** 10 meters, a door and a camera, a broker and the HTTP interface. */
async function memoryAndStart(): Promise<readonly BenchFigure[]> {
  return inFolder(async (folder) => {
    const listen = `127.0.0.1:${await freePort()}`
    const world = await Simulator.start(folder, tenMeters(listen))
    try {
      const { settings } = world.ready
      const client = new HubClient(`http://${listen}`, await createToken(settings, 'property'))
      const parts = { settings, logFile: join(folder, 'hub.log') }
      const starts: number[] = []
      for (let start = 0; start < STARTS; start++) {
        for (const end of ['', '-wal', '-shm']) rmSync(join(folder, `var/hub.db${end}`), { force: true })
        starts.push(await firstReading(parts, client))
      }
      const sizes = await memory(parts)
      const rss = `resident memory: 10 meters, 1 door, 1 camera, upstream and HTTP interface; looked at every ${WINDOW_MS / 2000} s`
      const first = 'from the start of the process, with an empty folder, to the first durable reading, seen over HTTP'
      return [
        figureOf({ name: 'hub.rss', unit: 'MB', note: rss, goal: valueAtMost(130) }, sizes),
        figureOf({ name: 'hub.first_reading', unit: 's', note: first, goal: valueAtMost(2) }, starts),
      ]
    } finally {
      await world.end()
    }
  })
}

interface HubParts {
  readonly settings: string
  readonly logFile: string
}

/** Seconds from the start of the process until a reading can be had from the log. */
async function firstReading(parts: HubParts, client: HubClient): Promise<number> {
  const sinceMs = performance.now()
  const hub = new HubProcess(parts)
  try {
    for (;;) {
      // Until it listens, the connection is refused.
      const page = await client.events('oldest', 2000, { types: 'linli.meter.reading' }).catch(() => undefined)
      const tookMs = performance.now() - sinceMs
      if (page !== undefined && page.events.length > 0) return tookMs / 1000
      if (tookMs > START_LIMIT_MS) throw new Error(`no reading within ${START_LIMIT_MS} ms\n${hub.child.tail()}`)
      if (page === undefined) await pause(5)
    }
  } finally {
    await hub.stop()
  }
}

async function memory(parts: HubParts): Promise<readonly number[]> {
  const hub = new HubProcess(parts)
  try {
    const sizes: number[] = []
    await pause(WARM_UP_MS)
    for (let run = 0; run < RUNS; run++) {
      await pause(WINDOW_MS / 2)
      sizes.push(memoryBytes(hub.child.pid) / 1e6)
    }
    return sizes
  } finally {
    await hub.stop()
  }
}

function hosts(from: number): object {
  const numbers = Array.from({ length: METERS_A_WORLD }, (_, index) => from + index + 1)
  const meter = { address: 1, profile: PROFILE, every: '1s' }
  return {
    modbusTcp: numbers.map((number) => ({ id: `plc-${number}`, meters: [{ id: `meter-${number}`, ...meter }] })),
  }
}

function tenMeters(listen: string): object {
  const meters = (count: number, from: number, every: string): object[] =>
    Array.from({ length: count }, (_, index) => ({ id: `meter-${from + index}`, address: index + 1, every }))
  return {
    lines: [{ id: 'line-1', baud: 9600, meters: meters(6, 1, '5s') }],
    modbusTcp: [{ id: 'plant', meters: meters(4, 7, '1s') }],
    door: {},
    camera: {},
    broker: {},
    life: {},
    api: { listen },
  }
}

/** One settings file for the meters of both worlds, and the broker of the first. @returns its path */
function manyMeters(folder: string, worlds: readonly Simulator[]): string {
  mkdirSync(join(folder, 'site'), { recursive: true })
  writeFileSync(join(folder, 'site/twenty.json'), JSON.stringify(PROFILE))
  const connections = worlds
    .flatMap(({ ready }) => ready.modbusTcp)
    .map(({ id, host, port }) => ({
      id,
      modbusTcp: { host, port },
      devices: [{ id: `meter-${id}`, profile: './site/twenty.json', address: 1, every: '1s' }],
    }))
  const settings: PlainSettings = {
    hub: { id: 'bench' },
    storage: { path: './var/hub.db' },
    connections,
    upstream: [{ id: 'city', mqtt: { url: worlds[0]?.ready.broker?.url }, rights: { privacy: 'sensitive' } }],
  }
  return writeHubSettings(folder, settings)
}

/** 20 numbers beside each other: 40 registers, one request. */
const PROFILE = {
  id: 'bench/twenty',
  maker: 'Bench',
  model: 'Twenty',
  protocol: 'modbus',
  source: 'made for this measurement: twenty numbers beside each other',
  points: Array.from({ length: POINTS }, (_, index) => ({
    point: `power_${index + 1}`,
    unit: 'W',
    table: 'input',
    address: index * 2,
    as: 'float32',
  })),
  samples: [{ words: { 0: '4366 8000' }, expect: { power_1: 230.5 } }],
}

async function telemetryOf(world: Simulator): Promise<number> {
  return (await world.deliveries()).perClass.telemetry ?? 0
}

async function inFolder<T>(run: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'linli-bench-'))
  try {
    return await run(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
