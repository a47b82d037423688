import fc from 'fast-check'
import { expect, test } from 'vitest'
import { placeOf, referenceParameters, urlOf } from '../../../../drivers/onvif/codec/address.ts'
import { decodeChallenge, encodeAuthorization } from '../../../../drivers/onvif/codec/digest.ts'
import { decodeNotifications } from '../../../../drivers/onvif/codec/event.ts'
import { decodeAnswer } from '../../../../drivers/onvif/codec/soap.ts'
import { decodeRenewal, decodeSubscription } from '../../../../drivers/onvif/codec/subscription.ts'
import {
  decodeCameraTime,
  decodeDateTime,
  encodeDateTime,
  encodeDuration,
} from '../../../../drivers/onvif/codec/time.ts'
import { meaningOf } from '../../../../drivers/onvif/codec/topic.ts'
import { attribute, find, parseXml, text } from '../../../../drivers/onvif/codec/xml.ts'
import { isFault } from '../../../../gateway/contract/fault.ts'

const bytes = (xml: string): Buffer => Buffer.from(xml)
const soap = (body: string): string =>
  `<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body>${body}</e:Body></e:Envelope>`
const refusal = (subcode: string, reason = 'because'): string =>
  soap(
    `<e:Fault><e:Code><e:Value>e:Sender</e:Value><e:Subcode><e:Value>ter:${subcode}</e:Value></e:Subcode></e:Code><e:Reason><e:Text>${reason}</e:Text></e:Reason></e:Fault>`,
  )

test.each([
  [
    'a login that is refused',
    400,
    refusal('NotAuthorized'),
    'denied',
    'does not accept the user or the password (because)',
  ],
  [
    'a nested subcode',
    400,
    refusal('x</e:Value><e:Subcode><e:Value>ter:SenderNotAuthorized</e:Value></e:Subcode><e:Value>'),
    'denied',
    '',
  ],
  [
    'SOAP 1.1',
    500,
    soap('<e:Fault><faultcode>wsse:FailedAuthentication</faultcode><faultstring>no</faultstring></e:Fault>'),
    'denied',
    '(no)',
  ],
  ['HTTP 401', 401, '', 'denied', '(HTTP 401)'],
  ['HTTP 403 with a page', 403, '<html>', 'denied', '(HTTP 403)'],
  ['another refusal', 500, refusal('ActionNotSupported'), 'refused', 'the camera refuses: because'],
  [
    'a refusal without a reason',
    500,
    refusal('ActionNotSupported', ''),
    'refused',
    'the camera refuses: ActionNotSupported',
  ],
  ['a reason over several lines', 500, refusal('Action', 'a\n\tb&#7;c'), 'refused', 'the camera refuses: a b c'],
  ['a redirect', 302, '', 'not-onvif', 'sends us elsewhere (HTTP 302)'],
  ['a page of HTML', 200, '<html><body>Login</body></html>', 'not-onvif', 'HTTP 200 without a SOAP message'],
  ['an error page', 404, '<h1>Not Found</h1><hr>', 'not-onvif', 'HTTP 404'],
  ['no XML at all', 200, 'hello', 'xml', 'no SOAP message'],
  ['nothing', 200, '', 'xml', 'no SOAP message'],
  ['a bomb of entities', 200, '<!DOCTYPE x [<!ENTITY a "aaaaaaaa">]><x>&a;</x>', 'xml', 'it holds a DOCTYPE'],
  ['a bomb behind a comment', 200, '<!-- --><!doctype x><x/>', 'xml', 'it holds a DOCTYPE'],
  ['a well without bottom', 200, '<a>'.repeat(10_000), 'xml', ''],
  ['a well with a bottom', 200, '<_a>'.repeat(5000) + '</_a>'.repeat(5000), 'xml', ''],
  ['half a message', 200, soap('<a/>').slice(0, -20), 'xml', ''],
])('%s is a fault of the connection', (_name, status, body, code, message) => {
  expect(() => decodeAnswer(status, bytes(body))).toThrow(
    expect.objectContaining({ reach: 'connection', code, message: expect.stringContaining(message) }),
  )
})

