import type { Problem } from '../../gateway/contract/driver.ts'
import { isFault } from '../../gateway/contract/fault.ts'
import type { ProfileIo } from '../../gateway/contract/io.ts'
import { type AddressRange, addressKey, wrongAddress } from './address.ts'
import { airtimeMs } from './costs.ts'
import { demandOf, secondsText } from './demand.ts'
import { loadProfile } from './load-profile.ts'
import type { LineDeviceOptions } from './options.ts'
import type { Profile } from './profile.ts'
import type { Terms } from './terms.ts'

export interface CheckLimits {
  readonly units: AddressRange
  /** How a device is spoken to, where one wire is shared; left out on a network, which carries Modbus only. */
  readonly terms?: (device: LineDeviceOptions, profile: Profile) => Terms
  /** The speed is that of a serial server, and nobody can change it between two questions. */
  readonly oneSpeed?: boolean
}

type Known = ReadonlyMap<string, Profile | undefined>

/** What can be said about the devices of a connection without asking them. */
export async function checkDevices(
  devices: readonly LineDeviceOptions[],
  profiles: ProfileIo,
  limits: CheckLimits,
): Promise<readonly Problem[]> {
  const problems: Problem[] = []
  const known = new Map<string, Profile | undefined>()
  for (const [at, { profile }] of devices.entries()) {
    if (known.has(profile)) continue
    try {
      known.set(profile, await loadProfile(profile, profiles))
    } catch (error) {
      if (!isFault(error)) throw error
      known.set(profile, undefined)
      problems.push({
        severity: 'error',
        path: ['devices', at, 'profile'],
        found: profile,
        message: error.message,
        hint: error.hint ?? 'mend the profile',
      })
    }
  }
  problems.push(...wrongAddresses(devices, known, limits.units), ...addressesTwice(devices, known))
  if (limits.terms !== undefined && limits.oneSpeed === true)
    problems.push(...otherSpeeds(devices, known, limits.terms))
  problems.push(...(limits.terms === undefined ? notModbus(devices, known) : tooMuch(devices, known, limits.terms)))
  return problems
}

function wrongAddresses(devices: readonly LineDeviceOptions[], known: Known, units: AddressRange): Problem[] {
  return devices.flatMap(({ address, profile }, at) => {
    const wrong = wrongAddress(address, protocolOf(profile, known), units)
    return wrong === undefined
      ? []
      : [{ severity: 'error', path: ['devices', at, 'address'], found: address, ...wrong } as const]
  })
}

function addressesTwice(devices: readonly LineDeviceOptions[], known: Known): Problem[] {
  const keys = devices.map(({ address, profile }) => addressKey(address, protocolOf(profile, known)))
  return devices.flatMap(({ address }, at) => {
    const first = keys.indexOf(keys[at]!)
    if (first === at) return []
    return [
      {
        severity: 'error',
        path: ['devices', at, 'address'],
        found: address,
        message: `${devices[first]!.id} has this address already, on the same connection`,
        hint: 'two devices with one address speak at the same time: give one of them another',
      },
    ]
  })
}

/** Of a profile that has a mistake it is taken for granted what most speak. */
function protocolOf(profile: string, known: Known): Profile['protocol'] {
  return known.get(profile)?.protocol ?? 'modbus'
}

function notModbus(devices: readonly LineDeviceOptions[], known: Known): Problem[] {
  return devices.flatMap(({ profile }, at) =>
    protocolOf(profile, known) === 'modbus'
      ? []
      : [
          {
            severity: 'error',
            path: ['devices', at, 'profile'],
            found: profile,
            message: `it speaks ${protocolOf(profile, known)}, which no network carries`,
            hint: 'put it on an rs485 line',
          },
        ],
  )
}

function otherSpeeds(devices: readonly LineDeviceOptions[], known: Known, terms: NonNullable<CheckLimits['terms']>) {
  const speeds = devices.map((device) => {
    const profile = known.get(device.profile)
    if (profile === undefined) return undefined
    const { baud, dataBits, parity, stopBits } = terms(device, profile).serial
    return `${baud} ${dataBits}${parity[0]!.toUpperCase()}${stopBits}`
  })
  const first = speeds.find((speed) => speed !== undefined)
  return speeds.flatMap((speed, at): Problem[] => {
    if (speed === undefined || speed === first) return []
    return [
      {
        severity: 'error',
        path: ['devices', at],
        found: speed,
        message: `a serial server has one speed for all of its devices, and the first has ${first}`,
        hint: 'say baud and parity of the server at `rs485`, set the device to them, or hang it on another line',
      },
    ]
  })
}

/** Whether the wire has the time for everything that is to be read. */
function tooMuch(
  devices: readonly LineDeviceOptions[],
  known: Known,
  terms: NonNullable<CheckLimits['terms']>,
): Problem[] {
  const shares = devices.flatMap((device) => {
    const profile = known.get(device.profile)
    if (profile === undefined) return []
    return [{ everyMs: device.every, roundMs: airtimeMs(profile, terms(device, profile).serial) }]
  })
  const { share, cycleMs, neededMs } = demandOf(shares)
  if (share <= 1) return []
  const percent = Math.ceil(share * 100)
  const needs = `this line needs ${secondsText(neededMs)} for a ${secondsText(cycleMs)} cycle`
  return [
    {
      severity: 'warning',
      path: ['devices'],
      found: `${percent} % of the time`,
      message: `${needs}: reading all of these at their intervals takes ${percent} % of its time`,
      hint: `make every \`every\` ${Math.ceil(share * 10) / 10} times as long, raise the baud rate, or use a second line`,
    },
  ]
}
