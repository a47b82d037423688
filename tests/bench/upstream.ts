import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import mqtt, { type MqttClient } from 'mqtt'
import { cloudEventJson } from '../../gateway/contract/cloud-event.ts'
import type { NewEvent, StoredEvent } from '../../gateway/contract/event.ts'
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
import { alternatingPairs, type BenchFigure, figureOfPairs, median, ratioAtLeast } from './figure.ts'

const EVENTS = 40_000
const PAIRS = 7
const HUB = 'hub-01'
const APPEND_BATCH = 1000
const LISTEN_LIMIT_MS = 5000

/**
 * Draining a backlog: from the durable log over the pump to a broker, beside a bare mqtt.js that publishes the same
 * payloads, ready in memory, with the same window to the same broker.
 */
export async function figures(): Promise<BenchFigure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'linli-bench-'))
  const broker = await startBroker()
  const clock = createClock()
  const log = createLog('error', false)
  const store = await openStore({ path: join(folder, 'hub.db'), hub: HUB, clock, log })
  try {
    await fill(store)
    const payloads = await payloadsOf(store)
    const cpu: { ours: number[]; bare: number[] } = { ours: [], bare: [] }
    let round = 0
    const ours = (): Promise<number> =>
      timed(cpu.ours, (running) => drain(store, broker.url, `bench-${++round}`, running))
    const bare = (): Promise<number> => timed(cpu.bare, (running) => publishAll(broker, payloads, running))
    // The first run of each compiles the code and is not counted.
    await ours()
    await bare()
    cpu.ours.length = 0
    cpu.bare.length = 0
    const pairs = await alternatingPairs(PAIRS, ours, bare)
    const bytes = Math.round(payloads.reduce((sum, { length }) => sum + length, 0) / payloads.length)
    const what = `${EVENTS} events of ${bytes} bytes to ${broker.name}, window ${WINDOW_MAX}`
    const drained = { name: 'upstream.drain', unit: 'events/s', goal: ratioAtLeast(0.75) }
    const cpuPairs = cpu.ours.map((value, n) => ({ value, baseline: cpu.bare[n] ?? median(cpu.bare) }))
    const spent = { name: 'upstream.cpu_per_1000_events', unit: 's', goal: null }
    return [
      figureOfPairs({ ...drained, note: `durable log to QoS 1 against bare mqtt.js from memory: ${what}` }, pairs),
      figureOfPairs({ ...spent, note: `CPU of the whole process, the store's thread included: ${what}` }, cpuPairs),
    ]
  } finally {
    await store.close()
    await broker.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** @returns events a second between the calls of `begin` and the end of `run`; the CPU seconds per 1000 go to `cpu` */
async function timed(cpu: number[], run: (begin: () => void) => Promise<void>): Promise<number> {
  let beganMs = 0
  let cpuBefore = process.cpuUsage()
  await run(() => {
    beganMs = performance.now()
    cpuBefore = process.cpuUsage()
  })
  const seconds = (performance.now() - beganMs) / 1000
  const { user, system } = process.cpuUsage(cpuBefore)
  cpu.push((user + system) / 1e6 / (EVENTS / 1000))
  return EVENTS / seconds
}

/** The hub's own way, as `gateway/main.ts` starts it, for a consumer that has nothing yet. */
async function drain(store: Store, url: string, id: string, begin: () => void): Promise<void> {
  const clock = createClock()
  const stop = new AbortController()
  const options = upstreamOptions.parse({ id, mqtt: { url }, rights: { privacy: 'sensitive' } })
  const log = createLog('error', false)
  const secrets = { load: () => Promise.reject(new Error('this broker wants no secret')) }
  begin()
  const upstream = startUpstream(options, {
    hub: HUB,
    store,
    clock,
    random: systemRandom,
    log,
    secrets,
    signal: stop.signal,
  })
  while (upstream.state().lag > 0) await clock.sleep(2)
  stop.abort(new Error('the run is over'))
  await upstream.done
}

/** A bare mqtt.js publisher that keeps the same window full. */
async function publishAll(broker: BenchBroker, payloads: readonly Buffer[], begin: () => void): Promise<void> {
  const { protocolVersion } = broker
  begin()
  const client: MqttClient = await mqtt.connectAsync(broker.url, { protocolVersion, reconnectPeriod: 0 })
  await new Promise<void>((resolve, reject) => {
    let next = 0
    let acknowledged = 0
    const topic = `linli/${HUB}/events/telemetry`
    const publish = (): void => {
      const payload = payloads[next]
      if (payload === undefined) return
      next += 1
      client.publish(topic, payload, { qos: 1 }, (error) => {
        if (error) return reject(error)
        acknowledged += 1
        if (acknowledged === payloads.length) resolve()
        else publish()
      })
    }
    for (let n = 0; n < WINDOW_MAX; n++) publish()
  })
  await client.endAsync()
}

async function fill(store: Store): Promise<void> {
  for (let first = 0; first < EVENTS; first += APPEND_BATCH) {
    await store.append(Array.from({ length: APPEND_BATCH }, (_, n) => reading(first + n)))
  }
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

/** The same bytes that the pump sends. */
async function payloadsOf(store: Store): Promise<Buffer[]> {
  const payloads: Buffer[] = []
  for (let after = { epoch: store.epoch, seq: 0 }; ; ) {
    const page = await store.read({ after, limit: 1000 })
    payloads.push(...page.entries.map((entry) => Buffer.from(cloudEventJson(HUB, entry as StoredEvent))))
    if (!page.more) return payloads
    after = page.next
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
