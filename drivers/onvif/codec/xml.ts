import { XMLParser, XMLValidator } from 'fast-xml-parser'
import { Fault } from '../../../gateway/contract/fault.ts'

/** An element: its attributes under `@name`, its text under `#text`, its children by name, always in lists. */
export interface Element {
  readonly [name: string]: readonly Element[] | string | undefined
}

const DEPTH_MAX = 60
/** Tags and attributes cost time, and doors wait for the same thread. A full page of notifications has some 3000. */
const SIGNS_MAX = 15_000

// Prefixes differ from camera to camera; numbers stay texts, because a serial number is none; entities are decoded
// below, where nothing can multiply.
const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  removeNSPrefix: true,
  parseTagValue: false,
  parseAttributeValue: false,
  processEntities: false,
  trimValues: true,
  alwaysCreateTextNode: true,
  maxNestedTags: DEPTH_MAX,
  isArray: (_name, _path, _leaf, isAttribute) => !isAttribute,
})

/**
 * An answer as elements without prefixes.
 * @throws Fault of reach `connection`, code `xml`, for what is no XML, and for a DOCTYPE: SOAP has none
 * (SOAP 1.2 part 1, 5), and all bombs do
 */
export function parseXml(bytes: Uint8Array): Element {
  const text = Buffer.from(bytes)
    .toString('utf8')
    .replace(/^\uFEFF/, '')
  if (/<!(?:DOCTYPE|ENTITY)/i.test(text)) throw garbage('it holds a DOCTYPE, which SOAP forbids')
  if (signsIn(text) > SIGNS_MAX) throw garbage(`it has more than ${SIGNS_MAX} tags and attributes`)
  try {
    const wrong = XMLValidator.validate(text)
    if (wrong !== true) throw new Error(wrong.err.msg)
    return parser.parse(text) as Element
  } catch (error) {
    throw garbage((error as Error).message)
  }
}

function signsIn(text: string): number {
  let count = 0
  for (let at = 0; at < text.length; at++) {
    const sign = text.charCodeAt(at)
    if (sign === LESS || sign === EQUALS) count += 1
  }
  return count
}
const LESS = 0x3c
const EQUALS = 0x3d

function garbage(reason: string): Fault {
  return new Fault('connection', `the answer is no SOAP message: ${reason.slice(0, 200)}`, {
    code: 'xml',
    hint: 'is this the ONVIF port of a camera?',
  })
}

/** The first element at this path of names; undefined where there is none. */
export function find(element: Element | undefined, ...path: readonly string[]): Element | undefined {
  return path.reduce<Element | undefined>((at, name) => findAll(at, name)[0], element)
}

export function findAll(element: Element | undefined, name: string): readonly Element[] {
  const children = element !== undefined && Object.hasOwn(element, name) ? element[name] : undefined
  return typeof children === 'object' ? children : []
}

/** The text of an element, `` for none. */
export function text(element: Element | undefined): string {
  const value = element?.['#text']
  return typeof value === 'string' ? decodeEntities(value) : ''
}

export function attribute(element: Element | undefined, name: string): string | undefined {
  const value = element?.[`@${name}`]
  return typeof value === 'string' ? decodeEntities(value) : undefined
}

export function escapeXml(value: string): string {
  return value.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`)
}

const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

/** The five entities of XML and characters by number (XML 1.0, 4.1 and 4.6); whatever else stays as it stands. */
function decodeEntities(value: string): string {
  if (!value.includes('&')) return value
  return value.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(amp|lt|gt|quot|apos));/gi, (whole, decimal, hex, named) => {
    if (named !== undefined) return NAMED[String(named).toLowerCase()] ?? whole
    const code = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal)
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole
  })
}
