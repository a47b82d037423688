import type { Driver, Host } from '../../gateway/contract/driver.ts'
import type { Seen } from '../../gateway/contract/event.ts'
import { isFault } from '../../gateway/contract/fault.ts'
import { Camera, type Subscription } from './camera.ts'
import { motionOf, type Notification } from './codec/event.ts'
import { askWhoItIs } from './library.ts'
import { type OnvifOptions, onvifOptions } from './options.ts'

/** Between two pulls that brought nothing at once: a camera that does not hold the question open is not hammered. */
const PULL_PAUSE_MS = 250
/** After a wrong login the next try waits for so long, however impatient the supervisor: cameras lock the account. */
const DENIED_PAUSE_MS = 60_000

/** A camera: its connection is its device. */
export const onvif: Driver<OnvifOptions> = {
  kind: 'onvif',
  options: onvifOptions,
  devices: (_options, connection) => [connection],

  async run(host) {
    const { host: address, port, username, password, timeout } = host.options.onvif
    const login = { username, password: await host.io.secrets.load(password.secret) }
    try {
      const { info, eventsPath } = await askWhoItIs({ host: address, port, ...login, timeoutMs: timeout })
      host.signal.throwIfAborted()
      await host.emit([seen(host, 'linli.camera.info', { ...info })])
      const parts = {
        host: address,
        port,
        login,
        timeoutMs: timeout,
        clock: host.clock,
        io: host.io,
        signal: host.signal,
      }
      const camera = new Camera(parts)
      await camera.learnClock()
      await listen(host, camera, eventsPath)
    } catch (error) {
      if (isFault(error) && error.code === 'denied')
        await host.clock.sleep(DENIED_PAUSE_MS * (1 + host.io.random.next()), host.signal)
      throw error
    }
  },
}

/** Hear the camera until it fails or the signal aborts. The time from the last word to the fault was a blind one. */
async function listen(host: Host<OnvifOptions>, camera: Camera, eventsPath: string): Promise<void> {
  const subscription = await camera.subscribe(eventsPath)
  let heardMs = host.clock.monoMs()
  try {
    await camera.synchronize(subscription)
    await pull(host, camera, subscription, () => {
      heardMs = host.clock.monoMs()
    })
  } catch (error) {
    if (isFault(error) && !host.signal.aborted) {
      const blindMs = host.clock.monoMs() - heardMs
      const from = new Date(host.clock.wallMs() - blindMs).toISOString()
      await host.emit([seen(host, 'linli.camera.blind', { from, reason: error.message }, 'alarm')])
    }
    throw error
  } finally {
    // Few subscriptions fit into a camera: one that is not needed is given back, if it still listens.
    await camera
      .unsubscribe(subscription)
      .catch((error) => host.log.debug('the subscription was not given back', { error }))
  }
}

async function pull(
  host: Host<OnvifOptions>,
  camera: Camera,
  subscription: Subscription,
  heard: () => void,
): Promise<void> {
  const { clock, signal } = host
  let renewMs = clock.monoMs() + camera.renewEveryMs
  while (!signal.aborted) {
    const askedMs = clock.monoMs()
    // No question is held open beyond the next renewal.
    const waitMs = Math.max(1000, Math.min(host.options.onvif.pull, renewMs - askedMs))
    const notifications = await camera.pull(subscription, waitMs)
    heard()
    const events = notifications.flatMap((notification) => eventOf(host, notification))
    if (events.length > 0) await host.emit(events)
    if (clock.monoMs() >= renewMs) {
      await camera.renew(subscription)
      renewMs = clock.monoMs() + camera.renewEveryMs
    }
    if (clock.monoMs() - askedMs < PULL_PAUSE_MS) await clock.sleep(PULL_PAUSE_MS, signal)
  }
}

function eventOf(host: Host<OnvifOptions>, notification: Notification): Seen[] {
  const active = motionOf(notification)
  if (active === undefined || notification.operation === 'deleted') return []
  const { topic, source, utcTime } = notification
  // A state that was there before we came is no new movement.
  const initial = notification.operation === 'initialized'
  return [
    seen(
      host,
      'linli.camera.motion',
      { active, ...(initial ? { initial } : {}), topic, source, cameraTime: utcTime },
      'status',
      'personal',
    ),
  ]
}

function seen(
  host: Host<OnvifOptions>,
  type: string,
  data: Seen['data'],
  eventClass: Seen['class'] = 'status',
  privacy: Seen['privacy'] = 'public',
): Seen {
  return { device: host.connection, type, class: eventClass, privacy, monoMs: host.clock.monoMs(), data }
}
