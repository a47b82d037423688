import { readdir, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { Fault } from '../contract/fault.ts'
import type { ProfileIo } from '../contract/io.ts'
import { nearest } from '../contract/nearest.ts'

/** A profile is a page of numbers; something larger is another file. */
const PROFILE_BYTES_MAX = 1_000_000
const REFERENCE = /^[a-z0-9][a-z0-9-]*\/[a-z0-9][a-z0-9.-]*$/

/**
 * Profiles from the folder that comes with the hub (`maker/model`), and a site's own ones by their path.
 * @param besides folder of the settings file, from which `./site/pump.json` is looked up
 */
export function createProfiles({ folder, besides }: { readonly folder: string; readonly besides: string }): ProfileIo {
  const list = async (): Promise<string[]> => {
    const files = await readdir(folder, { recursive: true }).catch((cause: Error) => {
      const hint = 'the folder comes with the hub: install it again'
      throw new Fault('setup', `the profiles can't be listed: ${cause.message}`, { code: 'profile', hint, cause })
    })
    const references = files.filter((file) => file.endsWith('.json')).map((file) => file.slice(0, -'.json'.length))
    return references.filter((reference) => REFERENCE.test(reference)).sort()
  }
  return {
    list,
    async load(reference) {
      const own = reference.startsWith('.') || reference.startsWith('/')
      if (!own && !REFERENCE.test(reference)) {
        throw new Fault('setup', `\`${reference}\` is no name of a profile`, {
          code: 'profile',
          hint: 'write maker/model, such as eastron/sdm630, or the path of a file, such as ./site/pump.json',
        })
      }
      const path = own ? resolve(besides, reference) : join(folder, `${reference}.json`)
      const text = await readProfile(path, reference, own, list)
      try {
        return JSON.parse(text)
      } catch (error) {
        throw new Fault('setup', `profile ${path} is no JSON: ${(error as Error).message}`, {
          code: 'profile',
          hint: 'mend the file',
        })
      }
    },
  }
}

async function readProfile(
  path: string,
  reference: string,
  own: boolean,
  list: () => Promise<string[]>,
): Promise<string> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if (own)
      throw new Fault('setup', `profile ${path} can't be read: ${(error as Error).message}`, {
        code: 'profile',
        hint: 'the path counts from the settings file',
      })
    const known = await list()
    const guess = nearest(reference, known)
    throw new Fault('setup', `unknown profile \`${reference}\``, {
      code: 'profile',
      hint: guess === undefined ? `known: ${known.join(', ')}` : `did you mean ${guess}? \`linli profiles\` lists all`,
    })
  }
  if (text.length > PROFILE_BYTES_MAX)
    throw new Fault('setup', `profile ${path} is larger than ${PROFILE_BYTES_MAX} bytes`, { code: 'profile' })
  return text
}
