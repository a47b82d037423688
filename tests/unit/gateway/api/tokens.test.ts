import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createTokenBook } from '../../../../gateway/api/tokens.ts'
import { fileStamp, readFileText, writeFileDurably } from '../../../../gateway/io/files.ts'
import { systemRandom } from '../../../../gateway/io/random.ts'
import { VirtualClock } from '../../../../hardware-sim/clock.ts'
import { memoryFiles } from './memory-files.ts'

const path = '/var/lib/linli/tokens.json'
const bookOn = (files = memoryFiles()) =>
  createTokenBook({ path, files, random: systemRandom, clock: new VirtualClock() })

test('a token names its consumer, has 256 random bits, and opens for that consumer only', async () => {
  const book = bookOn()
  const { token, id } = await book.create('property')
  expect(token).toMatch(/^linli_property_[A-Za-z0-9_-]{43}$/)
  expect(book.verify(token)).toEqual({ consumer: 'property', id })
  const other = await book.create('city')
  expect(other.token).not.toBe(token)
  expect(book.verify(other.token)?.consumer).toBe('city')
})

test('anything else opens nothing', async () => {
  const book = bookOn()
  const { token } = await book.create('property')
  const last = token.at(-1) === 'A' ? 'B' : 'A'
  for (const wrong of ['', 'x', token.slice(0, -1), `${token.slice(0, -1)}${last}`, `${token} `, 'x'.repeat(100_000)]) {
    expect(book.verify(wrong)).toBeUndefined()
  }
  expect(book.verify(token.replace('property', 'city'))).toBeUndefined()
})

test('the file holds hashes, never a token', async () => {
  const files = memoryFiles()
  const { token, id } = await bookOn(files).create('property')
  const text = files.texts.get(path) ?? ''
  expect(text).not.toContain(token.slice(-43))
  expect(JSON.parse(text)).toEqual({
    version: 1,
    tokens: [
      {
        id,
        consumer: 'property',
        hash: expect.stringMatching(/^[0-9a-f]{64}$/),
        created: '2026-11-23T08:00:00.000Z',
      },
    ],
  })
})

test('a token made or revoked by another process counts at once', async () => {
  const files = memoryFiles()
  const hub = bookOn(files)
  const command = bookOn(files)
  const { token, id } = await command.create('property')
  expect(hub.verify(token)?.consumer).toBe('property')
  expect(await command.revoke(id)).toBe(true)
  expect(hub.verify(token)).toBeUndefined()
  expect(await command.revoke(id)).toBe(false)
})

test('a change by another process is told, with whose tokens came and went; what was there before is no change', async () => {
  const files = memoryFiles()
  const { id } = await bookOn(files).create('property')
  const changes: object[] = []
  const parts = { path, files, random: systemRandom, clock: new VirtualClock() }
  const seen = createTokenBook({ ...parts, changed: (change) => changes.push(change) })
  seen.verify('x')
  expect(changes).toEqual([])
  const other = await bookOn(files).create('city')
  await bookOn(files).revoke(id)
  seen.verify('x')
  seen.verify('x')
  expect(changes).toEqual([{ added: [`${other.id} of city`], revoked: [`${id} of property`] }])
})

test('the list tells whose tokens there are, and nothing that opens', async () => {
  const book = bookOn()
  const { id } = await book.create('property')
  expect(book.list()).toEqual([{ id, consumer: 'property', created: '2026-11-23T08:00:00.000Z' }])
})

test('a name that is none is refused with what a name is', async () => {
  await expect(bookOn().create('Property Staff')).rejects.toMatchObject({
    reach: 'setup',
    message: '"Property Staff" is not the name of a consumer',
    hint: expect.stringContaining('lower-case letters'),
  })
})

test('a damaged file lets nobody in, and says where and what to do', async () => {
  const cases = [
    '',
    '{',
    '{"version":2,"tokens":[]}',
    '{"version":1,"tokens":[{"id":"a","consumer":"b","hash":"c","created":""}]}',
  ]
  for (const text of cases) {
    const book = bookOn(memoryFiles({ [path]: text }))
    expect(() => book.verify('linli_property_x')).toThrow(path)
  }
})

test('more than a thousand tokens are refused', async () => {
  const tokens = Array.from({ length: 1000 }, (_, n) => ({
    id: String(n),
    consumer: 'a',
    hash: n.toString(16).padStart(64, '0'),
    created: '',
  }))
  const book = bookOn(memoryFiles({ [path]: JSON.stringify({ version: 1, tokens }) }))
  await expect(book.create('property')).rejects.toThrow('1000 tokens already')
})

test('on a real disk only the owner may read the file', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tokens-'))
  try {
    const real = join(folder, 'tokens.json')
    const files = { read: readFileText, write: writeFileDurably, stamp: fileStamp }
    const parts = { path: real, files, random: systemRandom, clock: new VirtualClock() }
    const { token } = await createTokenBook(parts).create('property')
    expect(statSync(real).mode & 0o777).toBe(0o600)
    expect(createTokenBook(parts).verify(token)?.consumer).toBe('property')
  } finally {
    rmSync(folder, { recursive: true })
  }
})
