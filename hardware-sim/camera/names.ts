/** Namespaces, as ONVIF Core (table of prefixes), WS-Addressing 1.0 and OASIS WSS name them. */
export const SOAP = 'http://www.w3.org/2003/05/soap-envelope'
export const ADDRESSING = 'http://www.w3.org/2005/08/addressing'
export const WSSE = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd'
export const WSU = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd'
export const SCHEMA = 'http://www.onvif.org/ver10/schema'
export const DEVICE = 'http://www.onvif.org/ver10/device/wsdl'
export const MEDIA = 'http://www.onvif.org/ver10/media/wsdl'
export const EVENTS = 'http://www.onvif.org/ver10/events/wsdl'
export const NOTIFICATION = 'http://docs.oasis-open.org/wsn/b-2'
/** A maker's own, for the reference parameter of its subscriptions. */
export const MAKER = 'urn:linli:simulated-camera'
