import type { Host } from '../../gateway/contract/driver.ts'
import type { Seen } from '../../gateway/contract/event.ts'
import { Fault, isFault } from '../../gateway/contract/fault.ts'
import type { Camera, Subscription } from './camera.ts'
import type { Place } from './codec/address.ts'
import type { Notification } from './codec/event.ts'
import { meaningOf } from './codec/topic.ts'
import type { Deafness } from './deafness.ts'
import type { Exchange } from './exchange.ts'
import type { OnvifOptions } from './options.ts'
import { type Brought, QuietTest } from './quiet-test.ts'
import { States } from './states.ts'

/** From one pull to the next, when it brought something and when not: no camera makes us ask in a hot loop. */
const PULL_EVERY_MIN_MS = { full: 50, empty: 500 } as const
/** A state that the camera was told to repeat comes at once. */
const TEST_WAIT_MS = 5000
/** A subscription that stood so long was a good one: the next is made at once, without a restart of the connection. */
const STOOD_MS = 10_000
/** ... within so long, by chance, because cameras behind one switch lose their subscriptions together. */
const AGAIN_WITHIN_MS = 1000
const WAIT_MIN_MS = 1000
/** How long the goodbye to a camera may take: a hub that is told to stop stops. */
const FAREWELL_MS = 800

/** What happened since the connection was started, for the metrics. */
interface Account {
  subscriptions: number
  pulls: number
  notifications: number
  /** Notifications about what our vocabulary has no word for. */
  unknownTopics: number
}

/** What is learned of a camera and stays true in its next life. */
export interface Habits {
  /** Whether it repeats its states when told to; undefined as long as it is not known. */
  repeats: boolean | undefined
}

export interface HearingParts {
  readonly host: Host<OnvifOptions>
  readonly camera: Camera
  /** The same camera in a life of its own, to give a subscription back after the end of the connection's. */
  readonly farewell: (signal: AbortSignal) => Camera
  readonly events: Place
  readonly deafness: Deafness
  readonly habits: Habits
  readonly exchange: Exchange
}

/** Hear a camera until it fails or the signal aborts; a good subscription that ends is followed by another. */
export async function hear(parts: HearingParts): Promise<void> {
  const { host, exchange } = parts
  const { clock, io, signal } = host
  const account: Account = { subscriptions: 0, pulls: 0, notifications: 0, unknownTopics: 0 }
  while (!signal.aborted) {
    await hearOnce(parts, account)
    await clock.sleep(AGAIN_WITHIN_MS * io.random.next(), signal)
    // A camera that was started anew may have its clock set back.
    await exchange.learnClock()
  }
}

/** What is known of one subscription. */
interface Ears {
  readonly subscribedMs: number
  /** The last moment at which something was heard, for the span that a fault begins. */
  heardMs: number
  /** Whether it was seen to hear. */
  hearing: boolean
}

/**
 * One subscription, from its making to its end.
 * @throws Fault when it did not stand for long, or when the camera refuses the login
 */
async function hearOnce(parts: HearingParts, account: Account): Promise<void> {
  const { host, camera, farewell, events, deafness } = parts
  const { clock, signal, log } = host
  const subscription = await camera.subscribe(events)
  account.subscriptions += 1
  const ears: Ears = { subscribedMs: clock.monoMs(), heardMs: clock.monoMs(), hearing: false }
  try {
    await pullAll(parts, subscription, ears, account)
  } catch (error) {
    if (!isFault(error) || signal.aborted) throw error
    deafness.begin(ears.heardMs, error)
    if (error.code === 'denied' || clock.monoMs() - ears.subscribedMs < STOOD_MS) throw error
    if (!ears.hearing) await tellDeaf(host, deafness, error)
    log.debug(`subscription lost, and made again: ${error.message}`, { code: error.code })
  } finally {
    await giveBack(host, farewell, subscription)
  }
}

