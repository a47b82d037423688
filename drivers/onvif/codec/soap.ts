import { createHash } from 'node:crypto'
import { Fault } from '../../../gateway/contract/fault.ts'
import { type Element, escapeXml, find, findAll, parseXml, text } from './xml.ts'

export interface Login {
  readonly username: string
  readonly password: string
}

/** A login as one message carries it: signed for one moment of the camera's clock. */
export interface Signature extends Login {
  readonly nonce: Uint8Array
  /** xs:dateTime in UTC, by the camera's clock. */
  readonly created: string
}

export interface Envelope {
  /** XML of the body. */
  readonly body: string
  /** WS-Addressing, for the messages of the event service: it tells one subscription from another. */
  readonly addressing?: {
    readonly action: string
    readonly to: string
    readonly messageId: string
    /** Reference parameters of the subscription, as XML (WS-Addressing 1.0 SOAP Binding, 3.3). */
    readonly parameters?: string
  }
  readonly signature?: Signature
}

/** Base64(SHA-1(nonce + created + password)) (OASIS WS-Security UsernameToken Profile 1.0, 3.1). */
export function passwordDigest({ nonce, created, password }: Omit<Signature, 'username'>): string {
  return createHash('sha1').update(nonce).update(created).update(password).digest('base64')
}

const OASIS = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss'
const PASSWORD_TYPE = `${OASIS}-username-token-profile-1.0#PasswordDigest`
const ENCODING = `${OASIS}-soap-message-security-1.0#Base64Binary`
const WSSE = `${OASIS}-wssecurity-secext-1.0.xsd`
const WSU = `${OASIS}-wssecurity-utility-1.0.xsd`

/**
 * A SOAP 1.2 message. Addressing is not marked `mustUnderstand`: cameras that do not know it would have to refuse,
 * and those that need it read it all the same.
 */
export function encodeEnvelope({ body, addressing, signature }: Envelope): string {
  const header = (signature === undefined ? '' : security(signature)) + (addressing === undefined ? '' : to(addressing))
  return (
    '<?xml version="1.0" encoding="UTF-8"?>' +
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://www.w3.org/2005/08/addressing">' +
    `<s:Header>${header}</s:Header><s:Body>${body}</s:Body></s:Envelope>`
  )
}

function to({ action, to: address, messageId, parameters = '' }: Required<Envelope>['addressing']): string {
  return (
    `<a:Action>${escapeXml(action)}</a:Action><a:MessageID>${escapeXml(messageId)}</a:MessageID>` +
    `<a:To>${escapeXml(address)}</a:To>${parameters}`
  )
}

function security(signature: Signature): string {
  const { username, nonce, created } = signature
  return (
    `<o:Security s:mustUnderstand="1" xmlns:o="${WSSE}" xmlns:u="${WSU}"><o:UsernameToken>` +
    `<o:Username>${escapeXml(username)}</o:Username>` +
    `<o:Password Type="${PASSWORD_TYPE}">${passwordDigest(signature)}</o:Password>` +
    `<o:Nonce EncodingType="${ENCODING}">${Buffer.from(nonce).toString('base64')}</o:Nonce>` +
    `<u:Created>${created}</u:Created></o:UsernameToken></o:Security>`
  )
}

/**
 * The body of an answer.
 * @throws Fault of reach `connection`: code `denied` when the login is not accepted, `refused` for any other SOAP fault,
 * `not-onvif` for XML that is no SOAP, `xml` for what is no XML
 */
export function decodeAnswer(status: number, bytes: Uint8Array): Element {
  if (status === 401 || status === 403) throw denied(`HTTP ${status}`)
  if (status >= 300 && status < 400) throw notOnvif(`it sends us elsewhere (HTTP ${status}), which is never followed`)
  const body = find(bodyless(status, bytes), 'Envelope', 'Body')
  if (body === undefined) throw notOnvif(`HTTP ${status} without a SOAP message`)
  const fault = find(body, 'Fault')
  if (fault === undefined) return body
  const told = text(find(fault, 'Reason', 'Text')) || text(find(fault, 'faultstring'))
  const codes = [...subcodes(find(fault, 'Code')), text(find(fault, 'faultcode'))].map(unprefixed).filter(Boolean)
  const reason = printable(told) || codes.at(-1) || 'without a reason'
  if (codes.some((code) => /NotAuthorized|FailedAuthentication/i.test(code))) throw denied(reason)
  throw new Fault('connection', `the camera refuses: ${reason}`, { code: 'refused' })
}

/** An error of the web server in front of the ONVIF service comes as a page or as nothing. */
function bodyless(status: number, bytes: Uint8Array): Element {
  try {
    return parseXml(bytes)
  } catch (error) {
    if (status < 400) throw error
    throw notOnvif(`HTTP ${status}`)
  }
}

function subcodes(code: Element | undefined): string[] {
  if (code === undefined) return []
  return [text(find(code, 'Value')), ...findAll(code, 'Subcode').flatMap(subcodes)]
}

function unprefixed(name: string): string {
  return name.slice(name.lastIndexOf(':') + 1).trim()
}

/** What a camera says becomes part of an event and of the log: one line, and not a long one. */
function printable(said: string): string {
  return said
    .replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .trim()
    .slice(0, 200)
}

function notOnvif(reason: string): Fault {
  return new Fault('connection', `no ONVIF service answers there: ${reason}`, {
    code: 'not-onvif',
    hint: 'is this the ONVIF port of the camera, and is ONVIF switched on in its settings?',
  })
}

export function denied(reason: string): Fault {
  return new Fault('connection', `the camera does not accept the user or the password (${reason})`, {
    code: 'denied',
    hint: 'check the user and its rights in the camera, and the secret; after a few wrong tries cameras lock the account',
  })
}
