import { expect, test } from 'vitest'
import { Rig } from './rig.ts'

const MINUTE_MS = 60_000

test('a wrong password is told with what to do, and tried a few times, then seldom', async () => {
  const rig = new Rig({ password: 'wrong' })
  rig.supervise()
  await rig.advance(10_000)
  expect(rig.faults).toHaveLength(1)
  expect(rig.faults[0]).toMatchObject({
    reach: 'connection',
    code: 'denied',
    message: 'the camera does not accept the user or the password (Sender not authorized: wrong password)',
    hint: 'check the user and its rights in the camera, and the secret; after a few wrong tries cameras lock the account',
  })
  expect(rig.marks).toEqual(['denied'])
  expect(rig.camera.wrongLogins).toBe(1)
  await rig.advance(10 * MINUTE_MS - 10_000)
  expect(rig.camera.wrongLogins).toBe(2)
  await rig.advance(50 * MINUTE_MS)
  // Ten to twelve minutes from one to the next.
  expect(rig.camera.wrongLogins).toBeGreaterThanOrEqual(6)
  expect(rig.camera.wrongLogins).toBeLessThanOrEqual(8)
  expect(rig.blind()).toHaveLength(1)
  expect(rig.blind()[0]).toMatchObject({ code: 'denied', ongoing: true })
  await rig.stop()
  expect(rig.clock.pending).toBe(0)
})

test.each([
  ['WS-UsernameToken', { schemes: ['token'] }],
  ['HTTP Digest', { schemes: ['digest'] }],
  ['both', { schemes: ['token', 'digest'] }],
] as const)('a camera that locks after 5 wrong logins by %s never locks us out', async (_name, { schemes }) => {
  const rig = new Rig({ password: 'wrong', camera: { schemes, lockAfter: 5 } })
  rig.supervise()
  for (let minute = 0; minute < 30; minute++) {
    await rig.advance(MINUTE_MS)
    expect(rig.camera.locked).toBe(false)
  }
  await rig.stop()
})

test('a corrected secret is tried at once', async () => {
  const rig = new Rig({ password: 'wrong' })
  rig.supervise()
  await rig.advance(20 * MINUTE_MS)
  rig.password = 'lobby'
  expect(await rig.until(() => rig.motions().length > 0, 7000)).toBeLessThanOrEqual(7000)
  expect(rig.marks.at(-1)).toBeUndefined()
  const [, over] = rig.blind()
  expect(over).toMatchObject({ from: '2026-11-23T08:00:00.000Z', code: 'denied' })
  expect(over?.seconds).toBeGreaterThanOrEqual(20 * 60)
  expect(over?.seconds).toBeLessThanOrEqual(20 * 60 + 7)
  await rig.stop()
})

test('a password that is changed in the camera while it is heard', async () => {
  const rig = new Rig()
  rig.supervise()
  await rig.until(() => rig.motions().length > 0)
  rig.camera.setPassword('another')
  await rig.advance(2 * MINUTE_MS)
  expect(rig.faults.at(-1)).toMatchObject({ code: 'denied' })
  expect(rig.camera.wrongLogins).toBeLessThanOrEqual(4)
  rig.password = 'another'
  await rig.until(() => rig.motions().length > 1, 8000)
  await rig.stop()
})

test('a camera whose clock lies, with a wrong password, gets no more than three logins for a question', async () => {
  const rig = new Rig({ password: 'wrong', camera: { schemes: ['token', 'digest'] } })
  rig.camera.faults.set({ toldTimeOffMs: 3_600_000 })
  await rig.live()
  expect(rig.camera.wrongLogins).toBeLessThanOrEqual(3)
  await rig.stop()
})

test('the login is proved by Digest from then on, once that was asked for', async () => {
  const rig = new Rig({ camera: { schemes: ['digest'] } })
  rig.supervise()
  await rig.until(() => rig.motions().length > 0)
  const tokens = () => rig.asked.filter(({ body }) => body?.includes('UsernameToken')).length
  const before = tokens()
  await rig.advance(5 * MINUTE_MS)
  expect(tokens()).toBe(before)
  expect(before).toBe(1)
  // The time, then the question that was refused, then the same with what was asked for.
  expect([...rig.camera.requests].slice(0, 2)).toEqual([
    ['GetSystemDateAndTime', 1],
    ['GetDeviceInformation', 2],
  ])
  const authorizations = rig.asked.map(({ headers }) => headers?.authorization ?? '').filter(Boolean)
  // One challenge a minute (its nonces live that long), and counted uses of each.
  expect(authorizations[1]).toContain('nc=00000002')
  await rig.stop()
})

test('no two messages have the same nonce, and none says the password', async () => {
  const rig = new Rig({ camera: { schemes: ['token'] } })
  rig.supervise()
  await rig.advance(5 * MINUTE_MS)
  await rig.stop()
  const nonces = rig.asked.flatMap(({ body }) => /Base64Binary">([^<]+)</.exec(body ?? '')?.[1] ?? [])
  expect(nonces.length).toBeGreaterThan(20)
  expect(new Set(nonces).size).toBe(nonces.length)
  expect(JSON.stringify(rig.asked)).not.toContain('lobby')
})

test('a user with letters of another script logs in both ways', async () => {
  for (const scheme of ['token', 'digest'] as const) {
    const rig = new Rig({ options: { username: '物业' }, camera: { username: '物业', schemes: [scheme] } })
    rig.supervise()
    await rig.until(() => rig.motions().length > 0, 5000)
    expect(rig.camera.wrongLogins).toBe(0)
    await rig.stop()
  }
})
