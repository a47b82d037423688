import { expect, test } from 'vitest'
import { silentTests } from './expectations.ts'
import { allSources, source, told } from './sources.ts'

const found = (...texts: string[]) =>
  told(silentTests(texts.map((text, at) => source(`tests/${'abc'[at]}.test.ts`, text))))

test('every test says what is right', () => {
  expect(told(silentTests(allSources()))).toEqual([])
})

test.each([
  "test('a', () => run())",
  "test('a', () => {})",
  "test.each([1])('a', async () => { await run() })",
  "test('a', () => run()); function run() { return other() }; function other() {}",
])('%s is found', (text) => {
  expect(found(text)).toEqual([expect.stringContaining('a test without an expectation')])
})

test.each([
  "test('a', () => expect(a).toBe(1))",
  "test('a', () => assert.equal(a, 1))",
  "test.runIf(here)('a', () => eventually(() => a))",
  "test('a', () => expect.soft(a).toBe(1))",
  "test('a', () => run()); const run = () => other(); function other() { expect(a).toBe(1) }",
  "function contract(body) { test('a', () => body(store)) }",
])('%s expects something', (text) => {
  expect(found(text)).toEqual([])
})

test('a function of another file of the tests may do the expecting', () => {
  expect(
    found(
      "import { drained } from './b.test.ts'; test('a', () => drained(u))",
      'export const drained = (u) => eventually(u)',
    ),
  ).toEqual([])
})
