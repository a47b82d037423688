import type { Clock } from '../../gateway/contract/clock.ts'
import type { CameraFaults } from './faults.ts'
import { MAKER } from './names.ts'
import { PullPoint } from './pull-point.ts'
import { Refusal, type Request } from './request.ts'
import { dateTime } from './soap.ts'
import { childOf } from './xml.ts'

/** How a camera says that something moves; makers differ. */
export type MotionDialect = 'cell' | 'alarm' | 'region' | 'hikvision'

const DIALECTS: Readonly<Record<MotionDialect, { readonly topic: string; readonly item: string }>> = {
  cell: { topic: 'tns1:RuleEngine/CellMotionDetector/Motion', item: 'IsMotion' },
  alarm: { topic: 'tns1:VideoSource/MotionAlarm', item: 'State' },
  region: { topic: 'tns1:RuleEngine/MotionRegionDetector/Motion', item: 'State' },
  hikvision: { topic: 'tns1:VideoAnalytics/tnshik:MotionAlarm', item: 'State' },
}

export interface EventOptions {
  readonly dialect: MotionDialect
  /** Pull points at the same time. */
  readonly subscriptionsMax: number
  /** A longer life is cut to this. */
  readonly lifetimeMaxMs: number
  /** Whether a pull prolongs a subscription by its timeout, as it should (ONVIF Core, 9.1.2). */
  readonly pullProlongs: boolean
  /** Whether Renew is known. */
  readonly renews: boolean
  /** Whether states are repeated at a synchronization point. */
  readonly repeats: boolean
  /** `path`: each subscription has a path of its own; `parameter`: a reference parameter, as Axis cameras do it. */
  readonly subscriptionBy: 'path' | 'parameter'
}

/** The event service: subscriptions and what is put into them. */
export class Events {
  readonly #options: EventOptions
  readonly #clock: Clock
  readonly #faults: CameraFaults
  readonly #points = new Map<number, PullPoint>()
  #lastPoint = 0
  #moving = false

  constructor(options: EventOptions, clock: Clock, faults: CameraFaults) {
    this.#options = options
    this.#clock = clock
    this.#faults = faults
  }

  get moving(): boolean {
    return this.#moving
  }

