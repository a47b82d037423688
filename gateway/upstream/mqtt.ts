import { readFile } from 'node:fs/promises'
import mqtt, { type IClientOptions, type IConnackPacket, type MqttClient, type Packet } from 'mqtt'
import type { Clock } from '../contract/clock.ts'
import { Fault } from '../contract/fault.ts'
import type { SecretIo } from '../contract/io.ts'
import type { Log } from '../contract/log.ts'
import type { Secret } from '../contract/units.ts'
import { failureText } from './certificate-time.ts'
import { type Dial, type Link, LinkLost, type Refusal } from './link.ts'
import type { UpstreamOptions } from './options.ts'
import { OFFLINE, ONLINE, statusTopic } from './topics.ts'

/** From dialling to the CONNACK, and again to the first PUBACK: a broker may take the connection and never answer. */
const CONNECT_TIMEOUT_MS = 10_000
/** Saying `offline` and goodbye may take so long. */
const GOODBYE_MS = 2000
/** What holds when CONNACK does not say (MQTT 5, 3.2.2.3.3). */
const RECEIVE_MAXIMUM_DEFAULT = 65_535
/** Nobody sends us more than this; a larger packet is refused (MQTT 5, 3.1.2.11.4). */
const INBOUND_BYTES_MAX = 256 * 1024
const INBOUND_WINDOW = 20
/** The largest packet that MQTT has at all (MQTT 5, 2.1.4). */
const PACKET_BYTES_MAX = 268_435_460
/** CloudEvents, MQTT Protocol Binding 1.0.2, 3.2.1: structured mode is told by the Content Type property. */
const CONTENT_TYPE = 'application/cloudevents+json; charset=utf-8'
/** An empty list of properties is one byte; ours is its length, the identifier, and a string with its length. */
const PUBLISH_5_BYTES = 1 + 1 + 2 + CONTENT_TYPE.length
const PUBLISH_3 = { qos: 1 } as const
const PUBLISH_5 = { qos: 1, properties: { contentType: CONTENT_TYPE } } as const

const PROPERTIES_5 = { sessionExpiryInterval: 0, receiveMaximum: INBOUND_WINDOW, maximumPacketSize: INBOUND_BYTES_MAX }

/** Unacceptable protocol version (3.1.1, 3.2.2.3) and unsupported protocol version (5, 3.2.2.2). */
const OTHER_PROTOCOL: ReadonlySet<number> = new Set([0x01, 0x84])
/** Bad id, bad password, not authorized, banned, taken over: in 3.1.1 and in 5. Trying at once changes nothing. */
const NOT_LET_IN: ReadonlySet<number> = new Set([0x02, 0x04, 0x05, 0x85, 0x86, 0x87, 0x8a, 0x8c, 0x8e])

export interface MqttParts {
  readonly hub: string
  readonly clock: Clock
  readonly secrets: SecretIo
  readonly log: Log
}

type Version = 4 | 5

/**
 * Dials the broker with MQTT 5, and with 3.1.1 where it does not know 5; a broker that said so is asked in its own
 * version from then on. A client of mqtt.js lives for one connection: its own reconnecting, queueing and storing are
 * never used, because they lose messages silently (its ids wrap; what is published during a replay is dropped:
 * MQTT.js #2015).
 */
export function createMqttDial(options: UpstreamOptions, parts: MqttParts): Dial {
  let preferred: Version = 5
  return async (signal) => {
    const settings = await clientOptions(options, parts)
    try {
      return await connect(options, parts, settings, preferred, signal)
    } catch (error) {
      if (!(error instanceof ProtocolRefused)) throw error
      const other = preferred === 5 ? 4 : 5
      if (error.explicit) preferred = other
      return await connect(options, parts, settings, other, signal)
    }
  }
}

/** The broker does not know this version: it says so, or (`explicit` is false) closes instead of answering CONNECT. */
class ProtocolRefused extends LinkLost {
  readonly explicit: boolean
  constructor(message: string, explicit: boolean) {
    super(message)
    this.explicit = explicit
  }
}

