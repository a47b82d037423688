import { execFile, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { connect } from 'mqtt'
import { expect, test, vi } from 'vitest'
import { REPOSITORY } from '../../hardware-sim/demo/child.ts'
import type { HubHealth } from '../../hardware-sim/demo/client.ts'
import { createToken, type PlainSettings } from '../../hardware-sim/demo/hub.ts'
import { Community, tcpMeters } from './community.ts'
import { eventually } from './eventually.ts'
import { atEnd, kept } from './kept.ts'
import { integrityOf } from './kill-runs.ts'
import { Mosquitto } from './mosquitto.ts'
import { needs } from './needs.ts'
import { MqttProxy } from './proxy.ts'

// Each test starts two processes, and others may run beside it on two cores.
vi.setConfig({ testTimeout: 60_000 })

async function community(...parts: Parameters<typeof Community.start>): Promise<Community> {
  const made = await Community.start(...parts)
  atEnd(() => made.end())
  return made
}

const plant = { modbusTcp: [tcpMeters(4, '200ms')], broker: {} }

/** The settings with more connections than the simulator knows of. */
const withConnections =
  (...more: readonly object[]) =>
  (settings: PlainSettings): PlainSettings => ({
    ...settings,
    connections: [...(settings.connections as object[]), ...more],
  })

function connection(health: HubHealth, id: string): HubHealth['connections'][number] {
  const found = health.connections.find((one) => one.id === id)
  if (found === undefined) throw new Error(`no connection ${id}`)
  return found
}

/** Readings that come within a second. */
async function readingsInASecond(place: Community): Promise<number> {
  const { next } = await place.client.events('newest')
  await new Promise((resolve) => setTimeout(resolve, 1000))
  const { events } = await place.client.allEvents(next)
  return events.filter(({ type }) => type === 'linli.meter.reading').length
}

test('SIGTERM: the hub says it has stopped, ends with 0, and leaves a whole file', needs('sqlite3'), async () => {
  const place = await community(plant)
  const hub = await place.startHub()
  await eventually(async () => (await place.client.health()).log.lastSeq > 20)
  expect(await hub.stop()).toEqual({ code: 0, signal: null })
  expect(integrityOf(place.database)).toBe('ok')
})

test('the room and the reserved parts of the settings are in force, and the hub is asked how long they last', async () => {
  const small = (settings: PlainSettings): PlainSettings => ({
    ...settings,
    storage: { ...(settings.storage as object), maxSize: '20MB' },
  })
  const place = await community(plant, small)
  await place.startHub()
  const token = await createToken(place.settings, 'property')
  const answer = await fetch(`${place.client.url}/metrics`, { headers: { authorization: `Bearer ${token}` } })
  const room = Number(/^linli_log_room_bytes (\d+)$/m.exec(await answer.text())?.[1])
  expect(room).toBeGreaterThan(14_000_000)
  expect(room).toBeLessThan(16_000_000)
  const ask = spawnSync(process.execPath, ['gateway/cli.ts', 'log', 'forecast', '--settings', place.settings], {
    cwd: REPOSITORY,
    encoding: 'utf8',
    env: { ...process.env, LINLI_TOKEN: token },
  })
  expect(ask.stderr).toContain('ask in ten minutes')
})

test('an unknown profile parks its connection, with the nearest name; the others run', async () => {
  const odd = {
    id: 'odd',
    modbusTcp: { host: '127.0.0.1', port: 9 },
    devices: [{ id: 'odd-1', profile: 'eastron/sdm631', address: 1, every: '1s' }],
  }
  const place = await community(plant, withConnections(odd))
  await place.startHub()
  const health = await eventually(async () => {
    const now = await place.client.health()
    return connection(now, 'odd').state === 'parked' && connection(now, 'plant').state === 'running' ? now : undefined
  })
  expect(health.ok).toBe(false)
  expect(connection(health, 'odd').trouble?.message).toContain('eastron/sdm631')
  expect(JSON.stringify(connection(health, 'odd').trouble)).toContain('eastron/sdm630')
  await eventually(async () => (await readingsInASecond(place)) > 10, 30_000)
})

test('a port that is not there is tried again and again, and shown', async () => {
  const away = {
    id: 'away',
    rs485: { port: '/dev/serial/by-path/nowhere', baud: 9600 },
    devices: [{ id: 'away-1', profile: 'eastron/sdm630', address: 1 }],
  }
  const place = await community(plant, withConnections(away))
  await place.startHub()
  const health = await eventually(async () => {
    const now = await place.client.health()
    return connection(now, 'away').restarts >= 2 ? now : undefined
  }, 15_000)
  expect(connection(health, 'away').state).toBe('waiting')
  expect(connection(health, 'away').trouble?.message).toContain('/dev/serial/by-path/nowhere')
  expect(connection(health, 'plant').state).toBe('running')
  await eventually(async () => (await readingsInASecond(place)) > 10, 30_000)
})

test('a broker that takes the connection and never says a word stops nothing', async () => {
  const place = await community(plant)
  await place.simulator.ask({ do: 'broker', manner: { kind: 'mute' } })
  await place.startHub()
  await eventually(async () => (await place.client.health()).log.lastSeq > 20)
  expect((await place.client.health()).upstream[0]?.connected).toBe(false)
  // 4 meters, 5 times a second each.
  await eventually(async () => (await readingsInASecond(place)) >= 15, 30_000)
  expect((await place.simulator.deliveries()).unique).toBe(0)
})

test('a broker that confirms nothing gets no more than the window, and later everything', async () => {
  const place = await community(plant, (settings) => {
    const [city] = settings.upstream as { mqtt: object }[]
    return {
      ...settings,
      upstream: [{ ...city, mqtt: { ...city!.mqtt, window: 10, publishTimeout: '1s', reconnectMax: '200ms' } }],
    }
  })
  await place.startHub()
  await eventually(async () => (await place.simulator.deliveries()).unique > 10)
  await place.simulator.ask({ do: 'broker', manner: { kind: 'withhold' } })
  const { unique } = await place.simulator.deliveries()
  const { lastSeq } = (await place.client.health()).log
  await eventually(async () => (await place.client.health()).log.lastSeq > lastSeq + 40)
  expect((await place.simulator.deliveries()).unique - unique).toBeLessThanOrEqual(10)
  await place.simulator.ask({ do: 'broker', manner: { kind: 'well' } })
  expect(await place.delivered()).toMatchObject({ firstSeq: 1, missing: 0 })
})

test(
  'mosquitto in place of aedes: through a half-open connection it gets every event',
  needs('mosquitto'),
  async () => {
    const broker = kept(await Mosquitto.start())
    const proxy = kept(await MqttProxy.start(broker.port))
    const mqtt = { url: proxy.url, publishTimeout: '1s', reconnectMax: '500ms' }
    const place = await community(plant, (settings) => ({
      ...settings,
      upstream: [{ id: 'city', mqtt, rights: { privacy: 'sensitive' } }],
    }))
    const seqs = await seqsAt(broker.url)
    await place.startHub()
    await eventually(() => seqs.size > 20)
    proxy.stall(true)
    const { lastSeq } = (await place.client.health()).log
    await eventually(async () => (await place.client.health()).log.lastSeq > lastSeq + 40)
    expect(seqs.size).toBeLessThan(lastSeq + 5)
    proxy.stall(false)
    const end = (await place.client.health()).log.lastSeq
    await eventually(() => seqs.has(end))
    expect(Array.from({ length: end }, (_, index) => index + 1).filter((seq) => !seqs.has(seq))).toEqual([])
  },
)

/** The places in the log of everything that a subscriber gets from now on. */
async function seqsAt(url: string): Promise<ReadonlySet<number>> {
  const seqs = new Set<number>()
  const client = connect(url)
  atEnd(() => client.endAsync(true))
  client.on('message', (_topic, payload) => seqs.add((JSON.parse(payload.toString()) as { linliseq: number }).linliseq))
  await client.subscribeAsync('linli/hub-01/events/#', { qos: 1 })
  return seqs
}

test('ten mistakes give ten messages, each with its place, the value and the way out', () => {
  const folder = mkdtempSync(join(tmpdir(), 'linli-check-'))
  atEnd(async () => rmSync(folder, { recursive: true }))
  const file = join(folder, 'hub.yaml')
  writeFileSync(file, TEN_MISTAKES)
  const run = spawnSync(process.execPath, ['gateway/cli.ts', 'check', file, '--json'], {
    cwd: REPOSITORY,
    encoding: 'utf8',
  })
  expect(run.status, run.stderr).toBe(2)
  const { problems } = JSON.parse(run.stdout) as {
    problems: { severity: string; path: unknown[]; message: string; hint: string }[]
  }
  expect(problems.filter(({ severity }) => severity === 'error').map(({ path }) => path.join('.'))).toEqual([
    'hub.id',
    'hub.timezone',
    'storage.keep.telemetry',
    'storage.maxSize',
    'connections.0.rs485.baud',
    'connections.0.devices.0.address',
    'connections.1.devices.0.profile',
    'connections.2.gpioDor',
    'upstream.0.mqtt.url',
    'consumers.0.rights.privacy',
  ])
  for (const { message, hint } of problems) {
    expect(message).not.toBe('')
    expect(hint).not.toBe('')
  }
})

test('a backup of a running hub is one whole file, while readings go on', async () => {
  const place = await community(plant)
  const hub = await place.startHub()
  await eventually(async () => (await place.client.health()).log.lastSeq > 40)
  const { lastSeq } = (await place.client.health()).log
  const to = join(place.folder, 'backup.db')
  const token = await createToken(place.settings, 'property')
  const linli = (...args: readonly string[]) =>
    promisify(execFile)(process.execPath, ['gateway/cli.ts', ...args], {
      cwd: REPOSITORY,
      env: { ...process.env, LINLI_TOKEN: token },
    })
  await linli('backup', to, '--settings', place.settings)
  const verified = JSON.parse((await linli('log', 'verify', to, '--json')).stdout) as { ok: boolean; lastSeq: number }
  expect(verified.ok).toBe(true)
  expect(verified.lastSeq).toBeGreaterThanOrEqual(lastSeq)
  await eventually(async () => (await readingsInASecond(place)) > 10, 30_000)
  // Everything stands in it; a new epoch says that it is not provably the end.
  await hub.stop()
  await linli('restore', to, '--settings', place.settings)
  await place.startHub()
  const { events } = await place.client.allEvents()
  expect(events.filter(({ linliseq }) => linliseq !== undefined && linliseq <= lastSeq)).toHaveLength(lastSeq)
})

const TEN_MISTAKES = `
hub: { id: Hub 01, timezone: Asia/Shangai }
storage: { keep: { telemetry: 30 }, maxSize: 4 }
connections:
  - id: line-1
    rs485: { port: /dev/ttyUSB0, baud: fast }
    devices:
      - { id: meter-1, profile: eastron/sdm630, address: 300 }
  - id: plant
    modbusTcp: { host: 127.0.0.1 }
    devices:
      - { id: pump-1, profile: eastron/sdm631, address: 1 }
  - id: gate
    gpioDor: { chip: gpiochip0, lock: 17 }
upstream:
  - { id: city, mqtt: { url: "http://127.0.0.1" } }
consumers:
  - { id: property, rights: { privacy: everything } }
`
