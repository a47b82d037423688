import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { fileStamp, readFileText, writeFileDurably } from '../../../../gateway/io/files.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'linli-files-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

test('a file is written whole, for its owner only, into folders that need not be there', () => {
  const path = join(folder, 'a', 'b', 'tokens.json')
  writeFileDurably(path, '{"a":1}')
  expect(readFileText(path)).toBe('{"a":1}')
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

test('what an earlier crash left behind is no obstacle', () => {
  const path = join(folder, 'key')
  writeFileSync(`${path}.new`, 'half')
  writeFileDurably(path, 'whole')
  expect(readFileText(path)).toBe('whole')
  expect(readFileText(`${path}.new`)).toBeUndefined()
})

test('the stamp of a file changes with every replacement', () => {
  const path = join(folder, 'key')
  expect(fileStamp(path)).toBeUndefined()
  writeFileDurably(path, 'one')
  const before = fileStamp(path)
  writeFileDurably(path, 'two')
  expect(before).toBeTypeOf('string')
  expect(fileStamp(path)).not.toBe(before)
})
