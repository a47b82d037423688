import { z } from 'zod'
import { EVENT_CLASSES, PRIVACY_LEVELS } from './event.ts'
import type { Rights } from './rights.ts'

const PATTERNS_MAX = 100

const pattern = z
  .string()
  .max(200)
  .regex(
    /^(\*|[A-Za-z0-9][A-Za-z0-9._/-]*\*?)$/,
    'a name, or its beginning followed by *, is wanted, such as linli.meter.* or meter-301',
  )

const fields = z.strictObject({
  types: z
    .array(pattern)
    .min(1)
    .max(PATTERNS_MAX)
    .default(['*'])
    .describe('Types of events that it may see: by name, or by their beginning and `*`, such as `linli.meter.*`.'),
  devices: z
    .array(pattern)
    .min(1)
    .max(PATTERNS_MAX)
    .default(['*'])
    .describe('Devices whose events it may see: by id, or by their beginning and `*`.'),
  classes: z
    .array(z.enum(EVENT_CLASSES))
    .min(1)
    .default([...EVENT_CLASSES])
    .describe('Classes of events that it may see.'),
  privacy: z
    .enum(PRIVACY_LEVELS)
    .default('public')
    .describe('The most private level that it may see: what a flat consumes is personal, a card or a face sensitive.'),
})

/** What a consumer or an upstream may see. Whoever says nothing gets what is public, and nothing that is a person's. */
export const rightsSchema: z.ZodType<Rights> = fields.prefault({})
