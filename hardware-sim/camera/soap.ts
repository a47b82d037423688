import { createHash } from 'node:crypto'
import { XMLParser } from 'fast-xml-parser'

/** A parsed element: children by local name, attributes under `@`, text under `#`. */
export type Node = { readonly [name: string]: unknown }

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  textNodeName: '#',
  removeNSPrefix: true,
  parseTagValue: false,
  parseAttributeValue: false,
})

export function parseRequest(text: string): { header: Node; body: Node; operation: string } {
  const envelope = child(parser.parse(text) as Node, 'Envelope')
  const body = child(envelope, 'Body')
  const operation = Object.keys(body).find((name) => !name.startsWith('@') && name !== '#') ?? ''
  return { header: child(envelope, 'Header'), body, operation }
}

export function child(node: Node, name: string): Node {
  const value = node[name]
  if (typeof value === 'string') return { '#': value }
  return typeof value === 'object' && value !== null ? (value as Node) : {}
}

export function textOf(node: Node, ...path: readonly string[]): string {
  const at = path.reduce(child, node)
  return typeof at['#'] === 'string' ? at['#'] : ''
}

/** What is wrong with the UsernameToken of a request; undefined for nothing (WSS UsernameToken Profile 1.0, 3). */
export function tokenProblem(
  header: Node,
  login: { readonly username: string; readonly password: string },
  nowMs: number,
  toleranceMs: number,
): string | undefined {
  const token = child(child(header, 'Security'), 'UsernameToken')
  if (textOf(token, 'Username') !== login.username) return 'unknown user'
  const created = textOf(token, 'Created')
  const nonce = Buffer.from(textOf(token, 'Nonce'), 'base64')
  const digest = createHash('sha1').update(nonce).update(created).update(login.password).digest('base64')
  if (textOf(token, 'Password') !== digest) return 'wrong password'
  const ageMs = nowMs - Date.parse(created)
  return Math.abs(ageMs) <= toleranceMs ? undefined : `token is ${Math.round(ageMs / 1000)} s old`
}

export function answer(body: string, action = ''): string {
  return (
    '<?xml version="1.0" encoding="UTF-8"?><SOAP-ENV:Envelope xmlns:SOAP-ENV="http://www.w3.org/2003/05/soap-envelope" ' +
    'xmlns:tt="http://www.onvif.org/ver10/schema" xmlns:tds="http://www.onvif.org/ver10/device/wsdl" ' +
    'xmlns:trt="http://www.onvif.org/ver10/media/wsdl" xmlns:tev="http://www.onvif.org/ver10/events/wsdl" ' +
    'xmlns:wsnt="http://docs.oasis-open.org/wsn/b-2" xmlns:wsa5="http://www.w3.org/2005/08/addressing" ' +
    'xmlns:tns1="http://www.onvif.org/ver10/topics" xmlns:ter="http://www.onvif.org/ver10/error">' +
    `<SOAP-ENV:Header>${action === '' ? '' : `<wsa5:Action>${action}</wsa5:Action>`}</SOAP-ENV:Header>` +
    `<SOAP-ENV:Body>${body}</SOAP-ENV:Body></SOAP-ENV:Envelope>`
  )
}

/** A SOAP 1.2 fault with ONVIF's subcode (ONVIF Core, 5.11.2). */
export function fault(subcode: string, reason: string): string {
  return answer(
    '<SOAP-ENV:Fault><SOAP-ENV:Code><SOAP-ENV:Value>SOAP-ENV:Sender</SOAP-ENV:Value><SOAP-ENV:Subcode>' +
      `<SOAP-ENV:Value>ter:${subcode}</SOAP-ENV:Value></SOAP-ENV:Subcode></SOAP-ENV:Code>` +
      `<SOAP-ENV:Reason><SOAP-ENV:Text xml:lang="en">${reason}</SOAP-ENV:Text></SOAP-ENV:Reason></SOAP-ENV:Fault>`,
  )
}
