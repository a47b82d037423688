import { z } from 'zod'
import { duration, secret } from '../../gateway/contract/units.ts'

const host = z
  .string()
  .min(1)
  .max(253)
  .regex(/^([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)$/, {
    error: 'an address or a name is wanted, without http:// and without a port, such as 192.168.1.64 or cam-lobby.lan',
  })

/** A camera that speaks ONVIF. */
export const onvifOptions = z.strictObject({
  onvif: z.strictObject({
    host: host.describe('Address or name of the camera.'),
    port: z.int().min(1).max(65_535).default(80).describe('HTTP port of its ONVIF service.'),
    username: z.string().max(100).describe('User of the camera; one of its own with the right to events is enough.'),
    password: secret.describe('Its password, by the name of its secret.'),
    timeout: duration
      .refine((ms) => ms >= 500 && ms <= 60_000, 'from 500ms to 60s')
      .prefault('5s')
      .describe('For one answer, from dialling to its last byte.'),
    pull: duration
      .refine((ms) => ms >= 1000 && ms <= 60_000, 'from 1s to 60s')
      .prefault('30s')
      .describe('How long the camera may hold a question for events open when nothing happens.'),
    quiet: duration
      .refine((ms) => ms >= 1000 && ms <= 86_400_000, 'from 1s to 1d')
      .prefault('5m')
      .describe('After so long without an event the camera is told to repeat its states: one that does not is deaf.'),
  }),
})
export type OnvifOptions = z.infer<typeof onvifOptions>
