import type { Host, Problem } from '../../gateway/contract/driver.ts'
import { isFault } from '../../gateway/contract/fault.ts'
import type { ProfileIo } from '../../gateway/contract/io.ts'
import { Meter } from './meter.ts'
import type { DeviceOptions } from './options.ts'
import { parseProfile } from './profile.ts'

/** The meters of a connection with their profiles. @throws Fault of reach `setup` for a profile that is not there or wrong. */
export async function loadMeters(devices: readonly DeviceOptions[], host: Host<unknown>): Promise<Meter[]> {
  const startMs = host.clock.monoMs()
  return Promise.all(
    devices.map(async (device) => {
      const profile = parseProfile(device.profile, await host.io.profiles.load(device.profile))
      return new Meter(device, profile, startMs)
    }),
  )
}

/** What `linli check` says beyond the schema: profiles that are not there, addresses given twice. */
export async function checkMeters(devices: readonly DeviceOptions[], profiles: ProfileIo): Promise<Problem[]> {
  const problems: Problem[] = []
  const units = new Map<number, string>()
  for (const [at, { id, profile, address }] of devices.entries()) {
    const other = units.get(address)
    if (other !== undefined) {
      problems.push({
        severity: 'error',
        path: ['devices', at, 'address'],
        found: address,
        message: `${other} has this address too`,
        hint: 'two meters that answer at once destroy each other: set another address on one of them',
      })
    }
    units.set(address, id)
    const problem = await checkProfile(profile, profiles)
    if (problem !== undefined) problems.push({ ...problem, path: ['devices', at, 'profile'], found: profile })
  }
  return problems
}

async function checkProfile(
  reference: string,
  profiles: ProfileIo,
): Promise<Pick<Problem, 'severity' | 'message' | 'hint'> | undefined> {
  try {
    parseProfile(reference, await profiles.load(reference))
    return undefined
  } catch (error) {
    if (!isFault(error)) throw error
    return { severity: 'error', message: error.message, hint: error.hint ?? '`linli profiles` lists them' }
  }
}

/** Hands readings over without waiting for the disk; a bug on the way there ends the driver. */
export class Outlet {
  readonly broken: Promise<never>
  readonly #host: Host<unknown>
  #fail: (bug: unknown) => void = () => undefined

  constructor(host: Host<unknown>) {
    this.#host = host
    this.broken = new Promise((_resolve, reject) => {
      this.#fail = reject
    })
    this.broken.catch(() => undefined)
  }

  send(...batch: Parameters<Host<unknown>['emit']>): void {
    this.#host.emit(...batch).catch((bug) => this.#fail(bug))
  }
}
