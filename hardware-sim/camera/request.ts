import { ADDRESSING, SOAP, WSSE } from './names.ts'
import { RULES, type Rule, wrongPart } from './rules.ts'
import { childOf, parseXml, type XmlElement } from './xml.ts'

/** A request that a strict camera has understood. */
export interface Request {
  readonly operation: string
  readonly rule: Rule
  /** The element in the body. */
  readonly asked: XmlElement
  readonly header: XmlElement | undefined
}

/** Why a request is refused: subcodes of ONVIF Core, 5.8.2.2. */
export class Refusal extends Error {
  readonly subcode: string
  readonly status: number

  constructor(subcode: string, reason: string, status = 400) {
    super(reason)
    this.subcode = subcode
    this.status = status
  }
}

const MUST_UNDERSTAND = `{${SOAP}}mustUnderstand`

/** @throws Refusal, for everything that the schemas do not allow */
export function readRequest(contentType: string, xml: string): Request {
  if (!/^application\/soap\+xml\b/i.test(contentType)) {
    throw new Refusal('WellFormed', `the type ${contentType} is no SOAP 1.2`, 415)
  }
  const envelope = envelopeOf(xml)
  const header = childOf(envelope, SOAP, 'Header')
  const body = childOf(envelope, SOAP, 'Body')
  const asked = body?.children[0]
  if (asked === undefined || body?.children.length !== 1)
    throw new Refusal('WellFormed', 'one request is wanted in Body')
  const rule = Object.hasOwn(RULES, asked.name) ? RULES[asked.name] : undefined
  if (rule === undefined || rule.namespace !== asked.namespace) {
    throw new Refusal('ActionNotSupported', `no operation {${asked.namespace}}${asked.name}`, 500)
  }
  checkHeader(header, rule)
  const wrong = wrongPart(asked, rule.parts, rule.namespace)
  if (wrong !== undefined) throw new Refusal('InvalidArgs', wrong)
  return { operation: asked.name, rule, asked, header }
}

function envelopeOf(xml: string): XmlElement {
  try {
    const envelope = parseXml(xml)
    if (envelope.name === 'Envelope' && envelope.namespace === SOAP) return envelope
  } catch (error) {
    throw new Refusal('WellFormed', (error as Error).message)
  }
  throw new Refusal('WellFormed', 'no envelope of SOAP 1.2')
}

/** Headers that must be understood and are not are refused (SOAP 1.2 part 1, 5.2.3). */
function checkHeader(header: XmlElement | undefined, rule: Rule): void {
  for (const { namespace, name, attributes, text } of header?.children ?? []) {
    const known = namespace === ADDRESSING || (namespace === WSSE && name === 'Security')
    if (!known && /^(1|true)$/.test(attributes.get(MUST_UNDERSTAND) ?? '')) {
      throw new Refusal('MustUnderstand', `the header {${namespace}}${name} is not understood`, 500)
    }
    if (namespace === ADDRESSING && name === 'Action' && text !== rule.action) {
      throw new Refusal('InvalidArgs', `the action is ${rule.action}, and not ${text}`)
    }
  }
}
