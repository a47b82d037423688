import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { onvif } from '../../../../drivers/onvif/onvif.ts'
import type { Host } from '../../../../gateway/contract/driver.ts'
import type { Seen } from '../../../../gateway/contract/event.ts'
import type { Io } from '../../../../gateway/contract/io.ts'
import type { Log } from '../../../../gateway/contract/log.ts'
import { createClock } from '../../../../gateway/io/clock.ts'
import { createHttp } from '../../../../gateway/io/http.ts'
import { type Camera, startCamera } from '../../../../hardware-sim/camera/camera.ts'
import { seededRandom } from '../../../../hardware-sim/random.ts'

/** The driver against the simulated camera over real HTTP. */
const silent: Log = { debug() {}, info() {}, warn() {}, error() {}, with: () => silent }
const clock = createClock()
let camera: Camera
let world: AbortController
let ending: AbortController
let seen: Seen[]

async function place(skewMs = 0): Promise<void> {
  camera = await startCamera({
    username: 'hub',
    password: 'lobby',
    clock,
    random: seededRandom(5),
    signal: world.signal,
    skewMs,
  })
}
function start(password = 'lobby', pull = '1s'): Promise<string> {
  const options = onvif.options.parse({
    onvif: { host: '127.0.0.1', port: camera.port, username: 'hub', password: { secret: 'cam' }, pull, timeout: '1s' },
  })
  const io = { http: createHttp(), random: seededRandom(1), secrets: { load: async () => password } } as unknown as Io
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
    figures() {},
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

test('a camera tells who it is, what moves, and what moved before we came as such; it is told goodbye', async () => {
  await place()
  camera.motion(true)
  const run = start()
  await until(() => expect(motions()).toEqual([[true, true]]))
  expect(seen[0]?.data).toEqual({
    maker: 'Linli',
    model: 'Simulated Dome',
    firmware: '0.10',
    serial: '0098765432',
    hardware: '1.0',
  })
  camera.motion(false)
  await until(() => expect(motions().at(-1)).toEqual([false, undefined]))
  camera.motion(true)
  await until(() => expect(motions()).toHaveLength(3))
  expect(seen.at(-1)).toMatchObject({ device: 'cam-lobby', class: 'status', privacy: 'personal' })
  ending.abort(new Error('over'))
  await run
  expect(camera.requests.get('Unsubscribe')).toBe(1)
})

test.each([-10 * 3_600_000, 10 * 3_600_000])(
  'a camera whose clock is %d ms off is spoken to in its own time',
  async (skewMs) => {
    await place(skewMs)
    camera.motion(true)
    const run = start()
    await until(() => expect(motions()).toHaveLength(1))
    ending.abort(new Error('over'))
    await run
  },
)

test('a wrong password is asked once and then left alone, so that the camera does not lock the account', async () => {
  await place()
  const run = start('wrong')
  await until(() =>
    expect(camera.requests.get('GetDeviceInformation') ?? camera.requests.get('GetCapabilities')).toBe(1),
  )
  const asked = [...camera.requests.values()].reduce((a, b) => a + b, 0)
  expect(await Promise.race([run, new Promise((go) => clock.after(500, () => go('still waiting')))])).toBe(
    'still waiting',
  )
  expect([...camera.requests.values()].reduce((a, b) => a + b, 0)).toBe(asked)
  ending.abort(new Error('over'))
  await run
})

test('a subscription that dies without a word is noticed, and the blind time is told', async () => {
  await place()
  const run = start()
  await until(() => expect(motions()).toHaveLength(1))
  camera.faults.forgetSubscriptions = true
  expect(await run).toBe('connection soap')
  const blind = seen.find(({ type }) => type === 'linli.camera.blind')
  expect(blind).toMatchObject({ class: 'alarm', data: { reason: 'the camera refuses: Resource unknown' } })
  expect(Date.parse(blind?.data.from as string)).toBeLessThanOrEqual(Date.now())
})

test.each([
  ['a page of HTML', '<html>Login</html>', 'connection soap'],
  ['a bomb', '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', 'connection xml'],
])('a camera that answers with %s ends this life of the connection', async (_name, garbage, end) => {
  await place()
  camera.faults.garbage = garbage
  expect(await start()).toBe(end)
})

test('an answer that never ends is cut off', async () => {
  await place()
  const run = start()
  await until(() => expect(motions()).toHaveLength(1))
  camera.faults.endless = true
  expect(await run).toBe('connection timeout')
})

test('a camera that takes no subscription is not hammered', async () => {
  await place()
  camera.faults.refuseSubscriptions = true
  expect(await start()).toBe('connection soap')
  expect(camera.requests.get('CreatePullPointSubscription')).toBe(1)
})

test('an address that a camera names is never dialled, only its path is used', async () => {
  await place()
  camera.faults.wrongAddress = 'http://198.51.100.7:9/onvif/events/1'
  const run = start()
  await until(() => expect(motions()).toHaveLength(1))
  ending.abort(new Error('over'))
  await run
})

test('a camera that is not there is a fault of the connection', async () => {
  await place()
  await camera.close()
  expect(await start()).toMatch(/^connection /)
})
