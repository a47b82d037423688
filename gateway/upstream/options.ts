import { z } from 'zod'
import type { Rights } from '../contract/rights.ts'
import { rightsSchema } from '../contract/rights-schema.ts'
import { duration, name, type Secret, secret } from '../contract/units.ts'

/** Nothing is gained past this (perf.md, 1b), and message ids of mqtt.js wrap silently at 65 535. */
export const WINDOW_MAX = 100

export interface UpstreamOptions {
  readonly id: string
  readonly mqtt: MqttOptions
  readonly rights: Rights
  /** Nothing goes by age before it has confirmed it. */
  readonly required: boolean
}

export interface MqttOptions {
  readonly url: string
  readonly format: 'cloudevents'
  readonly qos: 1
  /** Publishes that wait for their PUBACK, at most. */
  readonly window: number
  readonly keepaliveMs: number
  readonly publishTimeoutMs: number
  /** The longest pause between two attempts to connect. */
  readonly reconnectMaxMs: number
  readonly clientId?: string
  readonly username?: string
  readonly password?: Secret
  /** Paths of PEM files. */
  readonly ca?: string
  readonly cert?: string
  readonly key?: Secret | string
}

const mqtt = z
  .strictObject({
    url: z
      .string()
      .regex(
        /^(mqtts?|wss?):\/\/[^\s/?#@]+(\/[^\s?#]*)?$/,
        'an address of a broker without user and password is wanted, such as mqtts://broker.example:8883',
      )
      .describe('The broker: `mqtt://`, `mqtts://` (TLS), `ws://` or `wss://`, host and port.'),
    format: z
      .literal('cloudevents')
      .default('cloudevents')
      .describe('How an event is written: CloudEvents 1.0, structured JSON, one event a message.'),
    qos: z
      .literal(1)
      .default(1)
      .describe('Quality of service. Only 1: with 0 a message in a broken socket is lost and nobody knows.'),
    window: z
      .int()
      .min(1)
      .max(WINDOW_MAX)
      .default(WINDOW_MAX)
      .describe('Messages that wait for their acknowledgement, at most; the broker may ask for fewer.'),
    keepalive: duration
      .refine((ms) => ms >= 1000 && ms <= 18 * 3_600_000, 'from 1s to 18h (MQTT counts it in seconds, in 16 bits)')
      .prefault('30s')
      .describe('After so long without traffic the broker is asked whether it is there; a NAT may forget after 60 s.'),
    publishTimeout: duration
      .refine((ms) => ms >= 100 && ms <= 600_000, 'from 100ms to 10m')
      .prefault('20s')
      .describe('A message that is not acknowledged for so long means that the connection is dead.'),
    reconnectMax: duration
      .refine((ms) => ms >= 100 && ms <= 3_600_000, 'from 100ms to 1h')
      .prefault('30s')
      .describe('The longest pause between two attempts to connect; each pause is a random part of a growing span.'),
    clientId: z
      .string()
      .min(1)
      .max(128)
      .exactOptional()
      .describe('MQTT client id; `linli-HUB-UPSTREAM` when left out. Two clients with one id throw each other out.'),
    username: z.string().max(1000).exactOptional().describe('User name at the broker.'),
    password: secret.exactOptional().describe('Password at the broker, by the name of its secret.'),
    ca: z
      .string()
      .exactOptional()
      .describe('PEM file of the certificate authority, when it is not one that Node knows.'),
    cert: z.string().exactOptional().describe("PEM file of the hub's own certificate, for brokers that ask for one."),
    key: z
      .union([secret, z.string()], { error: 'a path of a PEM file, or { secret: NAME }, is wanted' })
      .exactOptional()
      .describe('Private key of `cert`: the name of its secret, or the path of a PEM file.'),
  })
  .refine((options) => (options.cert === undefined) === (options.key === undefined), {
    message: 'cert and key belong together: give both or none',
    path: ['cert'],
  })
  .refine(({ url, ca, cert }) => /^(mqtts|wss):/.test(url) || (ca === undefined && cert === undefined), {
    message: 'certificates are for mqtts:// and wss:// addresses only: change the address, or leave them out',
    path: ['url'],
  })
  .refine((options) => options.password === undefined || options.username !== undefined, {
    message: 'a password needs a username beside it (MQTT 3.1.1, 3.1.2.9)',
    path: ['password'],
  })
  .transform(({ keepalive, publishTimeout, reconnectMax, ...rest }) => ({
    ...rest,
    keepaliveMs: keepalive,
    publishTimeoutMs: publishTimeout,
    reconnectMaxMs: reconnectMax,
  }))

/** Under what name the cursor of an upstream is kept in the log. */
export function upstreamConsumer(id: string): string {
  return `up:${id}`
}

/** One upstream platform that events are pushed to. */
export const upstreamOptions = z.strictObject({
  id: name.describe('Name of this upstream; its place in the log is kept under it.'),
  mqtt: mqtt.describe('A broker that the events are published to.'),
  rights: rightsSchema.describe('What this upstream may see.'),
  required: z
    .boolean()
    .default(true)
    .describe(
      'Whether it must have everything that it may see: then nothing of that goes by age before it has confirmed it, only when its room is needed.',
    ),
})
