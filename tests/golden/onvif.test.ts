import { expect, test } from 'vitest'
import { decodeNotifications, motionOf } from '../../drivers/onvif/codec/event.ts'
import { decodeAnswer, encodeEnvelope, passwordDigest } from '../../drivers/onvif/codec/soap.ts'

/** The vector that is printed in the ONVIF Programmer's Guide, 6.1.2.3 (nonce, created, userpassword). */
test('the password digest of WS-UsernameToken', () => {
  const nonce = Buffer.from('LKqI6G/AikKCQrN0zqZFlg==', 'base64')
  expect(passwordDigest(nonce, '2010-09-16T07:50:45Z', 'userpassword')).toBe('tuOSpGlFlIXsozq4HFNeeGeFLEI=')
})

test('a request carries action, address and token, and nothing of a password', () => {
  const message = encodeEnvelope({
    action: 'http://www.onvif.org/ver10/events/wsdl/PullPointSubscription/PullMessagesRequest',
    to: 'http://192.0.2.1/onvif/events',
    body: '<x/>',
    messageId: 'urn:uuid:1',
    login: {
      username: 'a<b',
      password: 'secret word',
      nonce: Buffer.from('0123456789abcdef'),
      created: '2026-11-23T08:00:00Z',
    },
  })
  expect(message).toContain('<o:Username>a&#60;b</o:Username>')
  expect(message).toContain('#PasswordDigest">')
  expect(message).not.toContain('secret word')
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
      operation: 'initialized',
      utcTime: '2008-10-10T12:24:57.321',
      source: { Source: '1' },
      data: { State: 'true' },
    },
    {
      topic: 'RuleEngine/CellMotionDetector/Motion',
      operation: 'changed',
      utcTime: '2008-10-10T12:24:58',
      source: {},
      data: { IsMotion: '0' },
    },
  ])
  expect(notifications.map(motionOf)).toEqual([true, false])
})

const soapFault = (subcode: string) =>
  `<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body><e:Fault><e:Code><e:Value>e:Sender</e:Value><e:Subcode><e:Value>ter:${subcode}</e:Value></e:Subcode></e:Code><e:Reason><e:Text>because</e:Text></e:Reason></e:Fault></e:Body></e:Envelope>`

test.each([
  ['a login that is refused', 400, soapFault('NotAuthorized'), 'denied'],
  ['HTTP 401', 401, '', 'denied'],
  ['another refusal', 500, soapFault('ActionNotSupported'), 'soap'],
  ['a page of HTML', 200, '<html><body>Login</body></html>', 'soap'],
  ['no XML at all', 200, 'hello', 'xml'],
  ['a bomb of entities', 200, '<!DOCTYPE x [<!ENTITY a "aaaaaaaa">]><x>&a;</x>', 'xml'],
  ['a well without bottom', 200, '<a>'.repeat(10_000), 'xml'],
])('%s is a fault of the connection', (_name, status, body, code) => {
  expect(() => decodeAnswer(status, Buffer.from(body))).toThrow(expect.objectContaining({ reach: 'connection', code }))
})
