import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ProfileIo } from '../../../../gateway/contract/io.ts'
import { createProfiles } from '../../../../gateway/io/profiles.ts'

let folder: string
let profiles: ProfileIo
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'linli-profiles-'))
  for (const path of ['profiles/eastron', 'profiles/generic', 'site'])
    mkdirSync(join(folder, path), { recursive: true })
  put('profiles/profile.schema.json', '{}')
  put('profiles/eastron/sdm630.json', '{"id":"eastron/sdm630"}')
  put('profiles/generic/cjt188-water.json', '{}')
  put('site/pump.json', '{"own":true}')
  profiles = createProfiles({ folder: join(folder, 'profiles'), besides: folder })
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))
const put = (path: string, text: string): void => writeFileSync(join(folder, path), text)

test('a profile is found by maker and model, or by the path of a file beside the settings', async () => {
  expect(await profiles.load('eastron/sdm630')).toEqual({ id: 'eastron/sdm630' })
  expect(await profiles.load('./site/pump.json')).toEqual({ own: true })
  expect(await profiles.load(join(folder, 'site/pump.json'))).toEqual({ own: true })
})

test('the list holds the profiles that come with the hub, and not the schema beside them', async () => {
  expect(await profiles.list()).toEqual(['eastron/sdm630', 'generic/cjt188-water'])
})

test('a slip in the name gets the name that was meant', async () => {
  await expect(profiles.load('eastron/sdm360')).rejects.toMatchObject({
    reach: 'setup',
    message: 'unknown profile `eastron/sdm360`',
    hint: 'did you mean eastron/sdm630? `linli profiles` lists all',
  })
  await expect(profiles.load('acme/x')).rejects.toMatchObject({ hint: 'known: eastron/sdm630, generic/cjt188-water' })
})

test('a name never leads out of the folder', async () => {
  await expect(profiles.load('eastron/../../site/pump')).rejects.toThrow('is no name of a profile')
  await expect(profiles.load('site\0/pump')).rejects.toThrow('is no name of a profile')
})

test('a file that is missing, no JSON or huge says so', async () => {
  await expect(profiles.load('./site/gone.json')).rejects.toMatchObject({
    hint: 'the path counts from the settings file',
  })
  put('site/pump.json', '{ "own": }')
  await expect(profiles.load('./site/pump.json')).rejects.toThrow(`profile ${folder}/site/pump.json is no JSON`)
  put('site/pump.json', `"${'x'.repeat(1_000_000)}"`)
  await expect(profiles.load('./site/pump.json')).rejects.toThrow('larger than 1000000 bytes')
})

test('an installation without profiles is told as one', async () => {
  const none = createProfiles({ folder: join(folder, 'gone'), besides: folder })
  await expect(none.load('eastron/sdm630')).rejects.toMatchObject({
    reach: 'setup',
    hint: 'the folder comes with the hub: install it again',
  })
})
