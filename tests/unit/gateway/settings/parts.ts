import { z } from 'zod'
import type { Driver } from '../../../../gateway/contract/driver.ts'
import { duration, name, secret } from '../../../../gateway/contract/units.ts'
import { type Checked, checkSettings, pathText } from '../../../../gateway/settings/check.ts'

/** Three drivers that are nothing but their options, and a way to ask what a file says with them. */

const device = z.strictObject({
  id: name,
  profile: z.string().describe('Which model it is.'),
  address: z.int().min(1).max(247).describe('Address set on the meter, 1 to 247.'),
  every: duration.describe('How often it is read.'),
})
const line = z.strictObject({
  rs485: z.strictObject({
    port: z.string(),
    baud: z.int().default(9600).describe('Speed of the line.'),
    parity: z.enum(['none', 'even', 'odd']).default('none'),
    stopBits: z.union([z.literal(1), z.literal(2)]).default(1),
  }),
  devices: z.array(device),
})
const pin = z.union([z.int(), z.strictObject({ line: z.int(), activeLow: z.boolean() })])
const door = z.strictObject({ gpioDoor: z.strictObject({ chip: z.string(), lock: pin, contact: pin.exactOptional() }) })
const drivers = {
  rs485: {
    kind: 'rs485',
    options: line,
    devices: (options: z.infer<typeof line>) => options.devices.map(({ id }) => id),
    claims: (options: z.infer<typeof line>) => [{ what: `serial port ${options.rs485.port}`, path: ['rs485', 'port'] }],
  },
  gpioDoor: {
    kind: 'gpioDoor',
    options: door,
    devices: () => [],
    claims: ({ gpioDoor: { chip, ...lines } }: z.infer<typeof door>) =>
      Object.entries(lines).map(([key, at]) => ({ what: `line ${at} of ${chip}`, path: ['gpioDoor', key] })),
  },
  onvif: {
    kind: 'onvif',
    options: z.strictObject({ onvif: z.strictObject({ host: z.string(), password: secret }) }),
    devices: () => [],
  },
} as unknown as Record<string, Driver>

export const check = (text: string): Checked => checkSettings(text, 'site.yaml', drivers)
/** Path and message of each problem, in order. */
export const told = (text: string): string[] =>
  check(text).problems.map(({ path, message }) => `${pathText(path)}: ${message}`)
export const hints = (text: string): string[] => check(text).problems.map(({ hint }) => hint)

export const GOOD = `
hub: { id: hub-01, timezone: Asia/Shanghai }
connections:
  - id: line-1
    rs485: { port: /dev/ttyUSB0 }
    devices:
      - { id: meter-301, profile: eastron/sdm630, address: 1, every: 10s }
`
