import type { Clock } from '../../gateway/contract/clock.ts'
import { type Fault, isFault } from '../../gateway/contract/fault.ts'
import type { HttpAnswer, Io } from '../../gateway/contract/io.ts'
import { type Place, urlOf } from './codec/address.ts'
import { type Challenge, decodeChallenge, encodeAuthorization } from './codec/digest.ts'
import { decodeAnswer, type Envelope, encodeEnvelope, type Login, type Signature } from './codec/soap.ts'
import { decodeCameraTime, encodeDateTime } from './codec/time.ts'
import type { Element } from './codec/xml.ts'

/** The longest answer that is read; a page of notifications is a few kilobytes. */
const ANSWER_BYTES_MAX = 1_000_000
/** A camera's clock that was wrong by less did not make it refuse a login; the strictest allow 5 s. */
const CLOCK_MOVED_MS = 1000
const DEVICE = 'http://www.onvif.org/ver10/device/wsdl'

export interface ExchangeParts {
  /** Where the device service answers. */
  readonly device: Place
  readonly login: Login
  readonly timeoutMs: number
  readonly clock: Clock
  readonly io: Pick<Io, 'http' | 'random'>
  readonly signal: AbortSignal
}

export interface Question {
  readonly place: Place
  /** The name of the message: its namespace and operation, or what the WSDL calls it. */
  readonly action: string
  readonly body: string
  readonly addressing?: Envelope['addressing']
  /** How long the camera may think beyond the usual. */
  readonly waitMs?: number
}

export interface Answer {
  readonly body: Element
  readonly bytes: Uint8Array
}

/** How a login is proved. `token`: WS-UsernameToken; `digest`: HTTP Digest; `none`: not at all. */
type Proof =
  | { readonly by: 'token' }
  | { readonly by: 'digest'; readonly challenge: Challenge }
  | { readonly by: 'none' }

/**
 * SOAP over HTTP with one camera. A login is proved in the camera's own time, first by WS-UsernameToken, and by HTTP
 * Digest once the camera asked for that. What a refusal may mean other than a wrong password is tried out with as few
 * wrong logins as can be, because cameras lock the account: never more than three for one question.
 */
export class Exchange {
  readonly #parts: ExchangeParts
  #proof: Proof = { by: 'token' }
  #nonceUses = 0
  /** Camera time minus our monotonic time. */
  #offsetMs: number | undefined
  #requests = 0

  constructor(parts: ExchangeParts) {
    this.#parts = parts
  }

  /** How many HTTP requests were made. */
  get requests(): number {
    return this.#requests
  }

