import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { drivers } from '../../drivers/index.ts'
import type { Driver, Host } from '../../gateway/contract/driver.ts'
import type { Seen } from '../../gateway/contract/event.ts'
import { Fault, isFault } from '../../gateway/contract/fault.ts'
import type { Io } from '../../gateway/contract/io.ts'
import type { Log } from '../../gateway/contract/log.ts'
import { VirtualClock } from '../../hardware-sim/clock.ts'
import { loadProfile } from '../../hardware-sim/profile.ts'
import { seededRandom } from '../../hardware-sim/random.ts'

/** What every driver owes the supervisor, whatever it speaks. A new driver brings the least settings that it works with. */
const SETTINGS: Readonly<Record<string, object>> = {
  rs485: {
    rs485: { port: '/dev/ttyUSB0' },
    devices: [{ id: 'm1', profile: 'eastron/sdm630', address: 1, every: '1s' }],
  },
  modbusTcp: {
    modbusTcp: { host: '127.0.0.1' },
    devices: [{ id: 'm1', profile: 'eastron/sdm630', address: 1, every: '1s' }],
  },
  gpioDoor: { gpioDoor: { chip: 'sim:/nowhere', lock: 17, contact: 27 } },
  onvif: { onvif: { host: '127.0.0.1', username: 'hub', password: { secret: 'cam' } } },
}

const silent: Log = { debug() {}, info() {}, warn() {}, error() {}, with: () => silent }
const kinds = Object.entries(drivers)

/** A world in which every way to the outside does the same: `lost` fails at once, `deaf` never answers. */
function world(kind: 'lost' | 'deaf', signal: AbortSignal): Io {
  const out = (): Promise<never> =>
    kind === 'lost'
      ? Promise.reject(new Fault('connection', 'the world is gone', { code: 'gone' }))
      : new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))
  return {
    serial: { open: out, list: async () => [] },
    tcp: { dial: out },
    http: { request: out },
    gpio: { open: out },
    udp: { open: out, addresses: async () => [] },
    profiles: { load: async (reference) => loadProfile(reference), list: async () => [] },
    secrets: { load: async () => 'secret' },
    random: seededRandom(1),
  }
}

function living(driver: Driver, kind: string, outside: 'lost' | 'deaf') {
  const clock = new VirtualClock()
  const ending = new AbortController()
  const seen: Seen[] = []
  const options = driver.options.parse(SETTINGS[kind])
  const host: Host<unknown> = {
    connection: 'one',
    options,
    signal: ending.signal,
    clock,
    log: silent,
    io: world(outside, ending.signal),
    emit: async (batch) => void seen.push(...batch),
    mark() {},
    serve() {},
    lastReading: () => undefined,
    figures() {},
    show() {},
    keep: (_name, make) => make(),
  }
  const run = driver.run(host).then(
    () => 'ended',
    (error: unknown) => error,
  )
  return { clock, ending, seen, run, options }
}

test('each driver stands here with settings', () => {
  expect(kinds.map(([kind]) => kind).sort()).toEqual(Object.keys(SETTINGS).sort())
})

test.each(kinds)('%s: its key in the table is its kind, and it names its devices', (kind, driver) => {
  expect(driver.kind).toBe(kind)
  expect(driver.devices(driver.options.parse(SETTINGS[kind]), 'one').length).toBeGreaterThan(0)
})

test.each(kinds)('%s: settings that it does not know are refused', (kind, driver) => {
  expect(driver.options.safeParse({ ...SETTINGS[kind], surprise: 1 }).success).toBe(false)
})

test.each(kinds)('%s: a world that is gone is a Fault, never a bug', async (kind, driver) => {
  const { clock, run, ending } = living(driver, kind, 'lost')
  for (let second = 0; second < 200; second++) await clock.advance(1000)
  // A driver with a library of its own dials really: nothing listens on that port of this machine.
  const end = await Promise.race([run, pause(3000, 'still at it')])
  ending.abort(new Fault('connection', 'stopped'))
  for (let second = 0; second < 200; second++) await clock.advance(1000)
  const last = end === 'still at it' ? await run : end
  expect(isFault(last) && ['connection', 'device'].includes(last.reach), String(last)).toBe(true)
})

test.each(kinds)('%s: it ends within a second of being told to, and says nothing afterwards', async (kind, driver) => {
  const { clock, ending, seen, run } = living(driver, kind, 'deaf')
  await clock.advance(5000)
  ending.abort(new Fault('connection', 'stopped'))
  await clock.advance(1000)
  const end = await Promise.race([run, pause(3000, 'still at it')])
  expect(end === 'ended' || isFault(end), String(end)).toBe(true)
  const count = seen.length
  await clock.advance(60_000)
  expect(seen.length).toBe(count)
  expect(clock.pending).toBe(0)
})
