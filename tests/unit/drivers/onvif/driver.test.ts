import { expect, test } from 'vitest'
import { decodeDateTime } from '../../../../drivers/onvif/codec/time.ts'
import type { CameraOptions } from '../../../../hardware-sim/camera/camera.ts'
import { notification } from '../../../../hardware-sim/camera/events.ts'
import { CAMERA_HOST, Rig, type RigOptions } from './rig.ts'

/** A rig that hears its camera. */
async function hearing(options: RigOptions = {}): Promise<Rig> {
  const rig = new Rig(options)
  rig.supervise()
  await rig.until(() => rig.motions().length > 0, 5000)
  return rig
}

test('a camera tells who it is, what moves, and what moved before we came as such; it is told goodbye', async () => {
  const rig = new Rig()
  rig.camera.motion(true)
  rig.supervise()
  await rig.until(() => rig.motions().length > 0, 2000)
  expect(rig.of('linli.camera.info').map(({ data }) => data)).toEqual([
    { maker: 'Linli', model: 'Simulated Dome', firmware: '0.10', serial: '0098765432', hardware: '1.0' },
  ])
  rig.camera.motion(false)
  await rig.advance(200)
  rig.camera.motion(true)
  await rig.advance(200)
  expect(rig.motions()).toEqual(['moves (initial)', 'still', 'moves'])
  expect(rig.of('linli.camera.motion').at(-1)).toMatchObject({
    device: 'cam-lobby',
    class: 'status',
    privacy: 'personal',
    data: {
      active: true,
      topic: 'RuleEngine/CellMotionDetector/Motion',
      source: { VideoSourceConfigurationToken: 'lens', Rule: 'motion' },
      raw: { topic: 'tns1:RuleEngine/CellMotionDetector/Motion', data: { IsMotion: 'true' } },
    },
  })
  expect(rig.blind()).toEqual([])
  expect(rig.camera.subscriptions).toBe(1)
  await rig.stop()
  expect(rig.camera.subscriptions).toBe(0)
  expect(rig.camera.requests.get('Unsubscribe')).toBe(1)
  expect(rig.clock.pending).toBe(0)
})

/** What cameras are like. Each is heard within two seconds, and nothing is reported that is not so. */
const KINDS: readonly [kind: string, camera: Partial<CameraOptions>, make?: (rig: Rig) => void][] = [
  ['is 10 hours ahead', { skewMs: 36_000_000 }],
  ['is 10 hours behind', { skewMs: -36_000_000 }],
  ['wants HTTP Digest', { schemes: ['digest'] }],
  ['wants HTTP Digest with SHA-256, and says MD5 as well', { schemes: ['digest'], algorithms: ['MD5', 'SHA-256'] }],
  ['takes both', { schemes: ['token', 'digest'] }],
  ['gives nonces that are good for 3 s', { schemes: ['digest'], nonceMs: 3000 }],
  ['knows no GetServices', { knowsServices: false }],
  ['knows subscriptions by a reference parameter', { subscriptionBy: 'parameter' }],
  ['knows no Renew', { renews: false }],
  ['prolongs by Renew only', { pullProlongs: false }],
  ['grants 10 s', { lifetimeMaxMs: 10_000, pullProlongs: false }],
  ['says VideoSource/MotionAlarm', { dialect: 'alarm' }],
  ['says MotionRegionDetector', { dialect: 'region' }],
  ['says VideoAnalytics/tnshik:MotionAlarm and TRUE', { dialect: 'hikvision' }],
  ['repeats no states', { repeats: false }, (rig) => rig.camera.motion(true)],
  ['tells no address', {}, ({ camera }) => camera.faults.set({ subscriptionAddress: '' })],
  [
    'tells a urn',
    {},
    ({ camera }) => camera.faults.set({ subscriptionAddress: 'urn:uuid:5f5a69c2-e0ae-504f-829b-28f366d8f9a2' }),
  ],
  ['leaves its host out', {}, ({ camera }) => camera.faults.set({ subscriptionAddress: 'http:///onvif/events/1' })],
  [
    'tells its inner address',
    {},
    ({ camera }) => camera.faults.set({ subscriptionAddress: 'http://10.9.8.7:8899/onvif/events/1' }),
  ],
  ['tells a file', {}, ({ camera }) => camera.faults.set({ subscriptionAddress: 'file:///etc/passwd' })],
  ['says that each subscription ends now', {}, ({ camera }) => camera.faults.set({ endsNow: true })],
  [
    'tells local time as UTC, and takes HTTP Digest',
    { schemes: ['token', 'digest'] },
    ({ camera }) => camera.faults.set({ toldTimeOffMs: 28_800_000 }),
  ],
  ['tells local time as UTC', {}, ({ camera }) => camera.faults.set({ toldTimeOffMs: 28_800_000 })],
  [
    'wants a login for its time',
    {},
    ({ camera }) => camera.faults.on('GetSystemDateAndTime', { kind: 'refuse', subcode: 'NotAuthorized', status: 400 }),
  ],
  ['takes 3 s for each answer', {}, ({ camera }) => camera.faults.on('*', { kind: 'late', byMs: 3000 })],
  ['ends all subscriptions with one', {}, ({ camera }) => camera.faults.set({ unsubscribeEndsAll: true })],
]

