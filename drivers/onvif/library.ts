import { Cam } from 'onvif'
import { parseSOAPString } from 'onvif/lib/utils.js'
import { isFault } from '../../gateway/contract/fault.ts'
import { type Place, placeOf } from './codec/address.ts'
import type { Exchange } from './exchange.ts'

/** Where the services of a camera answer, as far as it has them. */
export interface Services {
  /** False when the camera can't be asked for its services: then one is guessed. */
  readonly known: boolean
  readonly events: Place | undefined
  readonly media: Place | undefined
}

type Called = (error: Error | null, body?: unknown, xml?: string, status?: number) => void

/** What the library wants to send: a whole envelope, of which only the body is used. */
interface Wanted {
  readonly body: string
}

const BODY = /<s:Body[^>]*>([\s\S]*)<\/s:Body>/
const OPERATION = /<(\w+) xmlns="([^"]+)"/

/**
 * The library's camera over our exchange. It knows how to ask a camera what it has, old ones and new ones; its own HTTP
 * has no limit of bytes, no end of time, and calls itself connected with a wrong password.
 */
class BoundedCam extends Cam {
  readonly #exchange: Exchange
  readonly #device: Place

  constructor(exchange: Exchange, device: Place) {
    super({ hostname: device.host, port: device.port, autoconnect: false })
    this.#exchange = exchange
    this.#device = device
  }

  /** The one way of the library to the outside (lib/cam.js, `_request`). */
  _request({ body }: Wanted, done: Called): void {
    const inner = BODY.exec(body)?.[1] ?? ''
    const [, operation = '', namespace = ''] = OPERATION.exec(inner) ?? []
    this.#exchange
      .ask({ place: this.#device, action: `${namespace}/${operation}`, body: inner })
      .then(({ bytes }) => parseSOAPString(Buffer.from(bytes).toString('utf8'), done.bind(this), 200))
      .catch((error: unknown) => done.call(this, error instanceof Error ? error : new Error(String(error))))
  }
}

/**
 * Ask a camera where its services are: GetServices, and GetCapabilities of one that is older than that.
 * @throws Fault of the exchange; whatever else goes wrong in the library leaves the services unknown
 */
export async function askServices(exchange: Exchange, device: Place): Promise<Services> {
  const cam = new BoundedCam(exchange, device)
  try {
    await called((done) => cam.getServices(false, done))
  } catch (error) {
    if (isFault(error) && error.code !== 'refused') throw error
    await called((done) => cam.getCapabilities(done)).catch((again: unknown) => {
      if (isFault(again) && again.code !== 'refused') throw again
    })
  }
  const named = (service: 'events' | 'media'): Place | undefined => {
    const href = cam.uri?.[service]?.href
    return href === undefined || href === null ? undefined : placeOf(href, device)
  }
  return { known: Object.keys(cam.uri ?? {}).length > 0, events: named('events'), media: named('media') }
}

function called(call: (done: (error: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    call((error) => (error === null || error === undefined ? resolve() : reject(error)))
  })
}
