import { isFault } from '../../../gateway/contract/fault.ts'
import type { DeviceIdentification } from '../codec/device-identification.ts'
import type { Meter, Poll } from '../meter.ts'
import type { Profile } from '../profile.ts'

/** Values of these are the same in every building: what lies outside is another register. */
const PLAUSIBLE: readonly (readonly [point: RegExp, least: number, most: number])[] = [
  [/^frequency$/, 45, 65],
  [/^voltage(_l[123])?$/, 85, 480],
  [/^((flow|return)_)?temperature$/, -40, 130],
  [/^humidity$/, 1, 100],
]

/** Whether a value can be what a point of this name shows; undefined where nature sets it no bounds. */
export function isPlausible(name: string, value: unknown): boolean | undefined {
  const range = PLAUSIBLE.find(([pattern]) => pattern.test(name))
  if (range === undefined) return undefined
  const [, least, most] = range
  return typeof value === 'number' && value >= least && value <= most
}

/** A profile that fits what was read, and how well. */
export interface Likeness {
  readonly profile: Profile
  /** Points that had a value. */
  readonly points: number
}

/**
 * Read a device by every profile that could be its own, and keep those by which what comes makes sense: nothing is
 * refused, and whatever has a range in nature lies in it.
 * @returns the best first
 */
export async function likenesses(
  profiles: readonly Profile[],
  makeMeter: (profile: Profile) => Meter,
): Promise<Likeness[]> {
  const found: Likeness[] = []
  for (const profile of profiles) {
    const poll = await readOnce(makeMeter(profile))
    if (poll !== undefined && makesSense(poll, profile.protocol)) found.push({ profile, points: valuesIn(poll) })
  }
  return found.sort((a, b) => b.points - a.points)
}

async function readOnce(meter: Meter): Promise<Poll | undefined> {
  try {
    return await meter.read(1)
  } catch (error) {
    if (isFault(error) && error.reach === 'device') return undefined
    throw error
  }
}

function makesSense({ points, complete }: Poll, protocol: Profile['protocol']): boolean {
  if (!complete) return false
  let known = 0
  for (const [name, { v }] of Object.entries(points)) {
    const plausible = isPlausible(name, v)
    if (plausible === undefined || v === null) continue
    if (plausible) known += 1
    // Nothing hangs on that phase, or nothing was measured yet.
    else if (v !== 0) return false
  }
  // Any register can be read as any number; who answers to an identifier of its standard is what it says.
  return known > 0 || (protocol !== 'modbus' && Object.values(points).some(({ v }) => v !== null))
}

function valuesIn({ points }: Poll): number {
  return Object.values(points).filter(({ v }) => v !== null).length
}

/** Profiles of the maker and model that a device calls itself. */
export function namedProfiles(
  profiles: readonly Profile[],
  { maker = '', model = '' }: DeviceIdentification,
): Profile[] {
  const [byMaker, byModel] = [plain(maker), plain(model)]
  if (byModel === '') return []
  return profiles.filter((profile) => {
    const name = plain(profile.model)
    const sameMaker = byMaker === '' || plain(profile.maker).includes(byMaker) || byMaker.includes(plain(profile.maker))
    return sameMaker && (name.includes(byModel) || byModel.includes(name))
  })
}

function plain(text: string): string {
  return text.toLowerCase().replaceAll(/[^a-z0-9]/g, '')
}