test.each(KINDS)('a camera that %s is heard, also after five minutes', async (_kind, camera, make) => {
  const rig = new Rig({ camera })
  make?.(rig)
  rig.supervise()
  await rig.until(() => rig.camera.subscriptions > 0, 20_000)
  await rig.advance(10_000)
  for (let minute = 0; minute < 5; minute++) {
    const heard = rig.motions().filter((motion) => !motion.includes('initial')).length
    rig.camera.motion(false)
    await rig.advance(6500)
    rig.camera.motion(true)
    await rig.advance(6500)
    expect(rig.motions().filter((motion) => !motion.includes('initial')).length).toBeGreaterThan(heard)
    await rig.advance(47_000)
  }
  expect(rig.faults).toEqual([])
  expect(rig.blind()).toEqual([])
  expect(rig.camera.wrongLogins).toBeLessThanOrEqual(2)
  expect(rig.camera.requests.get('CreatePullPointSubscription')).toBe(1)
  expect(rig.asked.every(({ url }) => url.startsWith(`http://${CAMERA_HOST}:80/`))).toBe(true)
  await rig.stop()
  expect(rig.clock.pending).toBe(0)
})

test('a subscription that can only end is made again, and each deaf moment is told', async () => {
  const rig = await hearing({ camera: { renews: false, pullProlongs: false, lifetimeMaxMs: 60_000 } })
  await rig.advance(200_000)
  expect(rig.camera.requests.get('CreatePullPointSubscription')).toBe(4)
  expect(rig.faults).toEqual([])
  expect(rig.blind()).toHaveLength(3)
  for (const span of rig.blind()) expect(span.reason).toBe('the camera refuses: Resource unknown')
  await rig.stop()
})

test('a state that is repeated is told once, and told when it changed unheard', async () => {
  const rig = await hearing({ options: { quiet: '20s' } })
  await rig.advance(61_000)
  expect(rig.motions()).toEqual(['still (initial)'])
  rig.camera.faults.set({ deaf: true })
  rig.camera.motion(true)
  rig.camera.faults.set({ deaf: false })
  await rig.until(() => rig.motions().length > 1, 40_000)
  expect(rig.motions()).toEqual(['still (initial)', 'moves (initial)'])
  expect(rig.blind()).toEqual([])
  await rig.stop()
})

