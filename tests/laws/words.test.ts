import { expect, test } from 'vitest'
import { allSources, source, textFiles, told } from './sources.ts'
import { hiddenFailures, namelessFiles, unfinishedWords } from './words.ts'

test('nothing says that it is unfinished', () => {
  expect(told(textFiles().flatMap(unfinishedWords))).toEqual([])
})

test('every test runs and says something, and no error is swallowed', () => {
  expect(told(allSources().flatMap(hiddenFailures))).toEqual([])
})

test('every file is a noun', () => {
  expect(told(allSources().flatMap(namelessFiles))).toEqual([])
})

test.each([
  ['TO', 'DO: later'],
  ['FI', 'XME'],
  ['a st', 'ub of a meter'],
  ['the Placeh', 'older'],
  ['good enough for n', 'ow'],
  ['a simplif', 'ied model'],
  ['a dum', 'my'],
])('"%s%s" is found in any kind of file', (first, second) => {
  const breaches = unfinishedWords({ path: 'config/README.md', text: `fine\n${first}${second}\n` })
  expect(told(breaches)).toEqual([expect.stringMatching(/^config\/README\.md:2 "/)])
})

test('words that only look alike are fine', () => {
  const text = 'stubborn, forever now, implemented, hackney, Todorov, mastodon'
  expect(unfinishedWords({ path: 'a.md', text })).toEqual([])
})

test.each([
  ['try { a() } catch {}', 'an empty catch'],
  ['try { a() } catch (error) { /* nothing */ }', 'an empty catch'],
  ["test.skip('a', run)", 'test.skip'],
  ["describe.only('a', run)", 'describe.only'],
  ["it.todo('a')", 'it.todo'],
  ['expect(a).toBeTruthy()', 'toBeTruthy()'],
])('%s is found', (text, message) => {
  expect(told(hiddenFailures(source('tests/a.test.ts', text)))).toEqual([expect.stringContaining(message)])
})

test('what asks whether a tool is there, and a catch that answers, are fine', () => {
  const text = "test.runIf(has)('a', run); try { a() } catch { return undefined }; iterator.skip(3)"
  expect(hiddenFailures(source('tests/a.test.ts', `function f() { ${text} }`))).toEqual([])
})

test.each([
  ['gateway/core/utils.ts', '', 'a file is one noun'],
  ['gateway/core/index.ts', '', 'no index files'],
  ['gateway/core/a.ts', "export { b } from './b.ts'", 'nothing is passed on'],
  ['gateway/core/a.ts', "export * from './b.ts'", 'nothing is passed on'],
  ['gateway/core/a.ts', "export type { B } from './b.ts'", 'nothing is passed on'],
])('%s with %s is found', (path, text, message) => {
  expect(told(namelessFiles(source(path, text)))).toEqual([expect.stringContaining(message)])
})

test('the table of drivers may be called index', () => {
  expect(namelessFiles(source('drivers/index.ts', 'export const drivers = {}'))).toEqual([])
})