async function pullAll(parts: HearingParts, subscription: Subscription, ears: Ears, account: Account): Promise<void> {
  const { host, camera, exchange, habits } = parts
  const { clock, signal } = host
  const { pull, quiet } = host.options.onvif
  const states = new States()
  const test = new QuietTest(clock.monoMs(), quiet, habits.repeats)
  let renewMs = clock.monoMs() + subscription.lifetimeMs / 2
  if (clock.monoMs() < test.dueMs) await camera.synchronize(subscription)
  for (let first = true; !signal.aborted; first = false) {
    if (clock.monoMs() >= renewMs) {
      const lifetimeMs = await camera.renew(subscription)
      // One that knows no Renew prolongs with each pull, by the time that the pull may take.
      renewMs = lifetimeMs === undefined ? Number.POSITIVE_INFINITY : clock.monoMs() + lifetimeMs / 2
    }
    if (clock.monoMs() >= test.dueMs) test.asked(await camera.synchronize(subscription))
    const askedMs = clock.monoMs()
    // No question is held open beyond the next renewal or test.
    const shortMs = test.running ? TEST_WAIT_MS : first ? WAIT_MIN_MS : pull
    const patientMs = test.running ? shortMs : Math.min(shortMs, test.dueMs - askedMs)
    const waitMs = Math.max(WAIT_MIN_MS, Math.min(patientMs, renewMs - askedMs))
    const notifications = await camera.pull(subscription, waitMs)
    ears.heardMs = clock.monoMs()
    const brought = broughtBy(notifications)
    if (test.heard(ears.heardMs, brought)) {
      ears.heardMs = test.aliveMs
      throw new Fault('connection', 'the camera confirms its subscription, and events no longer come', { code: 'deaf' })
    }
    habits.repeats = test.repeats
    if (brought.any || habits.repeats !== true) await tellHearing(parts, ears)
    const news = notifications.flatMap((notification) => states.take(notification) ?? [])
    if (news.length > 0) {
      await host.emit(news.map(({ type, data }) => seen(host, type, data, 'status', 'personal')))
    }
    account.pulls += 1
    account.notifications += notifications.length
    account.unknownTopics += notifications.filter((notification) => meaningOf(notification) === undefined).length
    host.figures({ requests: exchange.requests, ...account })
    const restMs = PULL_EVERY_MIN_MS[brought.any ? 'full' : 'empty'] - (clock.monoMs() - askedMs)
    if (restMs > 0) await clock.sleep(restMs, signal)
  }
}

function broughtBy(notifications: readonly Notification[]): Brought {
  return {
    any: notifications.length > 0,
    states: notifications.some(({ operation }) => operation === 'initialized'),
  }
}

/**
 * Only an answered pull shows that a camera is heard. What happened since the subscription waited in the camera; of one
 * that was told to repeat its states, and could have been deaf, only what came since is sure.
 */
async function tellHearing({ host, deafness, habits }: HearingParts, ears: Ears): Promise<void> {
  if (ears.hearing) return
  ears.hearing = true
  const span = deafness.end(host.clock, habits.repeats === true ? ears.heardMs : ears.subscribedMs)
  host.mark(host.connection, undefined)
  if (span !== undefined) await host.emit([seen(host, 'linli.camera.blind', span, 'alarm')])
}

/** A deaf time that lasts is told while it lasts, once. */
export async function tellDeaf(host: Host<OnvifOptions>, deafness: Deafness, fault: Fault): Promise<void> {
  // Marked also, because a connection that waits before its next try looks as if it ran.
  host.mark(host.connection, fault)
  const span = deafness.announce(host.clock)
  if (span !== undefined) await host.emit([seen(host, 'linli.camera.blind', span, 'alarm')])
}

/** Few subscriptions fit into a camera. One that is gone, or a camera that is, ends it by itself. */
async function giveBack(
  { clock, log }: Host<OnvifOptions>,
  farewell: HearingParts['farewell'],
  subscription: Subscription,
): Promise<void> {
  const ending = new AbortController()
  const cancel = clock.after(FAREWELL_MS, () =>
    ending.abort(new Fault('connection', 'no time left', { code: 'timeout' })),
  )
  try {
    await farewell(ending.signal).unsubscribe(subscription)
  } catch (error) {
    if (!isFault(error)) throw error
    log.debug(`subscription not given back: ${error.message}`, { code: error.code })
  } finally {
    cancel()
  }
}

/** An event of the camera, seen now. */
export function seen(
  host: Pick<Host<OnvifOptions>, 'connection' | 'clock'>,
  type: string,
  data: Seen['data'],
  eventClass: Seen['class'] = 'status',
  privacy: Seen['privacy'] = 'public',
): Seen {
  return { device: host.connection, type, class: eventClass, privacy, monoMs: host.clock.monoMs(), data }
}