test('what our vocabulary has no word for is counted', async () => {
  const rig = await hearing()
  const time = new Date(rig.clock.wallMs()).toISOString()
  rig.camera.notify(
    notification('tns1:Device/Trigger/Relay', { operation: 'Changed', time, item: 'LogicalState', state: 'active' }),
  )
  rig.camera.notify(
    notification('tns1:VideoSource/MotionAlarm', { operation: 'Changed', time, item: 'State', state: 'perhaps' }),
  )
  rig.camera.notify(
    notification('tns1:VideoSource/MotionAlarm', { operation: 'Deleted', time, item: 'State', state: 'true' }),
  )
  await rig.advance(500)
  expect(rig.motions()).toEqual(['still (initial)'])
  expect(rig.figures).toMatchObject({ unknownTopics: 2, notifications: 4 })
  await rig.stop()
})

test('more notifications than fit into one answer come in their order', async () => {
  const rig = await hearing()
  for (let count = 0; count < 150; count++) rig.camera.motion(count % 2 === 0)
  await rig.advance(1000)
  expect(rig.motions()).toHaveLength(151)
  expect(rig.motions().slice(1, 4)).toEqual(['moves', 'still', 'moves'])
  await rig.stop()
})

test('the time of the camera is kept beside ours', async () => {
  const rig = await hearing({ camera: { skewMs: 5000 } })
  rig.camera.motion(true)
  await rig.advance(100)
  const { data, monoMs } = rig.of('linli.camera.motion').at(-1)!
  const { time } = data.raw as { time: string }
  expect(decodeDateTime(time)! - 5000 - Date.UTC(2026, 10, 23, 8)).toBeCloseTo(monoMs, -2)
  await rig.stop()
})

test('an event is handed over before the next is asked for', async () => {
  const rig = await hearing()
  const before = rig.camera.requests.get('PullMessages')
  rig.camera.motion(true)
  await rig.advance(40)
  expect(rig.motions()).toContain('moves')
  // Not sooner than 50 ms after the question that brought it.
  expect(rig.camera.requests.get('PullMessages')! - before!).toBeLessThanOrEqual(1)
  await rig.stop()
})

test('an old firmware without an event service is told as such', async () => {
  const rig = new Rig()
  rig.camera.faults.on('GetServices', {
    kind: 'body',
    body:
      '<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body><GetServicesResponse>' +
      '<Service><Namespace>http://www.onvif.org/ver10/device/wsdl</Namespace><XAddr>http://192.0.2.7/onvif/device_service</XAddr></Service>' +
      '<Service><Namespace>http://www.onvif.org/ver10/media/wsdl</Namespace><XAddr>http://192.0.2.7/onvif/media_service</XAddr></Service>' +
      '</GetServicesResponse></e:Body></e:Envelope>',
  })
  const fault = await rig.live()
  expect(fault).toMatchObject({ reach: 'connection', code: 'no-events', message: 'the camera has no event service' })
  await rig.stop()
})

test('a camera that holds no question open is asked twice a second, and heard', async () => {
  const rig = new Rig()
  rig.camera.faults.set({ impatient: true })
  rig.supervise()
  await rig.advance(20_000)
  const before = rig.camera.requestCount
  await rig.advance(30_000)
  expect(rig.camera.requestCount - before).toBeLessThanOrEqual(65)
  rig.camera.motion(true)
  await rig.until(() => rig.motions().includes('moves'), 700)
  await rig.stop()
})

test('a clock that is set in the camera is learned again, and nothing is missed', async () => {
  const rig = await hearing()
  for (const skewMs of [7_200_000, -36_000_000, 0]) {
    await rig.advance(40_000)
    rig.camera.setSkew(skewMs)
    await rig.advance(40_000)
    rig.camera.motion(skewMs !== 0)
  }
  await rig.advance(1000)
  expect(rig.faults).toEqual([])
  expect(rig.blind()).toEqual([])
  expect(rig.camera.requests.get('CreatePullPointSubscription')).toBe(1)
  expect(rig.camera.wrongLogins).toBe(3)
  expect(rig.camera.requests.get('GetSystemDateAndTime')).toBe(4)
  await rig.stop()
})
