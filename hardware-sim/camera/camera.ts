import type { Clock } from '../../gateway/contract/clock.ts'
import type { Random } from '../../gateway/contract/io.ts'
import { deviceAnswer, IDENTITY, type Identity } from './device.ts'
import { type EventOptions, Events } from './events.ts'
import { type AnswerFault, CameraFaults } from './faults.ts'
import { encodeJpeg, hall } from './jpeg.ts'
import { type LoginOptions, Logins } from './login.ts'
import { WSSE } from './names.ts'
import { Refusal, type Request, readRequest } from './request.ts'
import { serve } from './server.ts'
import { envelope, faultEnvelope } from './soap.ts'
import type { Asked, Exchanging, Reply } from './wire.ts'
import { childOf } from './xml.ts'

export interface CameraOptions extends Partial<Omit<LoginOptions, 'username' | 'password'>>, Partial<EventOptions> {
  /** The address that it is reached at and that it names; by default 127.0.0.1. */
  readonly host?: string
  readonly port?: number
  readonly username: string
  readonly password: string
  readonly clock: Clock
  readonly random: Random
  /** Ends it. */
  readonly signal: AbortSignal
  /** How far the camera's own clock is wrong. */
  readonly skewMs?: number
  readonly identity?: Identity
  /** Older cameras know GetCapabilities only. */
  readonly knowsServices?: boolean
}

/** A camera that listens on a port. */
export interface Camera extends SimulatedCamera {
  readonly port: number
  close(): Promise<void>
}

/** A camera on a port of this machine. */
export async function startCamera(options: CameraOptions): Promise<Camera> {
  const camera = new SimulatedCamera(options)
  const { port, close } = await serve(camera, options)
  camera.port = port
  return Object.assign(camera, { close })
}

const SERVICES: Readonly<Record<string, string>> = {
  device: '/onvif/device_service',
  media: '/onvif/media_service',
  events: '/onvif/events_service',
}
/** Operations whose faults are told by a name of their own, because they are no SOAP. */
export const SNAPSHOT = 'snapshot'

/** An ONVIF camera without a wire: requests in, replies out, all time from its clock. */
export class SimulatedCamera implements Exchanging {
  readonly faults = new CameraFaults()
  /** Requests by operation, to find who hammers. */
  readonly requests = new Map<string, number>()
  port: number
  readonly #options: CameraOptions
  readonly #logins: Logins
  readonly #events: Events
  /** How far its clock is wrong. */
  #skewMs: number
  #offUntilMs = Number.NEGATIVE_INFINITY
  #startingUntilMs = Number.NEGATIVE_INFINITY
  #frame = 0

  constructor(options: CameraOptions) {
    const { clock, random, username, password, port = 80 } = options
    const { schemes = ['token'], toleranceMs = 5000, lockAfter = 0, lockMs = 300_000 } = options
    const { nonceMs = 60_000, algorithms = ['MD5'] } = options
    const { dialect = 'cell', subscriptionsMax = 4, lifetimeMaxMs = 600_000 } = options
    const { pullProlongs = true, renews = true, repeats = true, subscriptionBy = 'path' } = options
    this.#options = options
    this.port = port
    this.#skewMs = options.skewMs ?? 0
    const login = { username, password, schemes, toleranceMs, lockAfter, lockMs, nonceMs, algorithms }
    this.#logins = new Logins(login, clock, random)
    const events = { dialect, subscriptionsMax, lifetimeMaxMs, pullProlongs, renews, repeats, subscriptionBy }
    this.#events = new Events(events, clock, this.faults)
  }

  /** Logins that were wrong since it was made. */
  get wrongLogins(): number {
    return this.#logins.wrong
  }

  get locked(): boolean {
    return this.#logins.locked
  }

  /** Subscriptions that stand. */
  get subscriptions(): number {
    return this.#events.open
  }

  /** All requests together. */
  get requestCount(): number {
    return [...this.requests.values()].reduce((sum, count) => sum + count, 0)
  }

  motion(active: boolean): void {
    this.#events.move(active, this.nowMs())
  }

  /** A notification as XML, as the makers invent them. */
  notify(xml: string): void {
    this.#events.putAll(xml)
  }

  setPassword(password: string): void {
    this.#logins.password = password
  }

  setSkew(skewMs: number): void {
    this.#skewMs = skewMs
  }

  /** All subscriptions are gone without a word, as after a crash of the event service. */
  forget(): void {
    this.#events.forget()
  }

  /** Off for so long, then so long only the web server is there and every service answers HTTP 500. */
  reboot(offMs: number, startingMs = 0): void {
    this.forget()
    this.#offUntilMs = this.#options.clock.monoMs() + offMs
    this.#startingUntilMs = this.#offUntilMs + startingMs
  }

  /** The camera's own clock, ms since 1970. */
  nowMs(): number {
    return this.#options.clock.wallMs() + this.#skewMs
  }