/** What the processor did for this process: other work on the machine does not count. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

test('texts keep their zeros, and entities are what XML knows and numbers', () => {
  const root = find(
    parseXml(
      bytes(
        '\uFEFF<?xml version="1.0"?><n:r a="&quot;&#x4E2D;&#25991;&amp;lt;" b="007"> 00012.50 <c>&copy;&apos;</c></n:r>',
      ),
    ),
    'r',
  )
  expect(attribute(root, 'a')).toBe('"中文&lt;')
  expect(attribute(root, 'b')).toBe('007')
  expect(attribute(root, 'c')).toBeUndefined()
  expect(text(root)).toBe('00012.50')
  expect(text(find(root, 'c'))).toBe("&copy;'")
  expect(text(find(root, 'toString', 'constructor'))).toBe('')
})

test('a flood of numbered characters costs what it weighs', () => {
  const startedMs = cpuMs()
  const root = parseXml(bytes(`<a>${'&#60;'.repeat(190_000)}</a>`))
  expect(text(find(root, 'a'))).toHaveLength(190_000)
  expect(cpuMs() - startedMs).toBeLessThan(2000)
})

const settings = { host: '192.0.2.7', port: 8080 }
test.each([
  ['http://192.0.2.7:8080/onvif/events?id=1', 'http://192.0.2.7:8080/onvif/events?id=1'],
  ['http://192.0.2.7/onvif/events', 'http://192.0.2.7:8080/onvif/events'],
  ['http://192.0.2.7:1024/onvif/events', 'http://192.0.2.7:1024/onvif/events'],
  ['http://10.0.0.9:80/onvif/events', 'http://192.0.2.7:8080/onvif/events'],
  ['http://192.0.2.7@198.51.100.9:81/x', 'http://192.0.2.7:8080/x'],
  ['https://198.51.100.9/x', 'http://192.0.2.7:8080/x'],
  ['http:///onvif/events', 'http://192.0.2.7:8080/onvif/events'],
  ['/onvif/events', 'http://192.0.2.7:8080/onvif/events'],
  ['  http://camera.local/onvif/events\n', 'http://192.0.2.7:8080/onvif/events'],
  ['http://192.0.2.7:99999/x', 'http://192.0.2.7:8080/x'],
])('%j is asked at %s', (address, url) => {
  const place = placeOf(address, settings)
  expect(place && urlOf(place)).toBe(url)
})

test.each([
  '',
  'http://192.0.2.7',
  'urn:uuid:1',
  'file:///etc/passwd',
  'ftp://192.0.2.7/x',
  'http://a/b c',
  'http://a/b\r\nx: y',
  'http://a/\u4e2d',
  `/${'x'.repeat(2000)}`,
])('%j is no address to ask at', (address) => {
  expect(placeOf(address, settings)).toBeUndefined()
})

test('IPv6 addresses stand in brackets', () => {
  const v6 = { host: 'fd00::7', port: 80 }
  expect(urlOf(placeOf('/x', v6)!)).toBe('http://[fd00::7]:80/x')
  expect(urlOf(placeOf('http://[FD00::7]:8899/x', v6)!)).toBe('http://[fd00::7]:8899/x')
})

/** An Axis camera's answer (agsh/onvif, lib/events.js): the parameter goes back as a header, with its namespace. */
test('reference parameters go back with the names they came with, marked as such', () => {
  const answer =
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:wsa5="http://www.w3.org/2005/08/addressing" xmlns:dom0="http://www.axis.com/2009/event"><s:Body>' +
    '<wsa5:EndpointReference><wsa5:ReferenceParameters xmlns="urn:default"><dom0:SubscriptionId a="1">7</dom0:SubscriptionId><Inner><deep/></Inner><own xmlns="urn:own"/>' +
    '</wsa5:ReferenceParameters></wsa5:EndpointReference></s:Body></s:Envelope>'
  const header = parseXml(bytes(`<h>${referenceParameters(answer)}</h>`))
  const mark = 'linli:IsReferenceParameter="true" xmlns:linli="http://www.w3.org/2005/08/addressing"'
  expect(text(find(header, 'h', 'SubscriptionId'))).toBe('7')
  expect(referenceParameters(answer)).toBe(
    `<dom0:SubscriptionId a="1" xmlns:dom0="http://www.axis.com/2009/event" xmlns="urn:default" ${mark}>7</dom0:SubscriptionId>` +
      `<Inner xmlns:dom0="http://www.axis.com/2009/event" xmlns="urn:default" ${mark}><deep/></Inner>` +
      `<own xmlns="urn:own" xmlns:dom0="http://www.axis.com/2009/event" ${mark}/>`,
  )
  expect(referenceParameters(soap('<a/>'))).toBe('')
  expect(referenceParameters(`<ReferenceParameters>${'<a/>'.repeat(2000)}</ReferenceParameters>`)).toBe('')
})

const subscription = (times: string): string =>
  soap(
    `<CreatePullPointSubscriptionResponse><SubscriptionReference><Address> http://a/b </Address></SubscriptionReference>${times}</CreatePullPointSubscriptionResponse>`,
  )
const times = (now: string, end: string): string =>
  `<CurrentTime>${now}</CurrentTime><TerminationTime>${end}</TerminationTime>`
