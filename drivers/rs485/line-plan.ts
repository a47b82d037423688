import { z } from 'zod'
import type { View } from '../../gateway/contract/driver.ts'
import type { Json } from '../../gateway/contract/event.ts'
import type { SerialSettings } from '../../gateway/contract/io.ts'
import { requestMs } from './costs.ts'
import { type Demand, demandOf, type Reading } from './demand.ts'
import type { DeviceAccount } from './line.ts'
import type { PlannedMeter } from './meter.ts'
import type { DeviceOptions } from './options.ts'
import type { Profile } from './profile.ts'
import { profilePatch } from './profile-patch.ts'

/** A device with what it is read by. */
export interface PlannedDevice {
  readonly device: DeviceOptions
  readonly profile: Profile
  readonly meter: PlannedMeter
  /** How it is spoken to on a line; left out on a network, where time on the wire is nothing to reckon with. */
  readonly serial?: SerialSettings
}

/** What was measured since the wire was opened. */
export interface Measured {
  readonly forMs: number
  readonly airtimeMs: number
  readonly devices: ReadonlyMap<string, DeviceAccount>
}

/**
 * What is asked for in which requests, what was refused, and how much of the line that takes, computed and measured.
 * What was refused comes as patches of the profiles, too.
 */
export function planView(devices: readonly PlannedDevice[], measure?: () => Measured): View<object> {
  return {
    parameters: z.strictObject({}),
    look: () => {
      const measured = measure?.()
      const told = devices.map((each) => tellDevice(each, measured))
      return {
        ...(measured === undefined ? {} : { computed: demandJson(demandOf(devices.map(readingOf))) }),
        ...(measured === undefined
          ? {}
          : { measured: { forMs: round(measured.forMs), ...airtime(measured.airtimeMs, measured.forMs) } }),
        devices: told,
        patches: patchesOf(devices),
      }
    },
  }
}

function tellDevice({ device, profile, meter, serial }: PlannedDevice, measured: Measured | undefined): Json {
  const { requests, refused } = meter.plan()
  const ms = requests.map((request) => (serial === undefined ? 0 : requestMs(profile, serial, request)))
  const sumMs = ms.reduce((sum, each) => sum + each, 0)
  const account = measured?.devices.get(device.id) ?? { requests: 0, answers: 0, airtimeMs: 0 }
  return {
    id: device.id,
    profile: device.profile,
    protocol: profile.protocol,
    address: device.address,
    everyMs: device.every,
    ...(serial === undefined ? {} : { serial: { ...serial } }),
    requests: requests.map(({ what, points }, at) => ({
      what,
      points,
      ...(serial === undefined ? {} : { airtimeMs: round(ms[at]!) }),
    })),
    refused: refused.map(({ point, why }) => ({ point, why })),
    ...(serial === undefined ? {} : { computed: airtime(sumMs, device.every) }),
    ...(measured === undefined
      ? {}
      : {
          measured: {
            requests: account.requests,
            answers: account.answers,
            ...airtime(account.airtimeMs, measured.forMs),
          },
        }),
  }
}

function readingOf({ device, profile, meter, serial }: PlannedDevice): Reading {
  const { requests } = meter.plan()
  const roundMs = requests.reduce((sum, each) => sum + (serial === undefined ? 0 : requestMs(profile, serial, each)), 0)
  return { everyMs: device.every, roundMs }
}

/** One for each profile, with everything that any device of it refused. */
function patchesOf(devices: readonly PlannedDevice[]): Json[] {
  const byProfile = Map.groupBy(devices, ({ device }) => device.profile)
  return [...byProfile].flatMap(([profile, ofIt]) => {
    const refusing = ofIt.filter(({ meter }) => meter.plan().refused.length > 0)
    if (refusing.length === 0) return []
    const refused = new Set(refusing.flatMap(({ meter }) => meter.plan().refused.map(({ point }) => point)))
    const patch = profilePatch(ofIt[0]!.profile, refused)
    return [{ profile, devices: refusing.map(({ device }) => device.id), points: [...refused], patch }]
  })
}

function demandJson({ share, cycleMs, neededMs }: Demand): Json {
  return { cycleMs: round(cycleMs), neededMs: round(neededMs), share: shareOf(share) }
}

function airtime(airtimeMs: number, ofMs: number): { airtimeMs: number; share: number } {
  return { airtimeMs: round(airtimeMs), share: shareOf(ofMs > 0 ? airtimeMs / ofMs : 0) }
}

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000
}

function shareOf(share: number): number {
  return Math.round(share * 10_000) / 10_000
}
