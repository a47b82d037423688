import type { Clock } from '../../gateway/contract/clock.ts'
import { Fault } from '../../gateway/contract/fault.ts'
import type { Io } from '../../gateway/contract/io.ts'
import { decodeNotifications, durationText, type Notification } from './codec/event.ts'
import { decodeAnswer, encodeEnvelope, type Login } from './codec/soap.ts'
import { type Element, find, text } from './codec/xml.ts'

/** The longest answer that is read; a page of notifications is a few kilobytes. */
const ANSWER_BYTES_MAX = 1_000_000
const MESSAGES_MAX = 100
/** A subscription that is not renewed ends after so long. */
const LIFETIME_MS = 60_000
const EVENTS = 'http://www.onvif.org/ver10/events/wsdl'
const NOTIFICATION = 'http://docs.oasis-open.org/wsn/bw-2'
const DEVICE = 'http://www.onvif.org/ver10/device/wsdl'

/** Where a subscription is spoken to; `parameters` go back to the camera as headers in some dialects. */
export interface Subscription {
  readonly path: string
}

export interface CameraParts {
  readonly host: string
  readonly port: number
  readonly login: Login
  readonly timeoutMs: number
  readonly clock: Clock
  readonly io: Pick<Io, 'http' | 'random'>
  readonly signal: AbortSignal
}

/** Our own SOAP calls to one camera, signed by the camera's own clock. */
export class Camera {
  readonly #parts: CameraParts
  /** Camera time minus our monotonic time. */
  #clockOffsetMs: number | undefined

  constructor(parts: CameraParts) {
    this.#parts = parts
  }

  /** Learn the camera's clock; it must be told without a login (ONVIF Core, 8.3.5). */
  async learnClock(): Promise<void> {
    const body = await this.#ask(
      '/onvif/device_service',
      `${DEVICE}/GetSystemDateAndTime`,
      `<GetSystemDateAndTime xmlns="${DEVICE}"/>`,
      false,
    )
    const said = find(body, 'GetSystemDateAndTimeResponse', 'SystemDateAndTime')
    const time = find(said, 'UTCDateTime') ?? find(said, 'LocalDateTime')
    const number = (...path: string[]): number => Number(text(find(time, ...path)))
    const [date, clock] = [
      [number('Date', 'Year'), number('Date', 'Month') - 1, number('Date', 'Day')],
      [number('Time', 'Hour'), number('Time', 'Minute'), number('Time', 'Second')],
    ]
    const ms = Date.UTC(date[0]!, date[1]!, date[2]!, clock[0]!, clock[1]!, clock[2]!)
    this.#clockOffsetMs = (Number.isFinite(ms) ? ms : this.#parts.clock.wallMs()) - this.#parts.clock.monoMs()
  }

  async subscribe(eventsPath: string): Promise<Subscription> {
    const lifetime = `<InitialTerminationTime>${durationText(LIFETIME_MS)}</InitialTerminationTime>`
    const body = await this.#ask(
      eventsPath,
      `${EVENTS}/EventPortType/CreatePullPointSubscriptionRequest`,
      `<CreatePullPointSubscription xmlns="${EVENTS}">${lifetime}</CreatePullPointSubscription>`,
    )
    const address = text(find(body, 'CreatePullPointSubscriptionResponse', 'SubscriptionReference', 'Address'))
    return { path: this.#pathOf(address, eventsPath) }
  }

  /** Ask for the state that is there now; cameras without it say so, and that is no fault. */
  async synchronize({ path }: Subscription): Promise<void> {
    const action = `${EVENTS}/PullPointSubscription/SetSynchronizationPointRequest`
    await this.#ask(path, action, `<SetSynchronizationPoint xmlns="${EVENTS}"/>`).catch(unlessRefused)
  }

  /** The next notifications; none after `waitMs` in which nothing happened. */
  async pull({ path }: Subscription, waitMs: number): Promise<Notification[]> {
    const body = await this.#ask(
      path,
      `${EVENTS}/PullPointSubscription/PullMessagesRequest`,
      `<PullMessages xmlns="${EVENTS}"><Timeout>${durationText(waitMs)}</Timeout><MessageLimit>${MESSAGES_MAX}</MessageLimit></PullMessages>`,
      true,
      waitMs,
    )
    if (find(body, 'PullMessagesResponse') === undefined) {
      throw new Fault('connection', 'the camera answers a question for events with something else', { code: 'soap' })
    }
    return decodeNotifications(body)
  }

  /** Some cameras prolong by themselves with each pull and refuse this. */
  async renew({ path }: Subscription): Promise<void> {
    const time = `<TerminationTime>${durationText(LIFETIME_MS)}</TerminationTime>`
    await this.#ask(
      path,
      `${NOTIFICATION}/SubscriptionManager/RenewRequest`,
      `<Renew xmlns="${NOTIFICATION}">${time}</Renew>`,
    ).catch(unlessRefused)
  }

  /** Also after the end of the connection: the camera is told goodbye. */
  async unsubscribe({ path }: Subscription): Promise<void> {
    const farewell = new Camera({ ...this.#parts, signal: new AbortController().signal })
    farewell.#clockOffsetMs = this.#clockOffsetMs
    const action = `${NOTIFICATION}/SubscriptionManager/UnsubscribeRequest`
    await farewell.#ask(path, action, `<Unsubscribe xmlns="${NOTIFICATION}"/>`).catch(unlessRefused)
  }

  /** Half of the time after which an unrenewed subscription ends. */
  get renewEveryMs(): number {
    return LIFETIME_MS / 2
  }

  /** Only the path is taken from what a camera says: it may name an address behind a router, or somebody else's. */
  #pathOf(address: string, otherwise: string): string {
    if (address === '' || !URL.canParse(address)) return otherwise
    const { pathname, search } = new URL(address)
    return pathname + search
  }

  async #ask(path: string, action: string, body: string, signed = true, waitMs = 0): Promise<Element> {
    const { host, port, timeoutMs, io, signal } = this.#parts
    const url = `http://${host}:${port}${path}`
    const messageId = `urn:uuid:${uuid(io.random.bytes(16))}`
    const message = encodeEnvelope({
      action,
      to: url,
      body,
      messageId,
      ...(signed ? { login: this.#signature() } : {}),
    })
    const answer = await io.http.request(
      {
        method: 'POST',
        url,
        headers: { 'content-type': `application/soap+xml; charset=utf-8; action="${action}"` },
        body: message,
        timeoutMs: timeoutMs + waitMs,
        bytesMax: ANSWER_BYTES_MAX,
      },
      signal,
    )
    return decodeAnswer(answer.status, answer.body)
  }

  #signature(): Login & { nonce: Uint8Array; created: string } {
    const { login, clock, io } = this.#parts
    const nowMs = this.#clockOffsetMs === undefined ? clock.wallMs() : clock.monoMs() + this.#clockOffsetMs
    return { ...login, nonce: io.random.bytes(16), created: new Date(nowMs).toISOString().replace(/\.\d+Z/, 'Z') }
  }
}

function unlessRefused(error: unknown): void {
  if (error instanceof Fault && error.code === 'soap') return
  throw error
}

/** Version 4 (RFC 9562, 5.4). */
function uuid(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}
