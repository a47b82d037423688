import type { Driver, Host } from '../../gateway/contract/driver.ts'
import { Fault, isFault } from '../../gateway/contract/fault.ts'
import { Camera } from './camera.ts'
import type { Place } from './codec/address.ts'
import { Deafness } from './deafness.ts'
import { Exchange } from './exchange.ts'
import { type Habits, hear, seen, tellDeaf } from './hearing.ts'
import { askServices } from './library.ts'
import { type OnvifOptions, onvifOptions } from './options.ts'
import { Patience } from './patience.ts'

/** Where every camera has its device service (ONVIF Core, 5.1.1.1). */
const DEVICE_SERVICE = '/onvif/device_service'

/** What one life of a connection leaves to the next. */
interface Past {
  readonly deafness: Deafness
  readonly patience: Patience
  readonly habits: Habits
}
/** By the options, which are the same object in all lives of a connection, and another one when they were changed. */
const pasts = new WeakMap<OnvifOptions, Past>()

/** A camera: its connection is its device. */
export const onvif: Driver<OnvifOptions> = {
  kind: 'onvif',
  options: onvifOptions,
  devices: (_options, connection) => [connection],

  async run(host) {
    const { clock, io, signal } = host
    const startedMs = clock.monoMs()
    const past = pastOf(host.options)
    const { deafness, patience } = past
    const password = await patience.password(host, host.options.onvif.password.secret)
    try {
      await live(host, password, past)
    } catch (error) {
      if (!isFault(error) || signal.aborted) throw error
      if (error.code === 'denied') patience.refused(password, clock.monoMs(), io.random.next())
      deafness.begin(startedMs, error)
      await tellDeaf(host, deafness, error)
      throw error
    }
  },
}

async function live(host: Host<OnvifOptions>, password: string, { deafness, patience, habits }: Past): Promise<void> {
  const { clock, io, signal } = host
  const { host: address, port, username, timeout } = host.options.onvif
  const device: Place = { host: address, port, path: DEVICE_SERVICE }
  const login = { username, password }
  const exchange = new Exchange({ device, login, timeoutMs: timeout, clock, io, signal })
  const camera = new Camera(exchange, device, io.random)

  await exchange.learnClock()
  const information = await camera.information()
  patience.accepted()
  await host.emit([seen(host, 'linli.camera.info', { ...information })])
  const services = await askServices(exchange, device)
  if (services.known && services.events === undefined) throw withoutEvents()
  await hear({
    host,
    camera,
    farewell: (ending) => new Camera(exchange.withSignal(ending), device, io.random),
    events: services.events ?? device,
    deafness,
    habits,
    exchange,
  })
}

function pastOf(options: OnvifOptions): Past {
  const known = pasts.get(options)
  if (known !== undefined) return known
  const past = { deafness: new Deafness(), patience: new Patience(), habits: { repeats: undefined } }
  pasts.set(options, past)
  return past
}

function withoutEvents(): Fault {
  return new Fault('connection', 'the camera has no event service', {
    code: 'no-events',
    hint: 'it can show pictures, but tell nothing by itself; its maker may have a newer firmware with ONVIF events',
  })
}
