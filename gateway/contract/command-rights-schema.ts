import { z } from 'zod'
import type { CommandRight } from './command.ts'

const RIGHTS_MAX = 50
const PATTERNS_MAX = 100

const pattern = z
  .string()
  .max(100)
  .regex(/^(\*|[a-z0-9][a-z0-9-]*\*?)$/, 'a name, or its beginning followed by *, is wanted, such as gate or door-*')

const right = z.strictObject({
  verbs: z.array(pattern).min(1).max(PATTERNS_MAX).describe('What it may have done, such as `unlock`; `*` is all.'),
  devices: z
    .array(pattern)
    .min(1)
    .max(PATTERNS_MAX)
    .describe('To which devices: by id, or by their beginning and `*`.'),
})

/** What somebody may have done. Whoever says nothing may have nothing done. */
export const commandRightsSchema: z.ZodType<readonly CommandRight[]> = z.array(right).max(RIGHTS_MAX).default([])
