import { createHash } from 'node:crypto'
import { beforeEach, expect, test } from 'vitest'
import { type CameraOptions, SimulatedCamera } from '../../../../hardware-sim/camera/camera.ts'
import type { Reply } from '../../../../hardware-sim/camera/wire.ts'
import { VirtualClock } from '../../../../hardware-sim/clock.ts'
import { seededRandom } from '../../../../hardware-sim/random.ts'

/** What a strict camera takes and refuses. Requests are written out as they stand in the WSDLs, by no code of ours. */
const WSS = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss'
let clock: VirtualClock
let camera: SimulatedCamera
const staying = new AbortController().signal

function place(options: Partial<CameraOptions> = {}): void {
  clock = new VirtualClock(Date.UTC(2026, 10, 23, 8))
  const parts = { clock, random: seededRandom(3), signal: staying }
  camera = new SimulatedCamera({ host: '192.0.2.7', username: 'hub', password: 'lobby', ...parts, ...options })
}
beforeEach(() => place())

let nonces = 0
interface Token {
  readonly nonce?: string
  readonly created?: string
  readonly password?: string
  readonly username?: string
}
function security({ nonce = `nonce-${nonces++}`, created, password = 'lobby', username = 'hub' }: Token = {}): string {
  const time = created ?? new Date(clock.wallMs()).toISOString()
  const digest = createHash('sha1').update(`${nonce}${time}${password}`).digest('base64')
  return (
    `<w:Security xmlns:w="${WSS}-wssecurity-secext-1.0.xsd"><w:UsernameToken><w:Username>${username}</w:Username>` +
    `<w:Password Type="${WSS}-username-token-profile-1.0#PasswordDigest">${digest}</w:Password>` +
    `<w:Nonce>${Buffer.from(nonce).toString('base64')}</w:Nonce>` +
    `<Created xmlns="${WSS}-wssecurity-utility-1.0.xsd">${time}</Created></w:UsernameToken></w:Security>`
  )
}
const envelope = (body: string, header = security()): string =>
  `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header>${header}</s:Header><s:Body>${body}</s:Body></s:Envelope>`

function post(path: string, body: string, headers: Record<string, string> = {}): Promise<Reply> {
  const all = { 'content-type': 'application/soap+xml; charset=utf-8', ...headers }
  return camera.exchange({ method: 'POST', path, headers: all, body }, staying)
}
/** The status and what stands between the first pair of these tags, or the reason of a fault. */
async function told(asking: Promise<Reply>, tag = 'SOAP-ENV:Text'): Promise<[number, string | undefined]> {
  const { status, body } = await asking
  return [status, new RegExp(`<${tag}[^>]*>([^<]*)<`).exec(body.toString())?.[1]]
}
const DEVICE = '/onvif/device_service'
const INFORMATION = '<GetDeviceInformation xmlns="http://www.onvif.org/ver10/device/wsdl"/>'
const EVENTS = 'http://www.onvif.org/ver10/events/wsdl'
const WSNT = 'http://docs.oasis-open.org/wsn/b-2'
const CREATE = `<CreatePullPointSubscription xmlns="${EVENTS}"><InitialTerminationTime>PT60S</InitialTerminationTime></CreatePullPointSubscription>`
const pull = (time: string, limit = 10): string =>
  `<PullMessages xmlns="${EVENTS}"><Timeout>${time}</Timeout><MessageLimit>${limit}</MessageLimit></PullMessages>`
async function subscribe(): Promise<string> {
  const [status, address] = await told(post('/onvif/events_service', envelope(CREATE)), 'wsa5:Address')
  expect(status).toBe(200)
  return address!.replace('http://192.0.2.7:80', '')
}

test('it tells the time to everybody, and who it is to whoever logs in', async () => {
  const time = '<GetSystemDateAndTime xmlns="http://www.onvif.org/ver10/device/wsdl"/>'
  expect(await told(post(DEVICE, envelope(time, '')), 'tt:Hour')).toEqual([200, '8'])
  expect(await told(post(DEVICE, envelope(INFORMATION)), 'tds:SerialNumber')).toEqual([200, '0098765432'])
  expect(await told(post(DEVICE, envelope(INFORMATION, '')))).toEqual([400, 'Sender not authorized: no login'])
})

