import { z } from 'zod'
import { type ApiOptions, apiOptions, type ConsumerOptions, consumerOptions } from '../api/options.ts'
import { nearest } from '../contract/nearest.ts'
import { duration, name, size } from '../contract/units.ts'
import { type UpstreamOptions, upstreamOptions } from '../upstream/options.ts'

/** The settings of a hub, checked: durations in milliseconds, sizes in bytes, defaults filled in. */
export interface Settings {
  readonly hub: {
    readonly id: string
    readonly name: string
    readonly timezone: string
    readonly language: 'zh' | 'en'
  }
  readonly storage: StorageSettings
  readonly connections: readonly ConnectionSettings[]
  readonly upstream: readonly UpstreamOptions[]
  readonly commands: {
    readonly perDevice: number
    readonly inAll: number
  }
  readonly consumers: readonly ConsumerOptions[]
  readonly api?: ApiOptions
}

export interface StorageSettings {
  readonly path: string
  readonly keepMs: {
    readonly telemetry: number
    readonly status: number
    readonly alarm: number
    readonly audit: number
  }
  readonly maxBytes: number
  readonly gatherMs: number
  readonly gatherEvents: number
  readonly gatherBytes: number
}

/** One connection: its driver by the key that stands in it, and its options as that driver's schema made them. */
export interface ConnectionSettings {
  readonly id: string
  readonly kind: string
  readonly options: unknown
}

/** A connection that passed its driver's schema, and its place in the file. */
export interface CheckedConnection {
  readonly at: number
  readonly connection: ConnectionSettings
}

function isTimezone(text: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: text })
    return true
  } catch (error) {
    if (error instanceof RangeError) return false
    throw error
  }
}

const keep = z.strictObject({
  telemetry: duration
    .prefault('30d')
    .describe('How long readings are kept; what is not confirmed stays until its room is needed.'),
  status: duration.prefault('90d').describe('How long changes of state are kept; the same holds.'),
  alarm: duration.prefault('1y').describe('How long alarms are kept; the same holds.'),
  audit: duration.prefault('3y').describe('How long it is kept who did what; the same holds.'),
})

export const hubSection = z.strictObject({
  id: name.describe('Name of this box, the same for its whole life: it is part of the id of every event.'),
  name: z.string().max(100).default('').describe('What people call it, such as 阳光花园 3 号楼.'),
  timezone: z
    .string()
    .superRefine((zone, check) => {
      if (isTimezone(zone)) return
      const guess = nearest(zone, Intl.supportedValuesOf('timeZone'))
      const message = 'a time zone of the IANA list is wanted, such as Asia/Shanghai or Europe/Berlin'
      check.addIssue({ code: 'custom', message, params: guess === undefined ? {} : { hint: `did you mean ${guess}?` } })
    })
    .default('UTC')
    .describe('Time zone of the community; schedules of doors go by it.'),
  language: z.enum(['zh', 'en']).default('zh').describe('Language of the page.'),
})

export const storageSection = z
  .strictObject({
    path: z
      .string()
      .min(1)
      .default('./var/hub.db')
      .describe('File of the log, beside this file where it is not absolute.'),
    keep: keep.prefault({}).describe('How long events are kept, by class.'),
    maxSize: size
      .refine((bytes) => bytes >= 16_000_000, 'at least 16MB is needed')
      .prefault('4GB')
      .describe('The log takes at most so much of the disk.'),
    gather: duration
      .refine((ms) => ms <= 10_000, 'at most 10s: so much is lost at a power cut')
      .prefault('1s')
      .describe(
        'Readings wait so long for each other and go into one commit: each commit wears the card. What is not a reading never waits for it.',
      ),
    gatherEvents: z
      .int()
      .min(1)
      .max(10_000)
      .default(1000)
      .describe('With so many events waiting they go at once, however short the time.'),
    gatherSize: size
      .refine((bytes) => bytes >= 4096 && bytes <= 4_194_304, 'from 4KiB to 4MiB')
      .prefault('256KiB')
      .describe('The same for so much text of events.'),
  })
  .prefault({})
  .transform(
    ({ path, keep: keepMs, maxSize, gather, gatherEvents, gatherSize }): StorageSettings => ({
      path,
      keepMs,
      maxBytes: maxSize,
      gatherMs: gather,
      gatherEvents,
      gatherBytes: gatherSize,
    }),
  )

const aMinute = z.int().min(1).max(6000)

export const commandsSection = z
  .strictObject({
    perDevice: aMinute.default(30).describe('So many commands a minute are let through for one device.'),
    inAll: aMinute.default(300).describe('So many for all devices together.'),
  })
  .prefault({})

/** Everything but what stands inside the connections, which their drivers check. */
export const settingsSchema = z.strictObject({
  hub: hubSection.describe('What this box is called.'),
  storage: storageSection.describe('The log on the disk.'),
  connections: z
    .array(z.looseObject({ id: name.describe('Name of this connection.') }))
    .max(100)
    .default([])
    .describe('What the hub holds open: a line of meters, a door, a camera. The key beside `id` names the driver.'),
  upstream: z.array(upstreamOptions).max(16).default([]).describe('Platforms that events are pushed to.'),
  commands: commandsSection.describe('How many commands are let through.'),
  consumers: z
    .array(consumerOptions)
    .max(100)
    .default([])
    .describe('Who may read the log and command devices over HTTP.'),
  api: apiOptions.exactOptional().describe('The HTTP interface; none without it.'),
})
