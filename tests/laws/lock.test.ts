import { expect, test } from 'vitest'
import { type Lock, looseEnds } from './lock.ts'
import { readRepository } from './sources.ts'

const description = JSON.parse(readRepository('package.json'))
const lock = JSON.parse(readRepository('package-lock.json')) as Lock

test('every package is one version, from the registry, by its hash; every install script was looked at', () => {
  expect(Object.keys(lock.packages).length).toBeGreaterThan(100)
  expect(looseEnds(description, lock)).toEqual([])
})

const entry = { version: '1.2.3', integrity: 'sha512-x' }
const locked = (own: object, root: object = { dependencies: { a: '1.2.3' } }): Lock => ({
  packages: { '': root, 'node_modules/a': { ...entry, ...own } },
})
const ends = (lockFile: Lock, allowScripts = {}) => looseEnds({ dependencies: { a: '1.2.3' }, allowScripts }, lockFile)

test('a whole lock has no loose end, with the address of the registry and without', () => {
  expect(ends(locked({}))).toEqual([])
  expect(ends(locked({ resolved: 'https://registry.npmjs.org/a/-/a-1.2.3.tgz' }))).toEqual([])
})

test.each([
  ['git+ssh://git@github.com/a/a.git#1234'],
  ['http://registry.npmjs.org/a/-/a-1.2.3.tgz'],
  ['https://codeload.github.com/a/a/tar.gz/main'],
  ['file:../a'],
  ['https://registry.npmjs.org.example.com/a.tgz'],
])('a package from %s is found', (resolved) => {
  expect(ends(locked({ resolved }))).toEqual([
    `node_modules/a comes from ${resolved}: take a release from the registry`,
  ])
})

test('a link, a missing hash, and a weak one are found', () => {
  expect(ends(locked({ link: true }))).toEqual([expect.stringContaining('comes from a folder')])
  expect(ends(locked({ integrity: undefined }))).toEqual([expect.stringContaining('no sha512 integrity')])
  expect(ends(locked({ integrity: 'sha1-x' }))).toEqual([expect.stringContaining('no sha512 integrity')])
})

test('a lock that says something else than package.json is found', () => {
  expect(ends(locked({}, { dependencies: {} }))).toEqual([expect.stringContaining('the lock nothing: run npm install')])
  expect(ends(locked({ version: '1.2.4' }))).toEqual(['a 1.2.3 is locked as 1.2.4: run npm install'])
  const range = { dependencies: { a: '^1.2.3' } }
  expect(looseEnds(range, { packages: { '': range, 'node_modules/a': entry } })).toEqual([
    'a ^1.2.3 is a range: pin one version',
  ])
})

test('an install script that nobody answered for is found, an answered one is not, whatever the answer', () => {
  const scripted = locked({ hasInstallScript: true })
  expect(ends(scripted)).toEqual(['a has an install script: look at it and answer in allowScripts'])
  expect([ends(scripted, { a: true }), ends(scripted, { a: false })]).toEqual([[], []])
})
