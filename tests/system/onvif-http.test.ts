import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { onvif } from '../../drivers/onvif/onvif.ts'
import type { Host } from '../../gateway/contract/driver.ts'
import type { Seen } from '../../gateway/contract/event.ts'
import type { Io } from '../../gateway/contract/io.ts'
import type { Log } from '../../gateway/contract/log.ts'
import { createClock } from '../../gateway/io/clock.ts'
import { createHttp } from '../../gateway/io/http.ts'
import { type Camera, type CameraOptions, startCamera } from '../../hardware-sim/camera/camera.ts'
import type { AnswerFault } from '../../hardware-sim/camera/faults.ts'
import { seededRandom } from '../../hardware-sim/random.ts'

/** The driver against the simulated camera over real sockets; the many faults are in tests/unit/drivers/onvif. */
const silent: Log = { debug() {}, info() {}, warn() {}, error() {}, with: () => silent }
const clock = createClock()
let camera: Camera
let world: AbortController
let ending: AbortController
let seen: Seen[]

async function place(options: Partial<CameraOptions> = {}): Promise<void> {
  const random = seededRandom(5)
  camera = await startCamera({ username: 'hub', password: 'lobby', clock, random, signal: world.signal, ...options })
}
function start(): Promise<string> {
  const { port } = camera
  const password = { secret: 'cam' }
  const options = onvif.options.parse({
    onvif: { host: '127.0.0.1', port, username: 'hub', password, pull: '1s', timeout: '1s' },
  })
  const io = { http: createHttp(), random: seededRandom(1), secrets: { load: async () => 'lobby' } } as unknown as Io
  const host: Host<typeof options> = {
    connection: 'cam-lobby',
    options,
    signal: ending.signal,
    clock,
    log: silent,
    io,
    emit: async (batch) => void seen.push(...batch),
    mark() {},
    serve() {},
    lastReading: () => undefined,
    figures() {},
    show() {},
    keep: (_name, make) => make(),
  }
  return onvif.run(host).then(
    () => 'ended',
    (error) => `${error.reach ?? ''} ${error.code ?? error.message}`,
  )
}
const until = (check: () => void, timeout = 5000): Promise<void> => vi.waitFor(check, { timeout, interval: 5 })
const motions = () =>
  seen.filter(({ type }) => type === 'linli.camera.motion').map(({ data }) => [data.active, data.initial])

beforeEach(() => {
  world = new AbortController()
  ending = new AbortController()
  seen = []
})
afterEach(() => {
  ending.abort(new Error('over'))
  world.abort(new Error('over'))
})

test.each([
  ['WS-UsernameToken', {}],
  ['HTTP Digest', { schemes: ['digest'], algorithms: ['MD5', 'SHA-256'] }],
] as const)('motion comes over HTTP, logged in by %s', async (_scheme, options) => {
  await place(options)
  const run = start()
  await until(() => expect(motions()).toEqual([[false, true]]))
  const movedMs = clock.monoMs()
  camera.motion(true)
  await until(() => expect(motions().at(-1)).toEqual([true, undefined]))
  expect(clock.monoMs() - movedMs).toBeLessThan(150)
  ending.abort(new Error('over'))
  expect(await run).toBe(' over')
  expect(camera.subscriptions).toBe(0)
})

const FAULTS: readonly [string, AnswerFault, string][] = [
  ['byte by byte', { kind: 'drip', everyMs: 100 }, 'timeout'],
  ['without end', { kind: 'endless' }, 'too-long'],
  ['half', { kind: 'cut' }, 'cut'],
  ['not at all', { kind: 'silent' }, 'timeout'],
]

test.each(FAULTS)('a camera that answers %s does not hold the driver', async (_name, fault, code) => {
  await place()
  const run = start()
  await until(() => expect(motions()).toHaveLength(1))
  camera.faults.on('PullMessages', fault)
  camera.motion(true)
  expect(await run).toBe(`connection ${code}`)
})

test('a camera whose port is closed is a fault of the connection', async () => {
  await place()
  await camera.close()
  expect(await start()).toBe('connection econnrefused')
})
