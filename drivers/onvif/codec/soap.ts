import { createHash } from 'node:crypto'
import { Fault } from '../../../gateway/contract/fault.ts'
import { type Element, escapeXml, find, findAll, parseXml, text } from './xml.ts'

export interface Login {
  readonly username: string
  readonly password: string
}

/** Base64(SHA-1(nonce + created + password)) (OASIS WS-Security UsernameToken Profile 1.0, 3.1). */
export function passwordDigest(nonce: Uint8Array, created: string, password: string): string {
  return createHash('sha1').update(nonce).update(created).update(password).digest('base64')
}

export interface Envelope {
  readonly action: string
  readonly to: string
  /** XML of the body. */
  readonly body: string
  readonly messageId: string
  readonly login?: Login & { readonly nonce: Uint8Array; readonly created: string }
}

const PASSWORD_TYPE =
  'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest'
const ENCODING = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary'
const WSSE = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd'
const WSU = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd'

/** A SOAP 1.2 message with WS-Addressing and, where there is a login, a UsernameToken. */
export function encodeEnvelope({ action, to, body, messageId, login }: Envelope): string {
  return (
    '<?xml version="1.0" encoding="UTF-8"?>' +
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://www.w3.org/2005/08/addressing">' +
    `<s:Header><a:Action s:mustUnderstand="1">${escapeXml(action)}</a:Action><a:MessageID>${escapeXml(messageId)}</a:MessageID>` +
    `<a:To s:mustUnderstand="1">${escapeXml(to)}</a:To>${login === undefined ? '' : security(login)}</s:Header>` +
    `<s:Body>${body}</s:Body></s:Envelope>`
  )
}

function security({ username, password, nonce, created }: Required<Envelope>['login']): string {
  return (
    `<o:Security s:mustUnderstand="1" xmlns:o="${WSSE}"><o:UsernameToken><o:Username>${escapeXml(username)}</o:Username>` +
    `<o:Password Type="${PASSWORD_TYPE}">${passwordDigest(nonce, created, password)}</o:Password>` +
    `<o:Nonce EncodingType="${ENCODING}">${Buffer.from(nonce).toString('base64')}</o:Nonce>` +
    `<u:Created xmlns:u="${WSU}">${created}</u:Created></o:UsernameToken></o:Security>`
  )
}

/**
 * The body of an answer.
 * @throws Fault of reach `connection`: code `denied` when the camera does not accept the login, `soap` when it refuses otherwise
 */
export function decodeAnswer(status: number, bytes: Uint8Array): Element {
  if (status === 401) throw denied('401 Unauthorized')
  const envelope = find(parseXml(bytes), 'Envelope')
  const body = find(envelope, 'Body')
  if (body === undefined)
    throw new Fault('connection', `the answer (${status}) is no SOAP message`, {
      code: 'soap',
      hint: 'is this the ONVIF port of a camera?',
    })
  const fault = find(body, 'Fault')
  if (fault === undefined) return body
  const reason = text(find(fault, 'Reason', 'Text')) || text(find(fault, 'faultstring')) || 'without a reason'
  const codes = subcodes(find(fault, 'Code'))
  if (codes.some((code) => /NotAuthorized|FailedAuthentication|SenderNotAuthorized/.test(code))) throw denied(reason)
  throw new Fault('connection', `the camera refuses: ${reason}`, { code: 'soap' })
}

function subcodes(code: Element | undefined): string[] {
  if (code === undefined) return []
  return [text(find(code, 'Value')), ...findAll(code, 'Subcode').flatMap(subcodes)]
}

function denied(reason: string): Fault {
  return new Fault('connection', `the camera does not accept the user or the password (${reason})`, {
    code: 'denied',
    hint: 'check the user in the settings and the secret; after a few wrong tries cameras lock the account for minutes',
  })
}
