import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { folderWithAudit, forge, tamper } from '../unit/gateway/cli/audit-folder.ts'
import { linli } from '../unit/gateway/cli/told.ts'
import { needs } from './needs.ts'

const VERIFIER = fileURLToPath(new URL('audit-verifier.py', import.meta.url))

test('a program in another language follows the chain by the words of the README, and proves its head with openssl', {
  ...needs('python3', 'openssl'),
}, async () => {
  const { folder, path, head } = await folderWithAudit()
  const key = (await linli(['audit', 'key'], { folder })).out
  writeFileSync(join(folder, 'key.pem'), key.slice(0, key.indexOf('SHA-256')))
  const sent = (heads: readonly object[]): void =>
    writeFileSync(join(folder, 'heads'), heads.map((data) => `${JSON.stringify({ data })}\n`).join(''))
  const judged = async (): Promise<string[]> => {
    const { code, out } = await linli(['audit', 'export'], { folder })
    expect(code).toBe(0)
    writeFileSync(join(folder, 'export'), out)
    const options = { cwd: folder, encoding: 'utf8', timeout: 60_000 } as const
    const { stdout, stderr } = spawnSync('python3', [VERIFIER, 'export', 'heads', 'key.pem'], options)
    expect(stderr).toBe('')
    return stdout.trim().split('\n')
  }
  sent([head])
  expect(await judged()).toEqual(['7 links'])
  expect(readFileSync(join(folder, 'export'), 'utf8').split('\n')[0]).toMatch(/^2\t[0-9a-f]{64}\t\[2,"linli\.door/)
  sent([head, { ...head, seq: 10 }])
  expect(await judged()).toEqual(['10 head-forged', '7 links'])
  sent([head])
  tamper(path, (db) => {
    forge(db, 6, '{"n":"邻里 \\u0007"}')
    db.exec('DELETE FROM audit WHERE last = 8')
  })
  expect(await judged()).toEqual(['6 changed', '8 removed', '7 links'])
  tamper(path, (db) => db.exec('DELETE FROM audit WHERE last > 10; DELETE FROM audit_link WHERE last > 10'))
  expect(await judged()).toEqual(['6 changed', '8 removed', '12 truncated', '5 links'])
})

test('the fingerprint of the key is what openssl and sha256sum make of it', {
  ...needs('openssl', 'sha256sum'),
}, async () => {
  const { folder } = await folderWithAudit()
  const { publicKey, fingerprint } = JSON.parse((await linli(['audit', 'key', '--json'], { folder })).out) as {
    publicKey: string
    fingerprint: string
  }
  writeFileSync(join(folder, 'key.pem'), publicKey)
  const der = execFileSync('openssl', ['pkey', '-pubin', '-in', 'key.pem', '-outform', 'DER'], { cwd: folder })
  expect(execFileSync('sha256sum', { input: der, encoding: 'utf8' }).slice(0, 64)).toBe(fingerprint)
})
