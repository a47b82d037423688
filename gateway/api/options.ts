import { z } from 'zod'
import type { CommandRight } from '../contract/command.ts'
import { commandRightsSchema } from '../contract/command-rights-schema.ts'
import type { Rights } from '../contract/rights.ts'
import { rightsSchema } from '../contract/rights-schema.ts'
import { name, type Secret, secret } from '../contract/units.ts'

export interface ApiOptions {
  /** `host:port`; an IPv6 host stands in brackets; port 0 takes a free one. */
  readonly listen: string
  readonly tls?: ApiTlsOptions
}

/** Paths of PEM files; the key may be a secret. */
export interface ApiTlsOptions {
  readonly cert: string
  readonly key: Secret | string
}

/** Somebody who reads the log and commands devices over HTTP, with a token of its own. */
export interface ConsumerOptions {
  readonly id: string
  readonly rights: Rights
  /** Nothing goes by age before it has confirmed it. */
  readonly required: boolean
  readonly commands: readonly CommandRight[]
}

const listen = z
  .string()
  .regex(
    /^(\[[0-9A-Fa-f:.]+\]|[^\s:/[\]]+):\d{1,5}$/,
    'an address and a port are wanted, such as 127.0.0.1:8443 or [::1]:8443',
  )
  .refine((text) => Number(text.slice(text.lastIndexOf(':') + 1)) <= 65_535, 'a port is at most 65535')

/** Under what name the cursor of a pulling consumer is kept in the log. */
export function pullConsumer(id: string): string {
  return `pull:${id}`
}

/** How the hub is reached over HTTP. */
export const apiOptions = z.strictObject({
  listen: listen
    .default('127.0.0.1:8443')
    .describe('Address and port to listen on; 127.0.0.1 is this machine only, 0.0.0.0 every network.'),
  tls: z
    .strictObject({
      cert: z.string().describe('PEM file of the certificate, with its chain.'),
      key: z
        .union([secret, z.string()], { error: 'a path of a PEM file, or { secret: NAME }, is wanted' })
        .describe('Private key of the certificate: the name of its secret, or the path of a PEM file.'),
    })
    .exactOptional()
    .describe('Serve HTTPS. Without it tokens and events cross the network in the clear.'),
})

/** Somebody who reads the log and commands devices over HTTP. */
export const consumerOptions = z.strictObject({
  id: name.describe('Name of this consumer; `linli token create NAME` makes a token for it.'),
  rights: rightsSchema.describe('What this consumer may see.'),
  required: z
    .boolean()
    .default(false)
    .describe(
      'Whether it must have everything that it may see: then nothing of that goes by age before it has confirmed it, only when its room is needed.',
    ),
  commands: commandRightsSchema.describe(
    'What this consumer may have done, such as `[{ verbs: [unlock], devices: [gate] }]`.',
  ),
})
