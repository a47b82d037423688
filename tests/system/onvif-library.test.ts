import { createHash } from 'node:crypto'
import onvif from 'onvif'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createClock } from '../../gateway/io/clock.ts'
import { type Camera, type CameraOptions, startCamera } from '../../hardware-sim/camera/camera.ts'
import { seededRandom } from '../../hardware-sim/random.ts'

/** A foreign judge: agsh/onvif's own client, over its own HTTP, speaks to the simulated camera. */
let camera: Camera
let world: AbortController

async function place(options: Partial<CameraOptions> = {}): Promise<void> {
  const parts = { clock: createClock(), random: seededRandom(2), signal: world.signal }
  camera = await startCamera({ username: 'hub', password: 'lobby', ...parts, ...options })
}
type Client = InstanceType<typeof onvif.Cam>
/** As much as is asked of it here; its own types leave some of that out. */
interface Calls {
  connect(done: (error: Error | null) => void): void
  getStreamUri(options: object, done: (error: Error | null, found: { uri: string }) => void): void
  getSnapshotUri(options: object, done: (error: Error | null, found: { uri: string }) => void): void
  getEventProperties(done: (error: Error | null, found: unknown) => void): void
  createPullPointSubscription(done: (error: Error | null) => void): void
  pullMessages(options: object, done: (error: Error | null, found: { notificationMessage: unknown }) => void): void
  renew(options: object, done: (error: Error | null, found: { terminationTime: Date }) => void): void
  unsubscribe(done: (error: Error | null) => void): void
}
function client(options: { readonly password?: string; readonly useWSSecurity?: boolean } = {}): Client & Calls {
  const { port } = camera
  const login = { hostname: '127.0.0.1', port, username: 'hub', password: 'lobby', autoconnect: false, timeout: 3000 }
  return new onvif.Cam({ ...login, ...options }) as unknown as Client & Calls
}
/** A method of the library as a promise. */
function asked<T>(call: (done: (error: Error | null, found: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => call((error, found) => (error ? reject(error) : resolve(found))))
}

beforeEach(() => {
  world = new AbortController()
})
afterEach(() => world.abort(new Error('over')))

test.each([
  ['WS-UsernameToken', {}, {}],
  ['WS-UsernameToken, its clock an hour off', { skewMs: -3_600_000 }, {}],
  ['HTTP Digest', { schemes: ['digest'], algorithms: ['MD5', 'SHA-256'] }, { useWSSecurity: false }],
  ['GetCapabilities only', { knowsServices: false }, {}],
] as const)('it connects and reads what a camera has: %s', async (_name, options, login) => {
  await place(options)
  const cam = client(login)
  await asked<void>((done) => cam.connect(done as (error: Error | null) => void))
  expect(cam.activeSource).toMatchObject({ sourceToken: 'lens', profileToken: 'main' })
  expect(cam.uri?.events?.href).toBe(`http://127.0.0.1:${camera.port}/onvif/events_service`)
  const found = await asked((done) => cam.getDeviceInformation(done as never))
  // It makes numbers of them: the reason why ours are read from the XML.
  expect(found).toMatchObject({ manufacturer: 'Linli', serialNumber: '0098765432', firmwareVersion: 0.1 })
  const stream = await asked<{ uri: string }>((done) => cam.getStreamUri({ protocol: 'RTSP' }, done))
  expect(stream.uri).toBe('rtsp://127.0.0.1:554/main')
  const snapshot = await asked<{ uri: string }>((done) => cam.getSnapshotUri({}, done))
  expect(snapshot.uri).toBe(`http://127.0.0.1:${camera.port}/snapshot.jpg`)
})

test('it subscribes, pulls what moves, renews and gives back', async () => {
  await place()
  const cam = client()
  await asked<void>((done) => cam.connect(done as (error: Error | null) => void))
  await asked((done) => cam.getEventProperties(done))
  await asked<void>((done) => cam.createPullPointSubscription(done as (error: Error | null) => void))
  expect(camera.subscriptions).toBe(1)
  const pulling = asked<{ notificationMessage: unknown }>((done) => cam.pullMessages({ messageLimit: 5 }, done))
  camera.motion(true)
  expect((await pulling).notificationMessage).toMatchObject({
    topic: { _: 'tns1:RuleEngine/CellMotionDetector/Motion' },
    message: {
      message: { $: { PropertyOperation: 'Changed' }, data: { simpleItem: { $: { Name: 'IsMotion', Value: true } } } },
    },
  })
  const renewed = await asked<{ terminationTime: Date }>((done) => cam.renew({}, done))
  expect(renewed.terminationTime.getTime()).toBeGreaterThan(createClock().wallMs() + 100_000)
  await asked<void>((done) => cam.unsubscribe(done as (error: Error | null) => void))
  expect(camera.subscriptions).toBe(0)
})

test('a wrong password is refused', async () => {
  await place()
  const cam = client({ password: 'wrong' })
  await expect(asked((done) => cam.getDeviceInformation(done as never))).rejects.toThrow(/not authorized/i)
})

test('a snapshot is for whoever answers the Digest challenge, and no two are the same', async () => {
  await place({ schemes: ['token', 'digest'] })
  const url = `http://127.0.0.1:${camera.port}/snapshot.jpg`
  const refused = await fetch(url)
  expect(refused.status).toBe(401)
  const [, nonce = ''] = /nonce="([^"]+)"/.exec(refused.headers.get('www-authenticate') ?? '') ?? []
  const md5 = (text: string): string => createHash('md5').update(text).digest('hex')
  const picture = async (nc: string): Promise<Buffer> => {
    const response = md5(`${md5('hub:Linli camera:lobby')}:${nonce}:${nc}:x:auth:${md5('GET:/snapshot.jpg')}`)
    const authorization = `Digest username="hub", realm="Linli camera", nonce="${nonce}", uri="/snapshot.jpg", qop=auth, nc=${nc}, cnonce="x", response="${response}"`
    const answer = await fetch(url, { headers: { authorization } })
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'image/jpeg'])
    return Buffer.from(await answer.arrayBuffer())
  }
  const first = await picture('00000001')
  expect(first.subarray(0, 4).toString('hex')).toBe('ffd8ffe0')
  expect(first.equals(await picture('00000002'))).toBe(false)
})
