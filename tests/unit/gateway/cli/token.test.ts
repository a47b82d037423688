import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { linli, temporaryFolder } from './told.ts'

let folder: string
beforeEach(() => {
  folder = temporaryFolder()
  // A connection with a mistake does not keep anybody from making a token.
  writeFileSync(
    join(folder, 'hub.yaml'),
    'hub: { id: h }\nconsumers: [{ id: property }]\nconnections: [{ id: x, rs485: 1 }]\n',
  )
})
const token = (...args: string[]) => linli(['token', ...args], { folder })

test('a token is shown once, on its own on the output; the file keeps its hash and is for its owner only', async () => {
  const { code, out, error } = await token('create', 'property')
  expect(code).toBe(0)
  expect(out).toMatch(/^linli_property_[A-Za-z0-9_-]{43}\n$/)
  expect(error).toContain('the only time that it is shown')
  const path = join(folder, 'var/tokens.json')
  expect(readFileSync(path, 'utf8')).not.toContain(out.trim())
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

test('tokens are listed without themselves, and revoked by id', async () => {
  const made = JSON.parse((await token('create', 'property', '--json')).out)
  const { out } = await token('list')
  expect(out).toMatch(new RegExp(`^${made.id}  \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d  property\\n$`))
  expect(JSON.parse((await token('list', '--json')).out)).toEqual([
    { id: made.id, consumer: 'property', created: expect.any(String) },
  ])
  expect((await token('revoke', made.id)).code).toBe(0)
  expect((await token('list')).out).toContain('There are no tokens')
  expect(await token('revoke', made.id)).toMatchObject({ code: 1, error: expect.stringContaining('there is no token') })
})

test('a token is only made for a consumer of the settings', async () => {
  expect(await token('create', 'proprety')).toMatchObject({
    code: 2,
    error: 'linli token: there is no consumer `proprety` in the settings\n    did you mean property?\n',
  })
  expect((await token('create', 'city-watch')).error).toContain('add it: consumers: [{ id: city-watch')
})

test('settings with mistakes of their own are told', async () => {
  writeFileSync(join(folder, 'hub.yaml'), 'hub: {}')
  expect(await token('list')).toMatchObject({ code: 2, error: expect.stringContaining('linli check') })
})
