/** Where a camera is asked. */
export interface Place {
  readonly host: string
  readonly port: number
  /** With its query; begins with a slash. */
  readonly path: string
}

const PATH_BYTES_MAX = 1000

/**
 * What a camera names as the address of a service or a subscription, brought to the host of the settings. Only the
 * path is believed: a camera behind a router names its inner address, one without a name leaves the host out
 * (`http:///onvif/events`), and a malicious one names somebody else. Its port is believed only where it names the very
 * host of the settings. Undefined for what has no usable path: an empty address, a `urn:`.
 */
export function placeOf(
  address: string,
  settings: { readonly host: string; readonly port: number },
): Place | undefined {
  const { host, port } = settings
  const [, authority, rest] = /^(?:https?:\/\/([^/?#\s]*))?(\/[^#\s]*)?$/i.exec(address.trim()) ?? []
  if (rest === undefined || rest.length > PATH_BYTES_MAX || !/^[\x21-\x7e]+$/.test(rest)) return undefined
  const [, namedHost, namedPort] = /^(?:[^@]*@)?(\[[^\]]*\]|[^:]*)(?::(\d{1,5}))?$/.exec(authority ?? '') ?? []
  const same = namedHost !== undefined && namedHost.toLowerCase() === urlHost(host).toLowerCase()
  const ownPort = same && namedPort !== undefined ? Number(namedPort) : port
  return { host, port: ownPort > 0 && ownPort < 65_536 ? ownPort : port, path: rest }
}

export function urlOf({ host, port, path }: Place): string {
  return `http://${urlHost(host)}:${port}${path}`
}

/** An IPv6 address stands in brackets (RFC 3986, 3.2.2). */
function urlHost(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host
}

/** Where they stand in an answer, and how long they may be: looking further would cost more than an answer is worth. */
const LOOKED_AT_CHARACTERS_MAX = 20_000
const PARAMETERS_CHARACTERS_MAX = 4000
const ADDRESSING = 'http://www.w3.org/2005/08/addressing'
const PARAMETERS = /<((?:[\w.-]+:)?)ReferenceParameters(?:\s[^>]*)?>([\s\S]*?)<\/\1ReferenceParameters\s*>/

/**
 * The reference parameters of an answer, as XML that can stand in a header: how Axis cameras tell one subscription
 * from another (WS-Addressing 1.0 Core, 2.1, and SOAP Binding, 3.3). Taken from the text, because they must go back with
 * the very names they came with. `` where there are none.
 */
export function referenceParameters(answer: string): string {
  const found = PARAMETERS.exec(answer.slice(0, LOOKED_AT_CHARACTERS_MAX))
  const inner = found?.[2]?.trim() ?? ''
  if (inner === '' || inner.length > PARAMETERS_CHARACTERS_MAX) return ''
  const declared = namespacesBefore(answer, (found?.index ?? 0) + (found?.[0].indexOf('>') ?? 0) + 1)
  let depth = 0
  return inner.replaceAll(/<(\/?)([^\s/>!?]+)([^>]*?)(\/?)>/g, (tag, closing, name, attributes, empty) => {
    const top = depth === 0 && closing === ''
    depth += closing === '/' ? -1 : empty === '/' ? 0 : 1
    if (!top) return tag
    const used = prefixesIn(inner).filter((prefix) => !String(attributes).includes(`${nameOf(prefix)}=`))
    const borrowed = used.flatMap((prefix) => {
      const namespace = declared.get(prefix)
      return namespace === undefined ? [] : [` ${nameOf(prefix)}="${namespace}"`]
    })
    const mark = ` linli:IsReferenceParameter="true" xmlns:linli="${ADDRESSING}"`
    return `<${name}${attributes}${borrowed.join('')}${mark}${empty}>`
  })
}

/** Prefixes of elements and attributes; `` is the default namespace. */
function prefixesIn(xml: string): string[] {
  const names = [...xml.matchAll(/<\/?(?:([\w.-]+):)?[\w.-]+|\s([\w.-]+):[\w.-]+\s*=/g)]
  const prefixes = names.map(([, ofElement, ofAttribute]) => ofElement ?? ofAttribute ?? '')
  return [...new Set(prefixes)].filter((prefix) => prefix !== 'xmlns' && prefix !== 'xml')
}

/** The declarations that stand before this place, the nearest one for each prefix. */
function namespacesBefore(xml: string, end: number): ReadonlyMap<string, string> {
  const all = xml.slice(0, end).matchAll(/\sxmlns(?::([\w.-]+))?\s*=\s*(?:"([^"<]*)"|'([^'"<]*)')/g)
  return new Map([...all].map(([, prefix = '', double, single]) => [prefix, double ?? single ?? '']))
}

function nameOf(prefix: string): string {
  return prefix === '' ? 'xmlns' : `xmlns:${prefix}`
}