  /** The same login and clock for a life of its own, such as saying goodbye after the end. */
  withSignal(signal: AbortSignal): Exchange {
    const other = new Exchange({ ...this.#parts, signal })
    other.#proof = this.#proof
    other.#nonceUses = this.#nonceUses
    other.#offsetMs = this.#offsetMs
    return other
  }

  /**
   * Learn the camera's clock; it must be told without a login (ONVIF Core, 8.3.5). A camera that does not tell it is
   * believed to have ours.
   * @throws Fault when nobody, or no camera, answers
   */
  async learnClock(): Promise<void> {
    const body = `<GetSystemDateAndTime xmlns="${DEVICE}"/>`
    const question = { place: this.#parts.device, action: `${DEVICE}/GetSystemDateAndTime`, body }
    const answer = await this.#send(question, { by: 'none' })
    let saidMs: number | undefined
    try {
      saidMs = decodeCameraTime(decodeAnswer(answer.status, answer.body))
    } catch (error) {
      // Panasonic wants a login even for this; then its time can only be guessed.
      if (!isRefusal(error)) throw error
      saidMs = dateOf(answer)
    }
    this.#setClock(saidMs ?? this.#parts.clock.wallMs())
  }

  /**
   * Ask, with the login.
   * @throws Fault of `decodeAnswer`, or of the HTTP side
   */
  async ask(question: Question): Promise<Answer> {
    const answer = await this.#send(question, this.#proof)
    const first = read(answer)
    if (first.refused === undefined) return first
    for await (const proof of this.#otherProofs(question, answer)) {
      const next = read(await this.#send(question, proof))
      if (next.refused === undefined) {
        this.#proof = proof
        return next
      }
    }
    throw first.refused
  }

  /** What else a refusal may have been about, each with the proof that would show it. */
  async *#otherProofs(question: Question, refusal: HttpAnswer): AsyncGenerator<Proof> {
    const challenge = challengeOf(refusal)
    if (this.#proof.by === 'digest') {
      // The nonce was too old: not every camera says `stale`.
      if (challenge !== undefined && challenge.nonce !== this.#proof.challenge.nonce) yield digest(challenge)
      return
    }
    if (challenge !== undefined) return void (yield digest(challenge))
    // Its clock was set, or it was started without one.
    if (await this.#clockMoved()) yield { by: 'token' }
    const asked = challengeOf(await this.#send(question, { by: 'none' }))
    if (asked !== undefined) return void (yield digest(asked))
    // It tells local time as UTC; its web server knows better.
    const dateMs = dateOf(refusal)
    if (dateMs !== undefined && Math.abs(dateMs - this.#nowMs()) > CLOCK_MOVED_MS) {
      this.#setClock(dateMs)
      yield { by: 'token' }
    }
  }

  async #clockMoved(): Promise<boolean> {
    const beforeMs = this.#offsetMs
    await this.learnClock()
    return beforeMs === undefined || Math.abs((this.#offsetMs ?? beforeMs) - beforeMs) > CLOCK_MOVED_MS
  }

  #setClock(ms: number): void {
    this.#offsetMs = ms - this.#parts.clock.monoMs()
  }

  #nowMs(): number {
    const { clock } = this.#parts
    return this.#offsetMs === undefined ? clock.wallMs() : clock.monoMs() + this.#offsetMs
  }

  #send({ place, action, body, addressing, waitMs = 0 }: Question, proof: Proof): Promise<HttpAnswer> {
    const { timeoutMs, io, signal } = this.#parts
    const signature = proof.by === 'token' ? { signature: this.#signature() } : {}
    const headers = {
      'content-type': `application/soap+xml; charset=utf-8; action="${action}"`,
      ...(proof.by === 'digest' ? { authorization: this.#authorization(proof.challenge, place.path) } : {}),
    }
    this.#requests += 1
    return io.http.request(
      {
        method: 'POST',
        url: urlOf(place),
        headers,
        body: encodeEnvelope({ body, ...(addressing === undefined ? {} : { addressing }), ...signature }),
        timeoutMs: timeoutMs + waitMs,
        bytesMax: ANSWER_BYTES_MAX,
      },
      signal,
    )
  }

  #signature(): Signature {
    const { login, io } = this.#parts
    return { ...login, nonce: io.random.bytes(16), created: encodeDateTime(this.#nowMs()) }
  }

  #authorization(challenge: Challenge, uri: string): string {
    const known = this.#proof.by === 'digest' && this.#proof.challenge.nonce === challenge.nonce
    this.#nonceUses = known ? this.#nonceUses + 1 : 1
    const cnonce = Buffer.from(this.#parts.io.random.bytes(16)).toString('hex')
    return encodeAuthorization(challenge, this.#parts.login, { method: 'POST', uri, count: this.#nonceUses, cnonce })
  }
}

function digest(challenge: Challenge): Proof {
  return { by: 'digest', challenge }
}

function read({ status, body }: HttpAnswer): Answer & { readonly refused?: Fault } {
  try {
    return { body: decodeAnswer(status, body), bytes: body }
  } catch (error) {
    if (isRefusal(error)) return { body: {}, bytes: body, refused: error }
    throw error
  }
}

function isRefusal(error: unknown): error is Fault {
  return isFault(error) && error.code === 'denied'
}

function challengeOf({ status, headers }: HttpAnswer): Challenge | undefined {
  return status === 401 ? decodeChallenge(headers['www-authenticate'] ?? '') : undefined
}

/** The Date of the web server (RFC 9110, 6.6.1). */
function dateOf({ headers }: HttpAnswer): number | undefined {
  const ms = Date.parse(headers.date ?? '')
  return Number.isNaN(ms) ? undefined : ms
}
