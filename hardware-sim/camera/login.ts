import { createHash } from 'node:crypto'
import type { Clock } from '../../gateway/contract/clock.ts'
import type { Random } from '../../gateway/contract/io.ts'
import { WSSE, WSU } from './names.ts'
import { childOf, type XmlElement } from './xml.ts'

/** How a camera lets itself be logged in to. */
export type LoginScheme = 'token' | 'digest'

export interface LoginOptions {
  readonly username: string
  readonly password: string
  readonly schemes: readonly LoginScheme[]
  /** How far the time of a token may be from the camera's. */
  readonly toleranceMs: number
  /** After so many wrong logins within ten minutes, none of them right in between, the account is locked; 0 for never. */
  readonly lockAfter: number
  readonly lockMs: number
  /** How long a nonce of HTTP Digest is good for. */
  readonly nonceMs: number
  readonly algorithms: readonly ('MD5' | 'SHA-256')[]
}

export interface LoginRequest {
  readonly method: string
  readonly uri: string
  readonly authorization: string | undefined
  readonly security: XmlElement | undefined
}

export type Verdict =
  | { readonly kind: 'welcome' }
  /** A token that is not accepted: a SOAP fault (ONVIF Core, 5.9.1). */
  | { readonly kind: 'refused'; readonly reason: string }
  /** HTTP 401 with these challenges. */
  | { readonly kind: 'challenge'; readonly challenges: readonly string[] }

const REALM = 'Linli camera'
const NONCES_MAX = 200
/** A wrong login is held against its user for so long. */
const COUNTED_MS = 600_000
const PASSWORD_TYPE =
  'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest'

/** WS-UsernameToken and HTTP Digest as a careful camera checks them: time, replay, count, lock. */
export class Logins {
  password: string
  /** Logins that were wrong, each of which a camera counts. */
  wrong = 0
  readonly #options: LoginOptions
  readonly #clock: Clock
  readonly #random: Random
  readonly #usedNonces = new Map<string, number>()
  readonly #givenNonces = new Map<string, { readonly endsMs: number; count: number }>()
  /** When the latest wrong logins were, since the last right one. */
  #wrongAtMs: number[] = []
  #lockedUntilMs = Number.NEGATIVE_INFINITY

  constructor(options: LoginOptions, clock: Clock, random: Random) {
    this.#options = options
    this.#clock = clock
    this.#random = random
    this.password = options.password
  }

  get locked(): boolean {
    return this.#clock.monoMs() < this.#lockedUntilMs
  }

  /** @param nowMs by the camera's own clock, which may be wrong */
  judge(request: LoginRequest, nowMs: number): Verdict {
    const { schemes } = this.#options
    const { authorization, security } = request
    if (authorization?.startsWith('Digest ') === true && schemes.includes('digest')) {
      const problem = this.#digestProblem(authorization, request)
      if (problem === undefined) return this.#welcome()
      if (problem !== 'stale') this.#count()
      return this.#challenge(problem === 'stale')
    }
    if (security !== undefined && schemes.includes('token')) {
      const problem = this.#tokenProblem(security, nowMs)
      if (problem === undefined) return this.#welcome()
      this.#count()
      return { kind: 'refused', reason: problem }
    }
    return schemes.includes('digest') ? this.#challenge(false) : { kind: 'refused', reason: 'no login' }
  }

  /** OASIS WSS UsernameToken Profile 1.0, 3 and 4. */
  #tokenProblem(security: XmlElement, nowMs: number): string | undefined {
    const token = childOf(security, WSSE, 'UsernameToken')
    const [username, password, nonce, created, ...rest] = token?.children ?? []
    const inPlace =
      username?.name === 'Username' && password?.name === 'Password' && nonce?.name === 'Nonce' && rest.length === 0
    if (!inPlace || created?.name !== 'Created' || created.namespace !== WSU) return 'no UsernameToken'
    if ([username, password, nonce].some(({ namespace }) => namespace !== WSSE)) return 'no UsernameToken'
    if (password.attributes.get('Type') !== PASSWORD_TYPE) return 'no PasswordDigest'
    if (this.locked) return 'the account is locked'
    if (username.text !== this.#options.username) return 'unknown user'
    const digest = createHash('sha1')
      .update(Buffer.from(nonce.text, 'base64'))
      .update(created.text)
      .update(this.password)
      .digest('base64')
    if (password.text !== digest) return 'wrong password'
    const ageMs = Math.abs(nowMs - Date.parse(created.text))
    if (!(ageMs <= this.#options.toleranceMs)) return `token is ${Math.round(ageMs / 1000)} s off`
    if (this.#usedNonces.has(nonce.text)) return 'nonce was used before'
    remember(this.#usedNonces, nonce.text, nowMs)
    return undefined
  }

  /** RFC 7616, 3.4. */
  #digestProblem(authorization: string, { method, uri }: LoginRequest): string | undefined {
    const field = fieldsOf(authorization)
    const nonce = field('nonce')
    const given = this.#givenNonces.get(nonce)
    if (given === undefined || this.#clock.monoMs() > given.endsMs) return 'stale'
    if (this.locked) return 'the account is locked'
    const count = Number.parseInt(field('nc'), 16)
    if (!(count > given.count)) return 'the count was used before'
    const algorithm = field('algorithm') === '' ? 'MD5' : field('algorithm')
    const hash = (...parts: readonly string[]): string =>
      createHash(algorithm === 'SHA-256' ? 'sha256' : 'md5')
        .update(parts.join(':'))
        .digest('hex')
    const wanted = hash(
      hash(this.#options.username, REALM, this.password),
      nonce,
      field('nc'),
      field('cnonce'),
      field('qop'),
      hash(method, uri),
    )
    if (field('uri') !== uri || field('realm') !== REALM) return 'another address'
    if (field('response') !== wanted || field('username') !== this.#options.username) return 'wrong password'
    given.count = count
    return undefined
  }

  #challenge(stale: boolean): Verdict {
    const nonce = Buffer.from(this.#random.bytes(16)).toString('hex')
    remember(this.#givenNonces, nonce, { endsMs: this.#clock.monoMs() + this.#options.nonceMs, count: 0 })
    const challenges = this.#options.algorithms.map(
      (algorithm) =>
        `Digest realm="${REALM}", qop="auth", nonce="${nonce}", algorithm=${algorithm}${stale ? ', stale=true' : ''}`,
    )
    return { kind: 'challenge', challenges }
  }

  #welcome(): Verdict {
    this.#wrongAtMs = []
    return { kind: 'welcome' }
  }

  #count(): void {
    this.wrong += 1
    const nowMs = this.#clock.monoMs()
    this.#wrongAtMs = [...this.#wrongAtMs, nowMs].filter((ms) => nowMs - ms < COUNTED_MS)
    const { lockAfter, lockMs } = this.#options
    if (lockAfter > 0 && this.#wrongAtMs.length >= lockAfter) this.#lockedUntilMs = nowMs + lockMs
  }
}

function fieldsOf(authorization: string): (name: string) => string {
  const all = authorization.slice('Digest '.length).matchAll(/(\w+)=(?:"([^"]*)"|([^\s,]*))/g)
  // A header is bytes, and they are UTF-8 (RFC 7616, 4).
  const text = (octets: string): string => Buffer.from(octets, 'latin1').toString('utf8')
  const values = new Map([...all].map(([, name, quoted, bare]) => [name!, text(quoted ?? bare ?? '')]))
  return (name) => values.get(name) ?? ''
}

function remember<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.set(key, value)
  const [oldest] = map.keys()
  if (map.size > NONCES_MAX && oldest !== undefined) map.delete(oldest)
}