test.each([
  [{ password: 'wrong' }, 'wrong password'],
  [{ username: 'root' }, 'unknown user'],
  [{ created: '2026-11-23T07:59:54Z' }, 'token is 6 s off'],
  [{ created: '2026-11-23T08:00:06Z' }, 'token is 6 s off'],
  [{ created: 'yesterday' }, 'token is NaN s off'],
])('a token with %j is refused', async (token, reason) => {
  const asking = post(DEVICE, envelope(INFORMATION, security(token)))
  expect(await told(asking)).toEqual([400, `Sender not authorized: ${reason}`])
  expect(camera.wrongLogins).toBe(1)
})

test('a token is good once, in its time and in its order', async () => {
  const token = security({ nonce: 'once', created: '2026-11-23T08:00:04Z' })
  expect(await told(post(DEVICE, envelope(INFORMATION, token)), 'tds:Model')).toEqual([200, 'Simulated Dome'])
  expect(await told(post(DEVICE, envelope(INFORMATION, token)))).toEqual([
    400,
    'Sender not authorized: nonce was used before',
  ])
  const mixed = security().replace(/(<w:Username>.*<\/w:Username>)(.*<\/w:Password>)/, '$2$1')
  expect(await told(post(DEVICE, envelope(INFORMATION, mixed)))).toEqual([
    400,
    'Sender not authorized: no UsernameToken',
  ])
})

test('a clock that is wrong is the one that counts', async () => {
  place({ skewMs: 3_600_000 })
  expect((await told(post(DEVICE, envelope(INFORMATION))))[1]).toBe('Sender not authorized: token is 3600 s off')
  const token = security({ created: '2026-11-23T09:00:00Z' })
  expect((await told(post(DEVICE, envelope(INFORMATION, token)), 'tds:Model'))[0]).toBe(200)
})

test('an account is locked after wrong logins, for everybody who would be right', async () => {
  place({ lockAfter: 3, lockMs: 300_000 })
  for (const _ of [1, 2, 3]) await post(DEVICE, envelope(INFORMATION, security({ password: 'wrong' })))
  expect(camera.locked).toBe(true)
  expect((await told(post(DEVICE, envelope(INFORMATION))))[1]).toBe('Sender not authorized: the account is locked')
  await clock.advance(700_000)
  expect((await told(post(DEVICE, envelope(INFORMATION)), 'tds:Model'))[0]).toBe(200)
})

/** RFC 7616: the answer is reckoned here by hand. */
test('HTTP Digest: asked for, answered, counted, and stale after its time', async () => {
  place({ schemes: ['digest'], nonceMs: 10_000 })
  const md5 = (text: string): string => createHash('md5').update(text).digest('hex')
  const refused = await post(DEVICE, envelope(INFORMATION, ''))
  expect(refused.status).toBe(401)
  const challenge = String((refused.headers['www-authenticate'] as readonly string[])[0])
  const nonce = /nonce="([^"]+)"/.exec(challenge)![1]!
  const login = (nc: string, password = 'lobby'): Promise<Reply> => {
    const response = md5(`${md5(`hub:Linli camera:${password}`)}:${nonce}:${nc}:ab:auth:${md5(`POST:${DEVICE}`)}`)
    const authorization = `Digest username="hub", realm="Linli camera", nonce="${nonce}", uri="${DEVICE}", qop=auth, nc=${nc}, cnonce="ab", response="${response}"`
    return post(DEVICE, envelope(INFORMATION, ''), { authorization })
  }
  expect((await login('00000001')).status).toBe(200)
  expect((await login('00000001')).status).toBe(401)
  expect((await login('00000002', 'wrong')).status).toBe(401)
  expect((await login('00000003')).status).toBe(200)
  expect(camera.wrongLogins).toBe(2)
  await clock.advance(11_000)
  const stale = await login('00000004')
  expect(String(stale.headers['www-authenticate'])).toContain('stale=true')
  expect(camera.wrongLogins).toBe(2)
})

