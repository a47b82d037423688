import { ADDRESSING, DEVICE, EVENTS, MAKER, MEDIA, NOTIFICATION, SCHEMA, SOAP } from './names.ts'
import { escapeText } from './xml.ts'

/** A SOAP 1.2 message with the prefixes that gSOAP cameras use. */
export function envelope(body: string, action?: string): string {
  return (
    `<?xml version="1.0" encoding="UTF-8"?><SOAP-ENV:Envelope xmlns:SOAP-ENV="${SOAP}" xmlns:wsa5="${ADDRESSING}" ` +
    `xmlns:tt="${SCHEMA}" xmlns:tds="${DEVICE}" xmlns:trt="${MEDIA}" xmlns:tev="${EVENTS}" xmlns:wsnt="${NOTIFICATION}" ` +
    `xmlns:sim="${MAKER}" xmlns:tns1="http://www.onvif.org/ver10/topics" xmlns:ter="http://www.onvif.org/ver10/error">` +
    `<SOAP-ENV:Header>${action === undefined ? '' : `<wsa5:Action>${action}</wsa5:Action>`}</SOAP-ENV:Header>` +
    `<SOAP-ENV:Body>${body}</SOAP-ENV:Body></SOAP-ENV:Envelope>`
  )
}

/** A SOAP 1.2 fault with ONVIF's subcode (ONVIF Core, 5.8.2.1). */
export function faultEnvelope(subcode: string, reason: string, status: number): string {
  const side = status >= 500 ? 'Receiver' : 'Sender'
  return envelope(
    `<SOAP-ENV:Fault><SOAP-ENV:Code><SOAP-ENV:Value>SOAP-ENV:${side}</SOAP-ENV:Value><SOAP-ENV:Subcode>` +
      `<SOAP-ENV:Value>ter:${subcode}</SOAP-ENV:Value></SOAP-ENV:Subcode></SOAP-ENV:Code>` +
      `<SOAP-ENV:Reason><SOAP-ENV:Text xml:lang="en">${escapeText(reason)}</SOAP-ENV:Text></SOAP-ENV:Reason></SOAP-ENV:Fault>`,
    'http://www.w3.org/2005/08/addressing/soap/fault',
  )
}

/** xs:dateTime in UTC. */
export function dateTime(ms: number): string {
  return new Date(ms).toISOString()
}
