import { createHash } from 'node:crypto'
import type { Login } from './soap.ts'

/** What a server asks for (RFC 7616, 3.3). */
export interface Challenge {
  readonly realm: string
  readonly nonce: string
  readonly opaque: string | undefined
  /** As the server wrote it; undefined where it wrote none, which means MD5. */
  readonly algorithm: string | undefined
  /** Whether it knows `qop="auth"`; the oldest (RFC 2069) do not. */
  readonly auth: boolean
  /** The nonce was too old; the password may be right. */
  readonly stale: boolean
}

const HASHES: Readonly<Record<string, string>> = { 'SHA-256': 'sha256', MD5: 'md5' }
const CHALLENGES_MAX = 10

/** The best Digest challenge of a WWW-Authenticate header; undefined when it holds none that we can answer. */
export function decodeChallenge(header: string): Challenge | undefined {
  const all = split(header).flatMap(challengeIn)
  return Object.keys(HASHES)
    .map((name) => all.find(({ algorithm }) => (algorithm ?? 'MD5').toUpperCase() === name))
    .find((challenge) => challenge !== undefined)
}

/** Several challenges stand in one header, divided by the same comma as their parameters (RFC 9110, 11.6.1). */
function split(header: string): string[] {
  return header.split(/(?:^|,)\s*(?=(?:Digest|Basic|Bearer|Negotiate|NTLM)(?:\s|$))/i).slice(0, CHALLENGES_MAX)
}

function challengeIn(text: string): Challenge[] {
  if (!/^Digest\s/i.test(text.trim())) return []
  const values = new Map<string, string>()
  for (const [, name, quoted, bare] of text.matchAll(/([a-z]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/gi)) {
    values.set(String(name).toLowerCase(), quoted?.replaceAll(/\\(.)/g, '$1') ?? String(bare))
  }
  const nonce = values.get('nonce')
  const qop = values.get('qop')
  const auth = qop?.split(',').some((word) => word.trim().toLowerCase() === 'auth') === true
  // One that wants only auth-int would want the body hashed; no camera was ever seen to.
  if (nonce === undefined || (qop !== undefined && !auth)) return []
  return [
    {
      realm: values.get('realm') ?? '',
      nonce,
      opaque: values.get('opaque'),
      algorithm: values.get('algorithm'),
      auth,
      stale: values.get('stale')?.toLowerCase() === 'true',
    },
  ]
}

export interface DigestRequest {
  readonly method: string
  /** Path and query, as they stand in the request line. */
  readonly uri: string
  /** How often this nonce was used, from 1. */
  readonly count: number
  readonly cnonce: string
}

/** The Authorization header for a challenge (RFC 7616, 3.4; without `qop` RFC 2069, 2.1.2). */
export function encodeAuthorization(
  challenge: Challenge,
  { username, password }: Login,
  request: DigestRequest,
): string {
  const { realm, nonce, opaque, algorithm, auth } = challenge
  const { method, uri, count, cnonce } = request
  const hash = (...parts: readonly string[]): string =>
    createHash(HASHES[(algorithm ?? 'MD5').toUpperCase()] ?? 'md5')
      .update(parts.join(':'), 'latin1')
      .digest('hex')
  const nc = count.toString(16).padStart(8, '0')
  const middle = auth ? [nonce, nc, cnonce, 'auth'] : [nonce]
  const response = hash(hash(octets(username), realm, octets(password)), ...middle, hash(method, uri))
  const fields = [
    `username=${quoted(octets(username))}`,
    `realm=${quoted(realm)}`,
    `nonce=${quoted(nonce)}`,
    `uri=${quoted(uri)}`,
    `response="${response}"`,
    ...(algorithm === undefined ? [] : [`algorithm=${algorithm}`]),
    ...(auth ? [`qop=auth`, `nc=${nc}`, `cnonce="${cnonce}"`] : []),
    ...(opaque === undefined ? [] : [`opaque=${quoted(opaque)}`]),
  ]
  return `Digest ${fields.join(', ')}`
}

/** A header carries bytes, written as the characters of Latin-1; names are UTF-8 in them (RFC 7616, 4). */
function octets(value: string): string {
  return Buffer.from(value, 'utf8').toString('latin1')
}

function quoted(value: string): string {
  return `"${value.replaceAll(/[\\"]/g, '\\$&').replaceAll(/[\r\n]/g, '')}"`
}