test.each([
  [
    'another order',
    pull('PT1S').replace(/(<Timeout>.*<\/Timeout>)(<Mess.*t>)(?=<\/P)/, '$2$1'),
    'Timeout is wanted in PullMessages',
  ],
  [
    'a part too many',
    pull('PT1S').replace('</PullMessages>', '<Filter/></PullMessages>'),
    'Filter has no place there in PullMessages',
  ],
  [
    'a part too few',
    pull('PT1S').replace(/<MessageLimit>.*<\/MessageLimit>/, ''),
    'MessageLimit is wanted in PullMessages',
  ],
  ['no duration', pull('60'), "Timeout can't be 60"],
  ['another namespace', `<PullMessages xmlns="${WSNT}"/>`, `no operation {${WSNT}}PullMessages`],
  [
    'a part of another namespace',
    pull('PT1S').replace('<Timeout>', '<Timeout xmlns="urn:x">'),
    `Timeout is in the namespace urn:x, not in ${EVENTS}`,
  ],
  [
    'Renew in the namespace of its actions',
    '<Renew xmlns="http://docs.oasis-open.org/wsn/bw-2"><TerminationTime>PT60S</TerminationTime></Renew>',
    'no operation {http://docs.oasis-open.org/wsn/bw-2}Renew',
  ],
  ['two requests', pull('PT1S') + pull('PT1S'), 'one request is wanted in Body'],
  ['a prefix that nobody declared', '<x:PullMessages/>', 'the prefix x is not declared'],
  ['an entity that nobody declared', pull('&bomb;'), 'the entity &amp;bomb; is not declared'],
  ['a DOCTYPE', `<!DOCTYPE a>${pull('PT1S')}`, expect.stringMatching(/^no XML at character/)],
])('a request with %s is refused', async (_name, body, reason) => {
  const path = await subscribe()
  const [status, said] = await told(post(path, envelope(body)))
  expect(status).toBeGreaterThanOrEqual(400)
  expect(said).toEqual(reason)
})

test('headers that must be understood, actions that do not fit, and types that are no SOAP are refused', async () => {
  const must = '<x xmlns="urn:x" s:mustUnderstand="1"/>'
  expect((await told(post(DEVICE, envelope(INFORMATION, security() + must))))[1]).toBe(
    'the header {urn:x}x is not understood',
  )
  const action = '<Action xmlns="http://www.w3.org/2005/08/addressing">urn:x</Action>'
  expect((await told(post(DEVICE, envelope(INFORMATION, security() + action))))[1]).toBe(
    'the action is http://www.onvif.org/ver10/device/wsdl/GetDeviceInformation, and not urn:x',
  )
  expect((await told(post(DEVICE, envelope(INFORMATION), { 'content-type': 'text/xml' })))[0]).toBe(415)
  expect((await told(post('/onvif/media_service', envelope(INFORMATION))))[1]).toBe(
    'GetDeviceInformation is not served at /onvif/media_service',
  )
})

test('a pull waits for what happens, and for no longer than it was told to', async () => {
  const path = await subscribe()
  const waiting = told(post(path, envelope(pull('PT10S'))), 'wsnt:Topic')
  await clock.advance(5000)
  camera.motion(true)
  expect(await waiting).toEqual([200, 'tns1:RuleEngine/CellMotionDetector/Motion'])
  let answered = false
  const empty = told(post(path, envelope(pull('PT10S'))), 'wsnt:Topic').finally(() => {
    answered = true
  })
  await clock.advance(9900)
  expect(answered).toBe(false)
  await clock.advance(200)
  expect(await empty).toEqual([200, undefined])
})

test('a subscription lives as long as it is renewed, and is gone when it is given back', async () => {
  place({ pullProlongs: false })
  const path = await subscribe()
  const renew = `<Renew xmlns="${WSNT}"><TerminationTime>PT60S</TerminationTime></Renew>`
  await clock.advance(50_000)
  expect((await told(post(path, envelope(renew)), 'wsnt:TerminationTime'))[1]).toBe('2026-11-23T08:01:50.000Z')
  await clock.advance(50_000)
  expect(camera.subscriptions).toBe(1)
  await clock.advance(11_000)
  expect(camera.subscriptions).toBe(0)
  expect((await told(post(path, envelope(renew))))[1]).toBe('Resource unknown')
  const other = await subscribe()
  await post(other, envelope(`<Unsubscribe xmlns="${WSNT}"/>`))
  expect((await told(post(other, envelope(pull('PT1S')))))[1]).toBe('Resource unknown')
})

test('only so many subscriptions fit into it', async () => {
  place({ subscriptionsMax: 2 })
  await subscribe()
  await subscribe()
  expect((await told(post('/onvif/events_service', envelope(CREATE))))[1]).toBe('no more subscriptions')
})

test('off, then starting, then as before', async () => {
  camera.reboot(10_000, 5000)
  expect((await post(DEVICE, envelope(INFORMATION))).manner).toEqual({ kind: 'off' })
  await clock.advance(11_000)
  expect((await post(DEVICE, envelope(INFORMATION))).status).toBe(500)
  await clock.advance(5000)
  expect((await post(DEVICE, envelope(INFORMATION))).status).toBe(200)
})