  /** @param caller the client's signal: it may leave before it is answered */
  async exchange(asked: Asked, caller: AbortSignal): Promise<Reply> {
    const nowMs = this.#options.clock.monoMs()
    if (nowMs < this.#offUntilMs) return this.#reply(0, '', { kind: 'off' })
    const starting = nowMs < this.#startingUntilMs
    if (asked.method === 'GET') return this.#picture(asked)
    if (asked.method !== 'POST') return this.#reply(405, '')
    if (starting) return this.#reply(500, '<html><body>starting</body></html>', { kind: 'well' }, 'text/html')
    try {
      return await this.#serve(asked, caller)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      return this.#reply(error.status, faultEnvelope(error.subcode, error.message, error.status))
    }
  }

  async #serve(asked: Asked, caller: AbortSignal): Promise<Reply> {
    const request = readRequest(asked.headers['content-type'] ?? '', asked.body)
    const { operation, rule } = request
    this.requests.set(operation, (this.requests.get(operation) ?? 0) + 1)
    const planned = this.faults.take(operation)
    const refusal = this.#refusal(asked, request)
    if (rule.open !== true && refusal !== undefined) return refusal
    const instead = this.#instead(planned)
    if (instead !== undefined) return instead
    const content = await this.#answer(request, asked.path, caller)
    // What goes wrong while a question is held open hits its answer.
    const later = planned ?? this.faults.take(operation)
    const xml = envelope(content, `${rule.action.replace(/Request$/, '')}Response`)
    return this.#instead(later) ?? this.#reply(200, xml, later ?? { kind: 'well' })
  }

  /** What a fault puts in the place of an answer; undefined when it only changes how the answer goes. */
  #instead(planned: AnswerFault | undefined): Reply | undefined {
    if (planned?.kind === 'refuse') {
      const { subcode = 'Action', reason = 'busy', status = 500 } = planned
      return this.#reply(status, faultEnvelope(subcode, reason, status))
    }
    if (planned?.kind === 'status') {
      const { status, headers = {}, body = `<html><body>${planned.status}</body></html>` } = planned
      return { ...this.#reply(status, body), headers: this.#headers('text/html', headers) }
    }
    return planned?.kind === 'body' ? this.#reply(200, planned.body) : undefined
  }

  async #answer(request: Request, path: string, caller: AbortSignal): Promise<string> {
    const { operation, rule } = request
    const url = (to: string): string => this.#url(to)
    const own = SERVICES[rule.service]
    if (own !== undefined && path !== own)
      throw new Refusal('ActionNotSupported', `${operation} is not served at ${path}`, 500)
    if (operation === 'GetServices' && this.#options.knowsServices === false) {
      throw new Refusal('ActionNotSupported', 'Optional action not implemented', 500)
    }
    const toldMs = this.nowMs() + (operation === 'GetSystemDateAndTime' ? this.faults.habits.toldTimeOffMs : 0)
    const { identity = IDENTITY } = this.#options
    return (
      deviceAnswer(operation, { identity, nowMs: toldMs, url }) ??
      (await this.#events.answer(request, { path, nowMs: () => this.nowMs(), url, caller }))
    )
  }

  /** What a login that is missing or wrong is answered. */
  #refusal({ method, path, headers }: Asked, { header, rule }: Pick<Request, 'header' | 'rule'>): Reply | undefined {
    const security = childOf(header, WSSE, 'Security')
    if (rule.open === true && security === undefined) return undefined
    const login = { method, uri: path, authorization: headers.authorization, security }
    const verdict = this.#logins.judge(login, this.nowMs())
    if (verdict.kind === 'welcome') return undefined
    if (verdict.kind === 'refused') {
      return this.#reply(400, faultEnvelope('NotAuthorized', `Sender not authorized: ${verdict.reason}`, 400))
    }
    const page = '<!DOCTYPE html><html><body>401 Unauthorized</body></html>'
    const challenges = { 'www-authenticate': verdict.challenges }
    return { ...this.#reply(401, page), headers: this.#headers('text/html', challenges) }
  }

  /** A picture for whoever knows the password, by HTTP Digest as all cameras ask it here. */
  #picture({ method, path, headers }: Asked): Reply {
    if (path !== '/snapshot.jpg') return this.#reply(404, '')
    const login = { method, uri: path, authorization: headers.authorization, security: undefined }
    const verdict = this.#logins.judge(login, this.nowMs())
    if (verdict.kind !== 'welcome') {
      const challenges = verdict.kind === 'challenge' ? { 'www-authenticate': verdict.challenges } : {}
      return { ...this.#reply(401, ''), headers: this.#headers('text/plain', challenges) }
    }
    this.#frame += 1
    const picture = encodeJpeg(hall(this.#frame, this.#events.moving))
    const manner = this.faults.take(SNAPSHOT) ?? ({ kind: 'well' } as const)
    return { status: 200, headers: this.#headers('image/jpeg'), body: picture, manner }
  }

  #reply(status: number, body: string, manner: Reply['manner'] = { kind: 'well' }, type?: string): Reply {
    const headers = this.#headers(type ?? 'application/soap+xml; charset=utf-8')
    return { status, headers, body: Buffer.from(body), manner }
  }

  #headers(type: string, more: Reply['headers'] = {}): Reply['headers'] {
    return { 'content-type': type, date: new Date(this.nowMs()).toUTCString(), ...more }
  }

  #url(path: string): string {
    return `http://${this.#options.host ?? '127.0.0.1'}:${this.port}${path}`
  }
}