  /** Subscriptions that stand. */
  get open(): number {
    return [...this.#points.values()].filter((point) => !point.over).length
  }

  /** @param nowMs the camera's clock */
  move(active: boolean, nowMs: number): void {
    if (active === this.#moving) return
    this.#moving = active
    this.putAll(this.#motion('Changed', nowMs))
  }

  /** A notification as it stands, to everybody. */
  putAll(message: string): void {
    if (this.#faults.habits.deaf) return
    for (const point of this.#points.values()) point.put(message)
  }

  /** All subscriptions are gone, without a word. */
  forget(): void {
    for (const point of this.#points.values()) point.end()
    this.#points.clear()
  }

  /** @param caller the client's signal; it may leave while it waits */
  async answer(
    { operation, asked, header }: Request,
    { path, nowMs, url, caller }: { path: string; nowMs: () => number; url(path: string): string; caller: AbortSignal },
  ): Promise<string> {
    if (operation === 'GetEventProperties') return PROPERTIES
    const value = (name: string): string => childOf(asked, asked.namespace, name)?.text ?? ''
    if (operation === 'CreatePullPointSubscription') {
      return this.#subscribe(value('InitialTerminationTime'), nowMs(), url)
    }
    const point = this.#pointOf(path, childOf(header, MAKER, 'SubscriptionId')?.text)
    switch (operation) {
      case 'PullMessages':
        return this.#pull(point, Number(value('MessageLimit')), durationMs(value('Timeout')), nowMs, caller)
      case 'SetSynchronizationPoint':
        if (this.#options.repeats && !this.#faults.habits.deaf) point.put(this.#motion('Initialized', nowMs()))
        return '<tev:SetSynchronizationPointResponse/>'
      case 'Renew':
        if (!this.#options.renews) throw new Refusal('ActionNotSupported', 'Renew is not known', 500)
        point.endsMs = this.#clock.monoMs() + this.#lifetime(value('TerminationTime'), nowMs())
        return `<wsnt:RenewResponse>${this.#times('wsnt', point, nowMs(), 'end first')}</wsnt:RenewResponse>`
      default:
        this.#end(point)
        return '<wsnt:UnsubscribeResponse/>'
    }
  }

  /** By reference parameter or by path; a client that was told no address speaks of the newest one. */
  #pointOf(path: string, parameter: string | undefined): PullPoint {
    const named = parameter ?? /\/onvif\/events\/(\d+)$/.exec(path)?.[1]
    const anonymous = this.#faults.habits.subscriptionAddress !== undefined ? this.#lastPoint : Number.NaN
    const point = this.#points.get(named === undefined ? anonymous : Number(named))
    if (point === undefined || point.over) throw new Refusal('InvalidArgVal', 'Resource unknown', 500)
    return point
  }

  #end(point: PullPoint): void {
    if (this.#faults.habits.unsubscribeEndsAll) this.forget()
    point.end()
    this.#points.delete(point.id)
  }

  #subscribe(termination: string, nowMs: number, url: (path: string) => string): string {
    for (const [id, point] of this.#points) if (point.over) this.#points.delete(id)
    if (this.#points.size >= this.#options.subscriptionsMax) throw new Refusal('Action', 'no more subscriptions', 500)
    this.#lastPoint += 1
    const endsMs = this.#clock.monoMs() + this.#lifetime(termination === '' ? 'PT60S' : termination, nowMs)
    const point = new PullPoint(this.#lastPoint, endsMs, this.#clock)
    this.#points.set(point.id, point)
    const byPath = this.#options.subscriptionBy === 'path'
    const address =
      this.#faults.habits.subscriptionAddress ?? url(byPath ? `/onvif/events/${point.id}` : '/onvif/events')
    const parameters = byPath
      ? ''
      : `<wsa5:ReferenceParameters><sim:SubscriptionId>${point.id}</sim:SubscriptionId></wsa5:ReferenceParameters>`
    return (
      `<tev:CreatePullPointSubscriptionResponse><tev:SubscriptionReference><wsa5:Address>${address}</wsa5:Address>${parameters}` +
      `</tev:SubscriptionReference>${this.#times('wsnt', point, nowMs)}</tev:CreatePullPointSubscriptionResponse>`
    )
  }

  async #pull(
    point: PullPoint,
    limit: number,
    timeoutMs: number,
    nowMs: () => number,
    caller: AbortSignal,
  ): Promise<string> {
    const prolong = (): void => {
      if (this.#options.pullProlongs && point.endsMs > 0) {
        point.endsMs = Math.max(point.endsMs, this.#clock.monoMs() + timeoutMs)
      }
    }
    prolong()
    const messages = await point.pull(limit, this.#faults.habits.impatient ? 0 : timeoutMs, caller)
    // After its answer, too, the subscription lives for the time that the pull could have taken.
    prolong()
    if (point.endsMs === Number.NEGATIVE_INFINITY) throw new Refusal('InvalidArgVal', 'Resource unknown', 500)
    const times = this.#times('tev', point, nowMs())
    return `<tev:PullMessagesResponse>${times}${messages.join('')}</tev:PullMessagesResponse>`
  }

  #lifetime(termination: string, nowMs: number): number {
    const wantedMs = termination.startsWith('P') ? durationMs(termination) : Date.parse(termination) - nowMs
    if (!(wantedMs > 0)) throw new Refusal('InvalidArgVal', `no time to live: ${termination}`)
    return Math.min(this.#options.lifetimeMaxMs, wantedMs)
  }

  #times(prefix: 'wsnt' | 'tev', point: PullPoint, nowMs: number, order?: 'end first'): string {
    const leftMs = this.#faults.habits.endsNow ? 0 : point.endsMs - this.#clock.monoMs()
    const current = `<${prefix}:CurrentTime>${dateTime(nowMs)}</${prefix}:CurrentTime>`
    const end = `<${prefix}:TerminationTime>${dateTime(nowMs + leftMs)}</${prefix}:TerminationTime>`
    return order === undefined ? current + end : end + current
  }

  #motion(operation: 'Initialized' | 'Changed', nowMs: number): string {
    const { topic, item } = DIALECTS[this.#options.dialect]
    const state = this.#options.dialect === 'hikvision' ? String(this.#moving).toUpperCase() : String(this.#moving)
    return notification(topic, { operation, time: dateTime(nowMs), item, state })
  }
}

/** A property notification of one source (ONVIF Core, 9.5.2). */
export function notification(
  topic: string,
  { operation, time, item, state }: { operation: string; time: string; item: string; state: string },
): string {
  return (
    '<wsnt:NotificationMessage xmlns:tnshik="http://www.hikvision.com/2011/event/topics">' +
    `<wsnt:Topic Dialect="http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet">${topic}</wsnt:Topic>` +
    `<wsnt:Message><tt:Message UtcTime="${time}" PropertyOperation="${operation}"><tt:Source>` +
    '<tt:SimpleItem Name="VideoSourceConfigurationToken" Value="lens"/><tt:SimpleItem Name="Rule" Value="motion"/></tt:Source>' +
    `<tt:Data><tt:SimpleItem Name="${item}" Value="${state}"/></tt:Data></tt:Message></wsnt:Message></wsnt:NotificationMessage>`
  )
}

const PROPERTIES =
  '<tev:GetEventPropertiesResponse><tev:TopicNamespaceLocation>http://www.onvif.org/onvif/ver10/topics/topicns.xml</tev:TopicNamespaceLocation>' +
  '<wsnt:FixedTopicSet>true</wsnt:FixedTopicSet><wstop:TopicSet xmlns:wstop="http://docs.oasis-open.org/wsn/t-1">' +
  '<tns1:RuleEngine><CellMotionDetector><Motion wstop:topic="true"/></CellMotionDetector></tns1:RuleEngine></wstop:TopicSet>' +
  '</tev:GetEventPropertiesResponse>'

/** xs:duration of days to seconds; the request was checked to be one. */
function durationMs(text: string): number {
  const parts = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?)?$/.exec(text)
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = (parts ?? []).slice(1).map((part) => Number(part ?? 0))
  return ((days * 24 + hours) * 60 + minutes) * 60_000 + seconds * 1000
}
