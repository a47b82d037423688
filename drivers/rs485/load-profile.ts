import { Fault } from '../../gateway/contract/fault.ts'
import type { ProfileIo } from '../../gateway/contract/io.ts'
import { type Profile, profileSchema } from './profile.ts'

/** @throws Fault of reach `setup` when there is no such profile, or it has a mistake */
export async function loadProfile(reference: string, profiles: ProfileIo): Promise<Profile> {
  const parsed = profileSchema.safeParse(await profiles.load(reference))
  if (parsed.success) return parsed.data
  const list = parsed.error.issues.slice(0, 3).map(({ path, message }) => `${path.join('.') || 'the top'}: ${message}`)
  throw new Fault('setup', `profile \`${reference}\` has mistakes: ${list.join('; ')}`, {
    code: 'profile',
    hint: 'config/profiles/profile.schema.json says what a profile is made of',
  })
}

/** Each profile once, however many devices are of that model. */
export async function loadProfiles(references: readonly string[], io: ProfileIo): Promise<Map<string, Profile>> {
  const profiles = new Map<string, Profile>()
  for (const reference of new Set(references)) profiles.set(reference, await loadProfile(reference, io))
  return profiles
}
