import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { keyedHash, loadHubKey } from '../../../../gateway/io/hub-key.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'linli-key-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

test('a hub makes its key once, for its own eyes, and keeps it', () => {
  const key = loadHubKey(folder)
  expect(key.length).toBe(32)
  expect(statSync(join(folder, 'hub.key')).mode & 0o777).toBe(0o600)
  expect(Buffer.from(loadHubKey(folder)).equals(key)).toBe(true)
})

test('two hubs have two keys', () => {
  const other = mkdtempSync(join(tmpdir(), 'linli-key-'))
  expect(Buffer.from(loadHubKey(folder)).equals(loadHubKey(other))).toBe(false)
  rmSync(other, { recursive: true })
})

test('a damaged key is refused and left as it is', () => {
  writeFileSync(join(folder, 'hub.key'), 'short')
  expect(() => loadHubKey(folder)).toThrow('restore it from the backup')
  expect(readFileSync(join(folder, 'hub.key'), 'utf8')).toBe('short')
})

test('the same value has the same hash on one hub, another on the next, and does not show', () => {
  const mine = keyedHash(new Uint8Array(32).fill(1))
  const theirs = keyedHash(new Uint8Array(32).fill(2))
  expect(mine('1234567')).toBe(mine('1234567'))
  expect(mine('1234567')).not.toBe(theirs('1234567'))
  // printf 1234567 | openssl dgst -sha256 -mac HMAC -macopt hexkey:0101...01 -binary | base64 (RFC 2104)
  expect(mine('1234567')).toBe('hmac:n9tmBYkYvP6vkezwLI3G5S')
  expect(mine('1234567')).not.toContain('1234567')
})
