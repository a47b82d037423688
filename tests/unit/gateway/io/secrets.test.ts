import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createSecrets } from '../../../../gateway/io/secrets.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'linli-secrets-'))
  mkdirSync(join(folder, 'secrets'))
  mkdirSync(join(folder, 'credentials'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const put = (path: string, text: string, mode = 0o600): void => {
  writeFileSync(join(folder, path), text)
  // Not by the mode of writeFile: the umask would take bits away.
  chmodSync(join(folder, path), mode)
}
const beside = () => createSecrets({ besides: folder, credentials: '' })
const onTheBox = () => createSecrets({ besides: folder, credentials: join(folder, 'credentials') })

test('a secret is the file of its name, without its last line end', async () => {
  put('secrets/cam-lobby', 'pass word\n')
  put('secrets/broker', 'two\nlines\r\n')
  expect(await beside().load('cam-lobby')).toBe('pass word')
  expect(await beside().load('broker')).toBe('two\nlines')
})

test('a credential of systemd comes before the folder beside the settings, under both of its names', async () => {
  put('secrets/cam', 'old')
  put('credentials/cam', 'new', 0o440)
  put('credentials/secrets_broker', 'from a folder', 0o440)
  expect(await onTheBox().load('cam')).toBe('new')
  expect(await onTheBox().load('broker')).toBe('from a folder')
  put('secrets/other', 'beside')
  expect(await onTheBox().load('other')).toBe('beside')
})

test('a secret that everybody may read or change is refused, with the command that mends it', async () => {
  put('secrets/cam', 'x', 0o644)
  await expect(beside().load('cam')).rejects.toMatchObject({
    reach: 'setup',
    message: `everybody on this machine may read the secret ${folder}/secrets/cam`,
    hint: `chmod 600 ${folder}/secrets/cam`,
  })
  put('secrets/cam', 'x', 0o602)
  await expect(beside().load('cam')).rejects.toThrow('everybody on this machine may change')
})

test('a secret that is missing, empty, huge or no file is a fault of the setup', async () => {
  await expect(beside().load('gone')).rejects.toMatchObject({
    reach: 'setup',
    message: 'the secret `gone` is missing',
    hint: `put its value into the file ${folder}/secrets/gone, readable by the hub only`,
  })
  put('secrets/empty', '\n')
  await expect(beside().load('empty')).rejects.toThrow('is empty')
  put('secrets/huge', 'x'.repeat(100_001))
  await expect(beside().load('huge')).rejects.toThrow('larger than 100000 bytes')
  mkdirSync(join(folder, 'secrets/folder'))
  await expect(beside().load('folder')).rejects.toThrow('is no file')
})

test('a path is no name: nothing outside the folder is read', async () => {
  put('outside', 'x')
  await expect(beside().load('../outside')).rejects.toThrow('`../outside` is no name of a secret')
})
