import type { Problem } from '../../gateway/contract/driver.ts'
import { isFault } from '../../gateway/contract/fault.ts'
import type { ProfileIo } from '../../gateway/contract/io.ts'
import { roundMs } from './costs.ts'
import { loadProfile } from './load-profile.ts'
import type { DeviceOptions } from './options.ts'
import { type PlanCosts, planBlocks } from './plan.ts'
import type { Profile } from './profile.ts'

export interface CheckLimits {
  /** The least and the greatest Modbus unit that this connection can carry. */
  readonly units: readonly [number, number]
  /** What reading costs, where one wire is shared. */
  readonly costs?: PlanCosts
}

/** What can be said about the devices of a connection without asking them. */
export async function checkDevices(
  devices: readonly DeviceOptions[],
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
  problems.push(...wrongUnits(devices, limits.units), ...addressesTwice(devices))
  if (limits.costs !== undefined) problems.push(...tooMuch(devices, known, limits.costs))
  return problems
}

function wrongUnits(devices: readonly DeviceOptions[], [least, most]: readonly [number, number]): Problem[] {
  return devices.flatMap(({ address }, at) => {
    if (typeof address === 'number' && address >= least && address <= most) return []
    return [
      {
        severity: 'error',
        path: ['devices', at, 'address'],
        found: address,
        message: 'this is no Modbus unit',
        hint: `${least} to ${most} is possible, without quotes`,
      },
    ]
  })
}

function addressesTwice(devices: readonly DeviceOptions[]): Problem[] {
  return devices.flatMap(({ address }, at) => {
    const first = devices.findIndex((device) => device.address === address)
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

/** Whether the wire has the time for everything that is to be read. */
function tooMuch(
  devices: readonly DeviceOptions[],
  known: ReadonlyMap<string, Profile | undefined>,
  costs: PlanCosts,
): Problem[] {
  let share = 0
  let slowestMs = 0
  for (const { profile, every } of devices) {
    const found = known.get(profile)
    if (found === undefined) continue
    const registersMax = Math.min(costs.registersMax, found.blockMax)
    share += roundMs(planBlocks(found.points, { ...costs, registersMax }), costs) / every
    slowestMs = Math.max(slowestMs, every)
  }
  if (share <= 1) return []
  const percent = Math.ceil(share * 100)
  return [
    {
      severity: 'warning',
      path: ['devices'],
      found: `${percent} % of the time`,
      message: `reading all of these at their intervals needs ${percent} % of the line's time`,
      hint: `make every \`every\` ${Math.ceil(share * 10) / 10} times as long, raise the baud rate, or use a second line`,
    },
  ]
}