test.each([
  [times('2009-10-21T10:21:00Z', '2009-10-21T10:22:00Z'), 60_000],
  [times('2009-10-21T10:21:00', '2009-10-21T10:21:30.500'), 30_500],
  [times('2009-10-21T10:21:00Z', '2009-10-21T18:22:00+08:00'), 60_000],
  [times('2009-10-21T10:21:00Z', '2009-10-21T10:21:00Z'), undefined],
  [times('soon', 'later'), undefined],
  ['', undefined],
])('what a subscription is granted: %s', (said, lifetimeMs) => {
  expect(decodeSubscription(decodeAnswer(200, bytes(subscription(said))))).toEqual({
    address: 'http://a/b',
    lifetimeMs,
  })
  expect(decodeRenewal(decodeAnswer(200, bytes(soap(`<RenewResponse>${said}</RenewResponse>`))))).toBe(lifetimeMs)
})

const moment = (kind: string): string =>
  `<${kind}><Time><Hour>16</Hour><Minute>30</Minute><Second>5</Second></Time><Date><Year>2026</Year><Month>11</Month><Day>23</Day></Date></${kind}>`
const dateAndTime = (inside: string): number | undefined =>
  decodeCameraTime(
    decodeAnswer(
      200,
      bytes(
        soap(
          `<GetSystemDateAndTimeResponse><SystemDateAndTime>${inside}</SystemDateAndTime></GetSystemDateAndTimeResponse>`,
        ),
      ),
    ),
  )
const UTC = Date.UTC(2026, 10, 23, 16, 30, 5)
test.each([
  [moment('UTCDateTime') + moment('LocalDateTime'), UTC],
  [`<TimeZone><TZ>CST-8</TZ></TimeZone>${moment('LocalDateTime')}`, UTC - 8 * 3_600_000],
  [`<TimeZone><TZ>&lt;+0545&gt;-5:45</TZ></TimeZone>${moment('LocalDateTime')}`, UTC - 5.75 * 3_600_000],
  [
    `<DaylightSavings>true</DaylightSavings><TimeZone><TZ>EST5EDT,M3.2.0,M11.1.0</TZ></TimeZone>${moment('LocalDateTime')}`,
    UTC + 4 * 3_600_000,
  ],
  [moment('LocalDateTime'), UTC],
  ['<UTCDateTime/>', undefined],
  ['', undefined],
])('the time of a camera: %s', (said, ms) => {
  expect(dateAndTime(said)).toBe(ms)
})

test('times and durations as XML Schema writes them', () => {
  expect(encodeDateTime(UTC + 999)).toBe('2026-11-23T16:30:05Z')
  expect(decodeDateTime('2026-11-23T16:30:05.25+00:30')).toBe(UTC + 250 - 1_800_000)
  expect(decodeDateTime('2026-13-23T16:30:05Z')).toBeUndefined()
  expect([encodeDuration(60_000), encodeDuration(1)]).toEqual(['PT60S', 'PT1S'])
})

test('challenges that nobody can answer are no challenges', () => {
  expect(decodeChallenge('')).toBeUndefined()
  expect(decodeChallenge('Basic realm="Digest nonce=1"')).toBeUndefined()
  expect(decodeChallenge('Digest realm="a", nonce="b", algorithm=SHA-512-256')).toBeUndefined()
  expect(decodeChallenge('Digest realm="a", nonce="b", qop="auth-int"')).toBeUndefined()
  expect(decodeChallenge('Digest realm="a"')).toBeUndefined()
  expect(decodeChallenge('digest realm="a\\"b", nonce=c, stale=TRUE')).toEqual({
    realm: 'a"b',
    nonce: 'c',
    opaque: undefined,
    algorithm: undefined,
    auth: false,
    stale: true,
  })
})

test('what is quoted goes out so that it can be read again', () => {
  const challenge = { realm: 'a"b\\c', nonce: 'n', opaque: undefined, algorithm: undefined, auth: true, stale: false }
  const request = { method: 'POST', uri: '/x', count: 17, cnonce: 'c' }
  const answer = encodeAuthorization(challenge, { username: 'u"\r\nx: y', password: 'p' }, request)
  expect(answer).toContain('realm="a\\"b\\\\c"')
  expect(answer).toContain('nc=00000011')
  expect(answer).not.toMatch(/[\r\n]/)
})

test('long texts and long lists of a notification are cut', () => {
  const item = '<SimpleItem Name="n" Value="v"/>'
  const items = Array.from({ length: 100 }, (_, at) => item.replace('"n"', `"n${at}"`)).join('')
  const message = `<NotificationMessage><Topic>${'x/'.repeat(1000)}</Topic><Message><Message><Data>${items}</Data></Message></Message></NotificationMessage>`
  const [notification] = decodeNotifications(
    decodeAnswer(200, bytes(soap(`<PullMessagesResponse>${message}</PullMessagesResponse>`))),
  )!
  expect(notification?.rawTopic).toHaveLength(256)
  expect(Object.keys(notification?.data ?? {})).toHaveLength(32)
})

