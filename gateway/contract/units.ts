import { z } from 'zod'

const DURATION_MS: Record<string, number> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
  y: 31_536_000_000,
}
const SIZE_BYTES: Record<string, number> = {
  B: 1,
  kB: 1000,
  MB: 1e6,
  GB: 1e9,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
}

/** `30s`, `15m`, `1.5h`, `30d` as milliseconds; a number without a unit is refused, because nobody knows its unit. */
export const duration = z
  .string({ error: 'a duration with its unit is wanted, such as 500ms, 10s, 15m, 2h or 30d' })
  .regex(/^\d+(\.\d+)?(ms|s|m|h|d|w|y)$/, 'a duration with its unit is wanted, such as 500ms, 10s, 15m, 2h or 30d')
  .transform((text) => withUnit(text, DURATION_MS))

/** `500MB`, `4GB`, `16MiB` as bytes. */
export const size = z
  .string({ error: 'a size with its unit is wanted, such as 500MB or 4GB' })
  .regex(/^\d+(\.\d+)?(B|kB|MB|GB|KiB|MiB|GiB)$/, 'a size with its unit is wanted, such as 500MB or 4GB')
  .transform((text) => withUnit(text, SIZE_BYTES))

function withUnit(text: string, factors: Record<string, number>): number {
  const unit = text.replace(/^[\d.]+/, '')
  return Math.round(Number.parseFloat(text) * (factors[unit] ?? Number.NaN))
}

/** The name of a connection, device or consumer: it becomes part of ids, topics and paths. */
export const name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'a name is lower-case letters, digits and hyphens, 63 at most, such as meter-301')

/** A secret stands in the settings by name only; `Io.secrets` has its value. */
export const secret = z.strictObject({ secret: name })
export type Secret = z.infer<typeof secret>