async function clientOptions(options: UpstreamOptions, parts: MqttParts): Promise<IClientOptions> {
  const { clientId, username, password, ca, cert, key, keepaliveMs } = options.mqtt
  return {
    clientId: clientId ?? `linli-${parts.hub}-${options.id}`,
    clean: true,
    reconnectPeriod: 0,
    resubscribe: false,
    queueQoSZero: false,
    keepalive: Math.ceil(keepaliveMs / 1000),
    // Ours is sooner and runs on our clock; this one only ends what ours has missed.
    connectTimeout: 2 * CONNECT_TIMEOUT_MS,
    will: { topic: statusTopic(parts.hub), payload: Buffer.from(OFFLINE), qos: 1, retain: true },
    log: () => undefined,
    // Without it mqtt-packet keeps a buffer for each of 65 536 numbers: 10 MB that a small box needs for other things.
    writeCache: false,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password: await parts.secrets.load(password.secret) }),
    ...(ca === undefined ? {} : { ca: await readPem(ca, 'ca') }),
    ...(cert === undefined ? {} : { cert: await readPem(cert, 'cert') }),
    ...(key === undefined ? {} : { key: await loadKey(key, parts.secrets) }),
  }
}

async function loadKey(key: Secret | string, secrets: SecretIo): Promise<string> {
  return typeof key === 'string' ? await readPem(key, 'key') : await secrets.load(key.secret)
}

async function readPem(path: string, option: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    const hint = 'give the path of a PEM file that the hub may read'
    throw new Fault('setup', `mqtt.${option}: ${path} can't be read: ${(cause as Error).message}`, { hint, cause })
  }
}

/** @param version tried; rejects with ProtocolRefused when the broker does not take it. */
async function connect(
  options: UpstreamOptions,
  parts: MqttParts,
  settings: IClientOptions,
  version: Version,
  signal: AbortSignal,
): Promise<Link> {
  signal.throwIfAborted()
  const client = mqtt.connect(options.mqtt.url, {
    ...settings,
    protocolVersion: version,
    outgoingStore: new NoStore(),
    incomingStore: new NoStore(),
    ...(version === 5 ? { properties: PROPERTIES_5 } : {}),
  })
  const link = new MqttLink(client, version, parts)
  const onAbort = (): void => link.end(signal.reason)
  const cancelTimer = parts.clock.after(CONNECT_TIMEOUT_MS, () => link.end(link.silence()))
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    await link.opened
    return link
  } finally {
    cancelTimer()
    signal.removeEventListener('abort', onAbort)
  }
}

class MqttLink implements Link {
  readonly protocol: string
  receiveMaximum = RECEIVE_MAXIMUM_DEFAULT
  packetBytesMax = PACKET_BYTES_MAX
  readonly opened: Promise<void>
  readonly gone: Promise<LinkLost | undefined>
  readonly #client: MqttClient
  readonly #version: Version
  readonly #parts: MqttParts
  readonly #opening = Promise.withResolvers<void>()
  readonly #going = Promise.withResolvers<LinkLost | undefined>()
  #letIn = false
  #over = false