test('a name that objects know already is a name like others', () => {
  const message =
    '<NotificationMessage><Topic>tns1:VideoSource/MotionAlarm</Topic><Message><Message><Data><SimpleItem Name="__proto__" Value="1"/><SimpleItem Name="State" Value="1"/></Data></Message></Message></NotificationMessage>'
  const [notification] = decodeNotifications(
    decodeAnswer(200, bytes(soap(`<PullMessagesResponse>${message}</PullMessagesResponse>`))),
  )!
  expect(meaningOf(notification!)).toEqual({ type: 'linli.camera.motion', active: true })
  expect(({} as Record<string, unknown>).State).toBeUndefined()
})

test('what would keep the doors waiting is refused before it is read', () => {
  for (const piece of ['<a/>', '<!---->', '<?a?>', 'x="1" ']) {
    const xml = piece.startsWith('x') ? `<a ${piece.repeat(200_000)}/>` : `<a>${piece.repeat(200_000)}</a>`
    const startedMs = cpuMs()
    expect(() => parseXml(bytes(xml))).toThrow('more than 15000 tags and attributes')
    expect(cpuMs() - startedMs).toBeLessThan(100)
  }
  const page =
    '<NotificationMessage><Topic a="b"/><Message><Message><Source><SimpleItem Name="a" Value="b"/></Source></Message></Message></NotificationMessage>'
  const body = decodeAnswer(200, bytes(soap(`<PullMessagesResponse>${page.repeat(500)}</PullMessagesResponse>`)))
  expect(decodeNotifications(body)).toHaveLength(500)
})

/** A good answer, bent at random: whatever comes is understood or a Fault, never a bug, and never slow. */
const GOOD = soap(
  '<t:PullMessagesResponse xmlns:t="http://www.onvif.org/ver10/events/wsdl"><t:CurrentTime>2026-11-23T08:00:00Z</t:CurrentTime>' +
    '<n:NotificationMessage xmlns:n="http://docs.oasis-open.org/wsn/b-2"><n:Topic>tns1:VideoSource/MotionAlarm</n:Topic><n:Message>' +
    '<tt:Message xmlns:tt="urn:tt" UtcTime="x" PropertyOperation="Changed"><tt:Data><tt:SimpleItem Name="State" Value="true"/></tt:Data></tt:Message>' +
    '</n:Message></n:NotificationMessage></t:PullMessagesResponse>',
)
const PIECES = [
  '<',
  '>',
  '</',
  '/>',
  '"',
  '&',
  '&#',
  '&#0;',
  '&#x110000;',
  ']]>',
  '<![CDATA[',
  '<!--',
  '<?xml',
  '<!DOCTYPE',
  'xmlns:',
  ' ',
  '\u0000',
  '__proto__',
  '<a '.repeat(50),
  ':',
  '=',
  '灯',
]
const bent = fc
  .array(fc.record({ at: fc.nat(GOOD.length), cut: fc.nat(40), piece: fc.constantFrom(...PIECES) }), { maxLength: 6 })
  .map((bends) => bends.reduce((xml, { at, cut, piece }) => xml.slice(0, at) + piece + xml.slice(at + cut), GOOD))

test('a bent answer is understood or a Fault', () => {
  fc.assert(
    fc.property(
      fc.oneof(bent, fc.string(), fc.string({ unit: 'binary' })),
      fc.constantFrom(200, 400, 401, 500),
      (xml, status) => {
        try {
          const body = decodeAnswer(status, bytes(xml))
          decodeNotifications(body)?.map(meaningOf)
          decodeSubscription(body)
          decodeCameraTime(body)
        } catch (error) {
          if (!isFault(error)) throw error
        }
        referenceParameters(xml)
        decodeChallenge(xml)
        placeOf(xml, settings)
      },
    ),
    { numRuns: 3000 },
  )
})

/** 400 kB of what makes careless expressions slow. */
test.each(['<ReferenceParameters>', '<a ', ' xmlns:a="', 'Digest nonce=', '&#', '\\"', '<a>', ',', ' '])(
  '%j in plenty is not slow',
  (piece) => {
    const much = piece.repeat(Math.ceil(400_000 / piece.length))
    const startedMs = cpuMs()
    try {
      decodeAnswer(200, bytes(`<a b="${much}"/>${much}`))
    } catch (error) {
      if (!isFault(error)) throw error
    }
    referenceParameters(much)
    decodeChallenge(`Digest nonce="${much.slice(0, 16_000)}`)
    placeOf(much, settings)
    expect(cpuMs() - startedMs).toBeLessThan(500)
  },
)
