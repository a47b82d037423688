import { type ChildProcess, fork, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cloudEventJson } from '../../gateway/contract/cloud-event.ts'
import type { NewEvent } from '../../gateway/contract/event.ts'
import { createClock } from '../../gateway/io/clock.ts'
import { createLog } from '../../gateway/io/log.ts'
import { systemRandom } from '../../gateway/io/random.ts'
import { openStore } from '../../gateway/store/open.ts'
import type { Store } from '../../gateway/store/store.ts'
import { upstreamOptions, WINDOW_MAX } from '../../gateway/upstream/options.ts'
import { startUpstream } from '../../gateway/upstream/upstream.ts'
import { eventually } from '../system/eventually.ts'
import { freePort, listens } from '../system/free-port.ts'
import { Mosquitto } from '../system/mosquitto.ts'
import { pathOf } from '../system/needs.ts'
import type { BareRun, BareTask } from './bare-publisher.ts'
import { alternatingPairs, type BenchFigure, figureOfPairs, median, ratioAtLeast } from './figure.ts'

const EVENTS = 40_000
const PAIRS = 7
const HUB = 'hub-01'
const APPEND_BATCH = 1000
const LISTEN_LIMIT_MS = 5000
const TOPIC = `linli/${HUB}/events/telemetry`
const quiet = createLog('error', false)

/**
 * Draining a backlog: from the durable log over the pump to a broker, beside a bare mqtt.js that publishes the same
 * payloads, ready in memory, with the same window to the same broker.
 */
export async function figures(): Promise<BenchFigure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'linli-bench-'))
  const broker = await startBroker()
  const store = await openStore({ path: join(folder, 'hub.db'), hub: HUB, clock: createClock(), log: quiet })
  const file = join(folder, 'payloads')
  const bytes = await fill(store, file)
  const publisher = fork(fileURLToPath(new URL('bare-publisher.ts', import.meta.url)))
  try {
    const cpu: { ours: number[]; bare: number[] } = { ours: [], bare: [] }
    let round = 0
    const ours = (): Promise<number> => drain(store, broker.url, `bench-${++round}`, cpu.ours)
    const bare = (): Promise<number> =>
      publish(publisher, { ...broker, window: WINDOW_MAX, topic: TOPIC, file }, cpu.bare)
    // The first run of each compiles the code and is not counted.
    await ours()
    await bare()
    cpu.ours.length = 0
    cpu.bare.length = 0
    const pairs = await alternatingPairs(PAIRS, ours, bare)
    const cpuPairs = cpu.ours.map((value, n) => ({ value, baseline: cpu.bare[n] ?? median(cpu.bare) }))
    const what = `${EVENTS} events of ${bytes} bytes to ${broker.name}, window ${WINDOW_MAX}`
    const drained = { name: 'upstream.drain', unit: 'events/s', goal: ratioAtLeast(0.75) }
    const spent = { name: 'upstream.cpu_per_1000_events', unit: 's', goal: null }
    return [
      figureOfPairs({ ...drained, note: `durable log to QoS 1 against bare mqtt.js from memory: ${what}` }, pairs),
      figureOfPairs({ ...spent, note: `CPU of the whole process, the store's thread included: ${what}` }, cpuPairs),
    ]
  } finally {
    publisher.kill()
    await store.close()
    await broker.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** One run of the other side; @returns events a second */
async function publish(publisher: ChildProcess, task: BareTask, cpu: number[]): Promise<number> {
  const answer = new Promise<BareRun>((resolve, reject) => {
    publisher.once('message', (run) => resolve(run as BareRun))
    publisher.once('exit', (code) => reject(new Error(`the bare publisher ended with ${code}`)))
  })
  publisher.send({ ...task })
  const { eventsPerSecond, cpuSecondsPer1000 } = await answer
  cpu.push(cpuSecondsPer1000)
  return eventsPerSecond
}

/** The hub's own way, as `gateway/main.ts` starts it, for a consumer that has nothing yet; @returns events a second */
async function drain(store: Store, url: string, id: string, cpu: number[]): Promise<number> {
  const clock = createClock()
  const stop = new AbortController()
  const options = upstreamOptions.parse({ id, mqtt: { url }, rights: { privacy: 'sensitive' } })
  const secrets = { load: () => Promise.reject(new Error('this broker wants no secret')) }
  const parts = { hub: HUB, store, clock, random: systemRandom, log: quiet, secrets, signal: stop.signal }
  const beganMs = performance.now()
  const cpuBefore = process.cpuUsage()
  const upstream = startUpstream(options, parts)
  while (upstream.state().lag > 0) await clock.sleep(2)
  stop.abort(new Error('the run is over'))
  await upstream.done
  const seconds = (performance.now() - beganMs) / 1000
  const { user, system } = process.cpuUsage(cpuBefore)
  cpu.push((user + system) / 1e6 / (EVENTS / 1000))
  return EVENTS / seconds
}

/** Fill the log, and the file with the very bytes that the pump will send, one event a line; @returns their mean size */
async function fill(store: Store, file: string): Promise<number> {
  for (let first = 0; first < EVENTS; first += APPEND_BATCH) {
    await store.append(Array.from({ length: APPEND_BATCH }, (_, n) => reading(first + n)))
  }
  let text = ''
  for (let after = { epoch: store.epoch, seq: 0 }; ; ) {
    const page = await store.read({ after, limit: APPEND_BATCH })
    for (const entry of page.entries) text += `${cloudEventJson(HUB, entry)}\n`
    if (!page.more) break
    after = page.next
  }
  writeFileSync(file, text)
  return Math.round(Buffer.byteLength(text) / EVENTS) - 1
}

/** A meter's reading, about as long as real ones. */
function reading(n: number): NewEvent {
  const v = 1000 + n / 100
  return {
    class: 'telemetry',
    type: 'linli.meter.reading',
    source: `devices/meter-${300 + (n % 50)}`,
    privacy: 'personal',
    monoMs: n,
    wallMs: Date.UTC(2026, 10, 23) + n,
    clock: 'synced',
    body: `{"points":{"energy_import":{"v":${v},"u":"kWh"},"power":{"v":${n % 5000},"u":"W"},"voltage":{"v":230.5,"u":"V"}},"quality":"good"}`,
  }
}

interface BenchBroker {
  readonly name: string
  readonly url: string
  /** What it speaks at most. */
  readonly protocolVersion: 4 | 5
  close(): Promise<void>
}

/** mosquitto where it is installed, else aedes; in a process of its own, with room for the whole window. */
async function startBroker(): Promise<BenchBroker> {
  if (pathOf('mosquitto') !== undefined) {
    const mosquitto = await Mosquitto.start(['max_inflight_messages 0'])
    return { name: 'mosquitto', url: mosquitto.url, protocolVersion: 5, close: () => mosquitto.close() }
  }
  const port = await freePort()
  const script = `const { Aedes } = await import(${JSON.stringify(import.meta.resolve('aedes'))})
    const { createServer } = await import('node:net')
    const broker = await Aedes.createBroker()
    createServer(broker.handle).listen(${port}, '127.0.0.1')`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'ignore' })
  const dead = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  await eventually(() => listens(port), LISTEN_LIMIT_MS, `aedes listens on ${port}`)
  return {
    name: 'aedes',
    protocolVersion: 4,
    url: `mqtt://127.0.0.1:${port}`,
    close() {
      child.kill('SIGKILL')
      return dead
    },
  }
}