  constructor(client: MqttClient, version: Version, parts: MqttParts) {
    this.#client = client
    this.#version = version
    this.#parts = parts
    this.protocol = version === 5 ? 'MQTT 5' : 'MQTT 3.1.1'
    this.opened = this.#opening.promise
    this.gone = this.#going.promise
    client.on('connect', (connack) => this.#welcome(connack))
    client.on('error', (error) => this.end(this.#lostBy(error)))
    client.on('disconnect', ({ reasonCode }) => this.end(dismissed(reasonCode ?? 0)))
    client.on('close', () => this.end(this.#closed()))
  }

  publish(topic: string, payload: Buffer, settled: (refusal: Refusal | undefined) => void): void {
    this.#client.publish(topic, payload, this.#version === 5 ? PUBLISH_5 : PUBLISH_3, (error) => {
      if (this.#over) return
      if (!error) return settled(undefined)
      const reasonCode = codeOf(error)
      // Without a reason code it was not the broker who said no: the connection is ending, and its end follows.
      if (reasonCode !== undefined) settled(reasonCode < 0x80 ? undefined : { reasonCode, message: error.message })
    })
  }

  packetBytes(topic: string, payloadBytes: number): number {
    const properties = this.#version === 5 ? PUBLISH_5_BYTES : 0
    const remaining = 2 + Buffer.byteLength(topic) + 2 + properties + payloadBytes
    return 1 + (remaining < 128 ? 1 : remaining < 16_384 ? 2 : remaining < 2_097_152 ? 3 : 4) + remaining
  }

  async close(): Promise<void> {
    if (this.#over) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const cancel = this.#parts.clock.after(GOODBYE_MS, resolve)
    void this.gone.then(() => resolve())
    this.#say(OFFLINE, () => this.#client.end(false, {}, () => resolve()))
    await promise
    cancel()
    this.destroy()
  }

  destroy(): void {
    this.end(undefined)
  }

  /** The connection is over, whatever comes after; the first reason counts. */
  end(reason: unknown): void {
    if (this.#over) return
    this.#over = true
    this.#client.end(true)
    this.#opening.reject(reason)
    this.#going.resolve(reason instanceof LinkLost ? reason : undefined)
  }

  /** The reason when the broker took the connection and then said nothing. */
  silence(): LinkLost {
    const missing = this.#letIn ? 'acknowledged the first message' : 'answered'
    return new LinkLost(`the broker was dialled and has not ${missing} within ${CONNECT_TIMEOUT_MS} ms`)
  }

  #welcome(connack: IConnackPacket): void {
    this.#letIn = true
    this.receiveMaximum = connack.properties?.receiveMaximum ?? RECEIVE_MAXIMUM_DEFAULT
    this.packetBytesMax = connack.properties?.maximumPacketSize ?? PACKET_BYTES_MAX
    this.#say(ONLINE, (refusal) => {
      if (refusal !== undefined) {
        this.#parts.log.warn('the broker refused the status of the hub', {
          topic: statusTopic(this.#parts.hub),
          ...refusal,
        })
      }
      this.#opening.resolve()
    })
  }

  /** Retained, and acknowledged before any event goes: a connection that closes later does not close over this. */
  #say(status: string, settled: (refusal: Refusal | undefined) => void): void {
    this.#client.publish(statusTopic(this.#parts.hub), status, { qos: 1, retain: true }, (error) => {
      if (this.#over) return
      const reasonCode = error ? codeOf(error) : 0
      if (reasonCode !== undefined) settled(reasonCode < 0x80 ? undefined : { reasonCode, message: String(error) })
    })
  }

  #lostBy(error: Error): LinkLost {
    const code = codeOf(error)
    if (this.#letIn || code === undefined) return this.#letIn ? new LinkLost(error.message) : this.#failed(error)
    if (OTHER_PROTOCOL.has(code)) return new ProtocolRefused(error.message, true)
    return new LinkLost(error.message, NOT_LET_IN.has(code) ? 'slow' : 'soon', error)
  }

  #failed(error: Error & { code?: unknown }): LinkLost {
    if (error.code === 'ECONNRESET') return this.#closed()
    return new LinkLost(failureText(error, this.#parts.clock), 'soon', error)
  }

  #closed(): LinkLost {
    if (this.#letIn) return new LinkLost('the broker closed the connection')
    return new ProtocolRefused('the broker closed the connection without answering CONNECT', false)
  }
}

/** mqtt.js keeps nothing: what is not acknowledged is read again from the log. */
class NoStore extends mqtt.Store {
  override put(_packet: Packet, done: (error?: Error) => void): this {
    done()
    return this
  }
  override del(packet: Pick<Packet, 'messageId'>, done: (error?: Error, packet?: Packet) => void): this {
    done(undefined, packet as Packet)
    return this
  }
}

/** The number of an MQTT reason; undefined for the system's errors, whose codes are words. */
function codeOf(error: Error & { code?: unknown }): number | undefined {
  return typeof error.code === 'number' ? error.code : undefined
}

/** DISCONNECT from the broker (MQTT 5, 3.14.2.1). */
function dismissed(reasonCode: number): LinkLost {
  const code = `0x${reasonCode.toString(16).padStart(2, '0')}`
  if (reasonCode === 0x8e) {
    const message = `another client took over the identity of this one (${code}): two hubs have one client id`
    return new LinkLost(message, 'slow')
  }
  return new LinkLost(`the broker sent DISCONNECT ${code}`, NOT_LET_IN.has(reasonCode) ? 'slow' : 'soon')
}
