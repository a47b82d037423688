import { XMLParser } from 'fast-xml-parser'
import { Fault } from '../../../gateway/contract/fault.ts'

/** An element: its attributes under `@name`, its text under `#text`, its children by name, always in lists. */
export interface Element {
  readonly [name: string]: readonly Element[] | string | undefined
}

const DEPTH_MAX = 60

// Prefixes differ from camera to camera; numbers stay texts, because a serial number is none.
const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  removeNSPrefix: true,
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: true,
  alwaysCreateTextNode: true,
  isArray: (_name, _path, _leaf, isAttribute) => !isAttribute,
})

/**
 * An answer as elements without prefixes.
 * @throws Fault of reach `connection` for what is no XML, and for a DOCTYPE: nothing of SOAP needs one, and all bombs do
 */
export function parseXml(bytes: Uint8Array): Element {
  const text = Buffer.from(bytes).toString('utf8')
  if (/<!DOCTYPE|<!ENTITY/i.test(text)) throw garbage('it holds a DOCTYPE, which SOAP forbids (SOAP 1.2, 5)')
  if (deepest(text) > DEPTH_MAX) throw garbage(`it is nested deeper than ${DEPTH_MAX}`)
  try {
    return parser.parse(text, true) as Element
  } catch (error) {
    throw garbage((error as Error).message)
  }
}

function garbage(reason: string): Fault {
  return new Fault('connection', `the answer is no SOAP: ${reason}`, {
    code: 'xml',
    hint: 'is this the ONVIF port of a camera?',
  })
}

/** How deep tags stand in each other, without understanding them. */
function deepest(text: string): number {
  let depth = 0
  let most = 0
  for (const [tag] of text.matchAll(/<\/?[A-Za-z][^>]*>/g)) {
    if (tag.startsWith('</')) depth -= 1
    else if (!tag.endsWith('/>')) depth += 1
    most = Math.max(most, depth)
  }
  return most
}

/** The first element at this path of names; undefined where there is none. */
export function find(element: Element | undefined, ...path: readonly string[]): Element | undefined {
  return path.reduce<Element | undefined>((at, name) => findAll(at, name)[0], element)
}

export function findAll(element: Element | undefined, name: string): readonly Element[] {
  const children = element?.[name]
  return typeof children === 'object' ? children : []
}

/** The text of an element, `` for none. */
export function text(element: Element | undefined): string {
  const value = element?.['#text']
  return typeof value === 'string' ? value : ''
}

export function attribute(element: Element | undefined, name: string): string | undefined {
  const value = element?.[`@${name}`]
  return typeof value === 'string' ? value : undefined
}

export function escapeXml(value: string): string {
  return value.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`)
}
