/** An element with its namespaces resolved and its children in order, as a camera that is strict reads a request. */
export interface XmlElement {
  readonly namespace: string
  readonly name: string
  /** By `{namespace}name`, without a namespace by the name alone. */
  readonly attributes: ReadonlyMap<string, string>
  readonly children: readonly XmlElement[]
  /** All text directly in it, trimmed. */
  readonly text: string
}

interface Open {
  readonly tag: string
  readonly namespace: string
  readonly name: string
  readonly attributes: ReadonlyMap<string, string>
  readonly scope: ReadonlyMap<string, string>
  readonly children: XmlElement[]
  text: string
}

const TOKEN =
  /<\?[\s\S]*?\?>|<!--[\s\S]*?-->|<!\[CDATA\[([\s\S]*?)\]\]>|<\/([^\s>]+)\s*>|<([^\s/>!?]+)([^>]*?)(\/?)>|([^<]+)/gy
const ATTRIBUTE = /\s+([^\s=]+)\s*=\s*(?:"([^"<]*)"|'([^'<]*)')/gy
const DEPTH_MAX = 50

/** @throws Error that says where it is no XML with namespaces (XML 1.0; Namespaces in XML 1.0) */
export function parseXml(xml: string): XmlElement {
  const root: Open = newOpen('', { namespace: '', name: '' }, new Map(), new Map())
  const stack: Open[] = [root]
  let at = xml.startsWith('\uFEFF') ? 1 : 0
  while (at < xml.length) {
    TOKEN.lastIndex = at
    const token = TOKEN.exec(xml)
    if (token === null) throw new Error(`no XML at character ${at}`)
    at = TOKEN.lastIndex
    const [, cdata, closing, opening, attributes = '', empty, text] = token
    const top = stack.at(-1)!
    if (closing !== undefined) {
      if (stack.length === 1 || top.tag !== closing) throw new Error(`</${closing}> closes nothing`)
      close(stack)
    } else if (opening !== undefined) {
      if (stack.length > DEPTH_MAX) throw new Error('nested too deep')
      stack.push(open(opening, attributes, top))
      if (empty === '/') close(stack)
    } else if (cdata !== undefined) top.text += cdata
    else if (text !== undefined) top.text += withoutEntities(text)
  }
  if (stack.length > 1) throw new Error(`<${stack.at(-1)!.tag}> is not closed`)
  const [element] = root.children
  if (element === undefined || root.children.length > 1) throw new Error('one element is wanted')
  return element
}

function close(stack: Open[]): void {
  const { namespace, name, attributes, children, text } = stack.pop()!
  stack.at(-1)!.children.push({ namespace, name, attributes, children, text: text.trim() })
}

function open(tag: string, text: string, parent: Open): Open {
  const pairs = attributesIn(text)
  const scope = new Map(parent.scope)
  for (const [name, value] of pairs) {
    if (name === 'xmlns') scope.set('', value)
    else if (name.startsWith('xmlns:')) scope.set(name.slice('xmlns:'.length), value)
  }
  const resolved = pairs
    .filter(([name]) => name !== 'xmlns' && !name.startsWith('xmlns:'))
    .map(([name, value]): [string, string] => {
      if (!name.includes(':')) return [name, value]
      const { namespace, name: local } = resolve(name, scope)
      return [`{${namespace}}${local}`, value]
    })
  return newOpen(tag, resolve(tag, scope), new Map(resolved), scope)
}

function newOpen(
  tag: string,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  attributes: ReadonlyMap<string, string>,
  scope: ReadonlyMap<string, string>,
): Open {
  return { tag, namespace, name, attributes, scope, children: [], text: '' }
}

function attributesIn(text: string): [string, string][] {
  const pairs: [string, string][] = []
  let at = 0
  for (ATTRIBUTE.lastIndex = 0; ; ATTRIBUTE.lastIndex = at) {
    const found = ATTRIBUTE.exec(text)
    if (found === null) break
    at = ATTRIBUTE.lastIndex
    pairs.push([found[1]!, withoutEntities(found[2] ?? found[3] ?? '')])
  }
  if (text.slice(at).trim() !== '') throw new Error(`no attributes: ${text.trim()}`)
  return pairs
}

function resolve(
  name: string,
  scope: ReadonlyMap<string, string>,
): { readonly namespace: string; readonly name: string } {
  const colon = name.indexOf(':')
  const prefix = colon < 0 ? '' : name.slice(0, colon)
  if (prefix === 'xml') return { namespace: 'http://www.w3.org/XML/1998/namespace', name: name.slice(colon + 1) }
  const namespace = scope.get(prefix)
  if (namespace === undefined && prefix !== '') throw new Error(`the prefix ${prefix} is not declared`)
  return { namespace: namespace ?? '', name: name.slice(colon + 1) }
}

const NAMED: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }

function withoutEntities(text: string): string {
  return text.replaceAll(/&(#x?)?(\w+);/g, (whole, numeric: string | undefined, name: string) => {
    if (numeric === undefined) {
      const sign = NAMED[name]
      if (sign === undefined) throw new Error(`the entity ${whole} is not declared`)
      return sign
    }
    return String.fromCodePoint(Number.parseInt(name, numeric === '#x' ? 16 : 10))
  })
}

export function childOf(element: XmlElement | undefined, namespace: string, name: string): XmlElement | undefined {
  return element?.children.find((child) => child.namespace === namespace && child.name === name)
}

/** For what a camera says back: text that may hold anything. */
export function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
