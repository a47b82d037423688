import { expect, test } from 'vitest'
import { decodeChallenge, encodeAuthorization } from '../../drivers/onvif/codec/digest.ts'
import { decodeNotifications } from '../../drivers/onvif/codec/event.ts'
import { decodeAnswer, encodeEnvelope, passwordDigest } from '../../drivers/onvif/codec/soap.ts'
import { meaningOf } from '../../drivers/onvif/codec/topic.ts'

/** ONVIF Programmer's Guide, 6.1.2.3: nonce, created, userpassword. */
test('the password digest of WS-UsernameToken', () => {
  const nonce = Buffer.from('LKqI6G/AikKCQrN0zqZFlg==', 'base64')
  const created = '2010-09-16T07:50:45Z'
  expect(passwordDigest({ nonce, created, password: 'userpassword' })).toBe('tuOSpGlFlIXsozq4HFNeeGeFLEI=')
})

/** OASIS WSS UsernameToken Profile 1.0, 3.1, WS-Addressing 1.0 SOAP Binding, 3; event.wsdl for the action. */
test('a signed message of the event service, as it goes out', () => {
  const message = encodeEnvelope({
    body: '<PullMessages xmlns="http://www.onvif.org/ver10/events/wsdl"/>',
    addressing: {
      action: 'http://www.onvif.org/ver10/events/wsdl/PullPointSubscription/PullMessagesRequest',
      to: 'http://192.0.2.1/onvif/events?id=1&x=2',
      messageId: 'urn:uuid:1',
      parameters: '<Id>7</Id>',
    },
    signature: {
      username: 'a<b',
      password: 'userpassword',
      nonce: Buffer.from('LKqI6G/AikKCQrN0zqZFlg==', 'base64'),
      created: '2010-09-16T07:50:45Z',
    },
  })
  expect(message).toBe(
    '<?xml version="1.0" encoding="UTF-8"?>' +
      '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://www.w3.org/2005/08/addressing"><s:Header>' +
      '<o:Security s:mustUnderstand="1" xmlns:o="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd" ' +
      'xmlns:u="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"><o:UsernameToken>' +
      '<o:Username>a&#60;b</o:Username>' +
      '<o:Password Type="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest">tuOSpGlFlIXsozq4HFNeeGeFLEI=</o:Password>' +
      '<o:Nonce EncodingType="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary">LKqI6G/AikKCQrN0zqZFlg==</o:Nonce>' +
      '<u:Created>2010-09-16T07:50:45Z</u:Created></o:UsernameToken></o:Security>' +
      '<a:Action>http://www.onvif.org/ver10/events/wsdl/PullPointSubscription/PullMessagesRequest</a:Action>' +
      '<a:MessageID>urn:uuid:1</a:MessageID><a:To>http://192.0.2.1/onvif/events?id=1&#38;x=2</a:To><Id>7</Id>' +
      '</s:Header><s:Body><PullMessages xmlns="http://www.onvif.org/ver10/events/wsdl"/></s:Body></s:Envelope>',
  )
})

