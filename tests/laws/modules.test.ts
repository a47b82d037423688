import { expect, test } from 'vitest'
import { strayLibraries, strayModules } from './modules.ts'
import { allSources, readRepository, source, told } from './sources.ts'

const description = JSON.parse(readRepository('package.json'))
const dependencies = {
  shipped: Object.keys({ ...description.dependencies, ...description.optionalDependencies }),
  forDevelopment: Object.keys(description.devDependencies),
}
const libraries = (files: Readonly<Record<string, string>>) =>
  told(
    strayLibraries(
      Object.entries(files).map(([path, text]) => source(path, text)),
      { shipped: ['mqtt', 'yaml', 'zod'], forDevelopment: ['vitest'] },
    ),
  )

test('each way to the outside stands in one file', () => {
  expect(told(strayLibraries(allSources(), dependencies))).toEqual([])
})

test('the operating system is reached from the places for it only', () => {
  expect(told(strayModules(allSources()))).toEqual([])
})

test('a library outside its file is found, also when only a type of it is used', () => {
  expect(libraries({ 'gateway/upstream/pump.ts': "import type { MqttClient } from 'mqtt'" })).toEqual([
    'gateway/upstream/pump.ts:1 mqtt stands in gateway/upstream/mqtt.ts only: give that file an interface in our own words and use it',
  ])
  expect(libraries({ 'gateway/upstream/mqtt.ts': "import { connect } from 'mqtt'" })).toEqual([])
})

test('a library in a second file is found', () => {
  const twice = {
    'gateway/settings/a.ts': "import 'yaml'",
    'gateway/settings/b.ts': "const y = await import('yaml/x')",
  }
  expect(libraries(twice)).toEqual([
    'gateway/settings/b.ts:1 yaml stands in gateway/settings/a.ts already: one file for each library, so that it can be replaced',
  ])
})

test('a library that a hub is not installed with is found', () => {
  expect(
    libraries({ 'drivers/a/b.ts': "import 'vitest'", 'tests/a.ts': "import 'vitest'; import 'left-pad'" }),
  ).toEqual([
    'drivers/a/b.ts:1 vitest is for development only: a hub is installed without it',
    'tests/a.ts:1 left-pad is not in package.json',
  ])
})

test.each(['fs', 'fs/promises', 'net', 'dgram', 'http', 'child_process', 'worker_threads', 'timers/promises', 'os'])(
  'node:%s is for gateway/io and the adapters',
  (name) => {
    const text = `import { a } from 'node:${name}'`
    for (const path of [
      'gateway/core/a.ts',
      'drivers/rs485/a.ts',
      'gateway/store/reader.ts',
      'gateway/settings/a.ts',
    ]) {
      expect(told(strayModules([source(path, text)])), path).toEqual([expect.stringContaining('as a parameter')])
    }
    expect(strayModules([source('gateway/io/a.ts', text), source('gateway/store/worker-port.ts', text)])).toEqual([])
  },
)

test('hashing, paths and assertions reach nothing and are free', () => {
  const text = "import { createHash } from 'node:crypto'; import 'node:path'; import assert from 'node:assert/strict'"
  expect(strayModules([source('drivers/rs485/a.ts', text)])).toEqual([])
})
