import { Fault, isFault } from '../../gateway/contract/fault.ts'
import type { Random } from '../../gateway/contract/io.ts'
import { type Place, placeOf, referenceParameters, urlOf } from './codec/address.ts'
import { decodeNotifications, type Notification } from './codec/event.ts'
import { decodeRenewal, decodeSubscription } from './codec/subscription.ts'
import { encodeDuration } from './codec/time.ts'
import { find, text } from './codec/xml.ts'
import type { Answer, Exchange, Question } from './exchange.ts'

/** What a camera says of itself. All texts: as a number a serial number would lose its zeros. */
export interface CameraInfo {
  readonly maker: string
  readonly model: string
  readonly firmware: string
  readonly serial: string
  readonly hardware: string
}

/** A subscription as the camera wants to be reminded of it. */
export interface Subscription {
  readonly place: Place
  /** The address as the camera wrote it, for the To header; ours where it wrote none. */
  readonly to: string
  readonly parameters: string
  /** How long it lives unless it is renewed. */
  readonly lifetimeMs: number
}

/** Notifications of one answer at the most; more wait in the camera for the next question. */
const MESSAGES_MAX = 50
/** A subscription that is not renewed ends after so long: short, because a hub that lost power can't give it back. */
const LIFETIME_MS = 60_000
const LIFETIME_MAX_MS = 3_600_000
const TEXT_CHARACTERS_MAX = 200

const DEVICE = 'http://www.onvif.org/ver10/device/wsdl'
const EVENTS = 'http://www.onvif.org/ver10/events/wsdl'
/** Messages of WS-BaseNotification are in one namespace, their actions in another (WS-BaseNotification 1.3, 6 and 7). */
const NOTIFICATION = 'http://docs.oasis-open.org/wsn/b-2'
const MANAGER = 'http://docs.oasis-open.org/wsn/bw-2/SubscriptionManager'
const PULL_POINT = `${EVENTS}/PullPointSubscription`

/** The calls that we make to a camera ourselves (ONVIF Core, 8.1 and 9). */
export class Camera {
  readonly #exchange: Exchange
  readonly #device: Place
  readonly #random: Random

  constructor(exchange: Exchange, device: Place, random: Random) {
    this.#exchange = exchange
    this.#device = device
    this.#random = random
  }

  /** Who it is. It needs the login, so that an answer shows that the login is right. */
  async information(): Promise<CameraInfo> {
    const action = `${DEVICE}/GetDeviceInformation`
    const { body } = await this.#exchange.ask({
      place: this.#device,
      action,
      body: `<GetDeviceInformation xmlns="${DEVICE}"/>`,
    })
    const said = find(body, 'GetDeviceInformationResponse')
    if (said === undefined) throw strange('GetDeviceInformation')
    const field = (name: string): string => text(find(said, name)).slice(0, TEXT_CHARACTERS_MAX)
    return {
      maker: field('Manufacturer'),
      model: field('Model'),
      firmware: field('FirmwareVersion'),
      serial: field('SerialNumber'),
      hardware: field('HardwareId'),
    }
  }

  async subscribe(events: Place): Promise<Subscription> {
    const time = `<InitialTerminationTime>${encodeDuration(LIFETIME_MS)}</InitialTerminationTime>`
    const answer = await this.#ask(
      { place: events, to: urlOf(events), parameters: '' },
      `${EVENTS}/EventPortType/CreatePullPointSubscriptionRequest`,
      `<CreatePullPointSubscription xmlns="${EVENTS}">${time}</CreatePullPointSubscription>`,
    )
    const granted = decodeSubscription(answer.body)
    if (granted === undefined) throw strange('CreatePullPointSubscription')
    const { address, lifetimeMs } = granted
    // An address that can't be used (empty, a urn) means the event service itself.
    const place = placeOf(address, this.#device) ?? events
    return {
      place,
      to: address === '' ? urlOf(place) : address,
      parameters: referenceParameters(Buffer.from(answer.bytes).toString('utf8')),
      lifetimeMs: sensible(lifetimeMs),
    }
  }

  /** Have it repeat the states that are there. False when the camera knows no such thing. */
  synchronize(subscription: Subscription): Promise<boolean> {
    const body = `<SetSynchronizationPoint xmlns="${EVENTS}"/>`
    return unlessRefused(this.#ask(subscription, `${PULL_POINT}/SetSynchronizationPointRequest`, body))
  }

  /** The next notifications; none after `waitMs` in which nothing happened. */
  async pull(subscription: Subscription, waitMs: number): Promise<Notification[]> {
    const limits = `<Timeout>${encodeDuration(waitMs)}</Timeout><MessageLimit>${MESSAGES_MAX}</MessageLimit>`
    const body = `<PullMessages xmlns="${EVENTS}">${limits}</PullMessages>`
    const answer = await this.#ask(subscription, `${PULL_POINT}/PullMessagesRequest`, body, waitMs)
    const notifications = decodeNotifications(answer.body)
    if (notifications === undefined) throw strange('PullMessages')
    return notifications
  }

  /** How long it lives from now on; undefined when the camera refuses, because some prolong with each pull instead. */
  async renew(subscription: Subscription): Promise<number | undefined> {
    const time = `<TerminationTime>${encodeDuration(LIFETIME_MS)}</TerminationTime>`
    let lifetimeMs: number | undefined
    const renewed = this.#ask(subscription, `${MANAGER}/RenewRequest`, `<Renew xmlns="${NOTIFICATION}">${time}</Renew>`)
    const taken = await unlessRefused(
      renewed.then(({ body }) => {
        lifetimeMs = decodeRenewal(body)
      }),
    )
    return taken ? sensible(lifetimeMs) : undefined
  }

  /** Give it back: few fit into a camera. False when the camera knows it no more. */
  unsubscribe(subscription: Subscription): Promise<boolean> {
    return unlessRefused(
      this.#ask(subscription, `${MANAGER}/UnsubscribeRequest`, `<Unsubscribe xmlns="${NOTIFICATION}"/>`),
    )
  }

  #ask(
    { place, to, parameters }: Pick<Subscription, 'place' | 'to' | 'parameters'>,
    action: string,
    body: string,
    waitMs = 0,
  ): Promise<Answer> {
    const messageId = `urn:uuid:${uuid(this.#random.bytes(16))}`
    const question: Question = { place, action, body, addressing: { action, to, messageId, parameters }, waitMs }
    return this.#exchange.ask(question)
  }
}

function sensible(lifetimeMs: number | undefined): number {
  return Math.min(lifetimeMs ?? LIFETIME_MS, LIFETIME_MAX_MS)
}

function strange(operation: string): Fault {
  return new Fault('connection', `the camera answers ${operation} with something else`, { code: 'strange' })
}

async function unlessRefused(asked: Promise<unknown>): Promise<boolean> {
  try {
    await asked
    return true
  } catch (error) {
    if (isFault(error) && error.code === 'refused') return false
    throw error
  }
}

/** Version 4 (RFC 9562, 5.4). */
function uuid(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}