/** RFC 7616, 3.9.1: both algorithms in one challenge, and the answers to each. */
const MUFASA = { username: 'Mufasa', password: 'Circle of Life' }
const DIR = { method: 'GET', uri: '/dir/index.html', count: 1, cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ' }
const asks = (algorithm: string) =>
  `Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=${algorithm}, ` +
  'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'

test.each([
  ['SHA-256', `${asks('MD5')}, ${asks('SHA-256')}`, '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1'],
  ['MD5', `Basic realm="x", ${asks('MD5')}`, '8ca523f5e9506fed4657c9700eebdbec'],
])('HTTP Digest with %s', (algorithm, header, response) => {
  const challenge = decodeChallenge(header)
  expect(challenge).toMatchObject({ algorithm, auth: true, stale: false, realm: 'http-auth@example.org' })
  const answer = encodeAuthorization(challenge!, MUFASA, DIR)
  expect(answer).toContain(`response="${response}"`)
  expect(answer).toContain('opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"')
  expect(answer).toContain('qop=auth, nc=00000001')
})

/** RFC 2617, 3.5. */
test('HTTP Digest as cameras spoke it first', () => {
  const challenge = decodeChallenge(
    'Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"',
  )
  const login = { username: 'Mufasa', password: 'Circle Of Life' }
  const request = { method: 'GET', uri: '/dir/index.html', count: 1, cnonce: '0a4f113b' }
  const answer = encodeAuthorization(challenge!, login, request)
  expect(answer).toContain('response="6629fae49393a05397450978507c4ef1"')
  expect(answer).not.toContain('algorithm')
})

/** RFC 2069, 2.4 as corrected by its erratum 749. */
test('HTTP Digest without qop', () => {
  const challenge = decodeChallenge(
    'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"',
  )
  const login = { username: 'Mufasa', password: 'CircleOfLife' }
  const answer = encodeAuthorization(challenge!, login, { method: 'GET', uri: '/dir/index.html', count: 1, cnonce: '' })
  expect(answer).toContain('response="1949323746fe6a43ef61f9606e7febea"')
  expect(answer).not.toContain('qop')
})

/** Two challenges as a Hikvision camera sends them (agsh/onvif, lib/cam.js): the first names no algorithm. */
test('the stronger of two challenges is answered', () => {
  const challenge = decodeChallenge(
    'Digest qop="auth", realm="IP Camera", nonce="3965", stale="FALSE", Digest qop="auth", realm="IP Camera", nonce="3530", algorithm="SHA-256", stale="FALSE"',
  )
  expect(challenge).toMatchObject({ nonce: '3530', algorithm: 'SHA-256', stale: false })
})

/** ONVIF Core Specification, 9.11: a notification as PullMessages brings it. */
const PULLED = `<?xml version="1.0"?><SOAP-ENV:Envelope xmlns:SOAP-ENV="http://www.w3.org/2003/05/soap-envelope" xmlns:wsnt="http://docs.oasis-open.org/wsn/b-2"
 xmlns:tet="http://www.onvif.org/ver10/events/wsdl" xmlns:tns1="http://www.onvif.org/ver10/topics" xmlns:tt="http://www.onvif.org/ver10/schema"><SOAP-ENV:Body>
 <tet:PullMessagesResponse><tet:CurrentTime>2008-10-10T12:24:58</tet:CurrentTime><tet:TerminationTime>2008-10-10T12:25:58</tet:TerminationTime>
 <wsnt:NotificationMessage><wsnt:Topic Dialect="http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet">tns1:VideoSource/MotionAlarm</wsnt:Topic>
 <wsnt:Message><tt:Message UtcTime="2008-10-10T12:24:57.321" PropertyOperation="Initialized"><tt:Source><tt:SimpleItem Name="Source" Value="1"/></tt:Source>
 <tt:Data><tt:SimpleItem Name="State" Value="true"/></tt:Data></tt:Message></wsnt:Message></wsnt:NotificationMessage>
 <wsnt:NotificationMessage><wsnt:Topic>tns1:RuleEngine/tnsvendor:CellMotionDetector/Motion</wsnt:Topic>
 <wsnt:Message><tt:Message UtcTime="2008-10-10T12:24:58" PropertyOperation="Changed"><tt:Data><tt:SimpleItem Name="IsMotion" Value="0"/></tt:Data></tt:Message></wsnt:Message></wsnt:NotificationMessage>
 </tet:PullMessagesResponse></SOAP-ENV:Body></SOAP-ENV:Envelope>`

test('notifications are read whatever the prefixes, and motion in its dialects', () => {
  const notifications = decodeNotifications(decodeAnswer(200, Buffer.from(PULLED)))
  expect(notifications).toEqual([
    {
      topic: 'VideoSource/MotionAlarm',
      rawTopic: 'tns1:VideoSource/MotionAlarm',
      operation: 'initialized',
      utcTime: '2008-10-10T12:24:57.321',
      source: { Source: '1' },
      data: { State: 'true' },
    },
    {
      topic: 'RuleEngine/CellMotionDetector/Motion',
      rawTopic: 'tns1:RuleEngine/tnsvendor:CellMotionDetector/Motion',
      operation: 'changed',
      utcTime: '2008-10-10T12:24:58',
      source: {},
      data: { IsMotion: '0' },
    },
  ])
  expect(notifications?.map(meaningOf)).toEqual([
    { type: 'linli.camera.motion', active: true },
    { type: 'linli.camera.motion', active: false },
  ])
})

/** A Hikvision camera's message (eyetowers/gonvif, issue 1): a tree of its own, and `FALSE`. */
test('a topic that a maker planted into its own tree, with a boolean in capitals', () => {
  const message =
    '<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body><PullMessagesResponse><NotificationMessage>' +
    '<wsnt:Topic xmlns:wsnt="http://docs.oasis-open.org/wsn/b-2">tns1:VideoAnalytics/tnshik:MotionAlarm</wsnt:Topic><Message>' +
    '<Message UtcTime="2023-06-01T02:34:23" PropertyOperation="Initialized"><Source><SimpleItem Name="Source" Value="vstoken_ch0001" /></Source>' +
    '<Data><SimpleItem Name="State" Value="FALSE" /></Data></Message></Message></NotificationMessage></PullMessagesResponse></e:Body></e:Envelope>'
  const notifications = decodeNotifications(decodeAnswer(200, Buffer.from(message)))
  expect(notifications?.map(meaningOf)).toEqual([{ type: 'linli.camera.motion', active: false }])
})
