import { expect, test } from 'vitest'
import { FILE_LINES, FUNCTION_LINES, sizesOf } from './sizes.ts'
import { allSources, source, told } from './sources.ts'

/**
 * The ratchet: how many files and functions are longer than they should be. Whoever shortens one lowers the number;
 * nobody raises it.
 */
const LONG_FILES_MAX = 5
const LONG_FUNCTIONS_MAX = 4
const MEDIAN_FUNCTION_LINES_MAX = 5

const all = sizesOf(allSources())

test('no file has more than 400 lines, no function more than 70', () => {
  expect(told(all.breaches)).toEqual([])
})

test(`at most ${LONG_FILES_MAX} files have more than ${FILE_LINES} lines`, () => {
  expect(all.longFiles.length, `split one: ${all.longFiles.join(', ')}`).toBeLessThanOrEqual(LONG_FILES_MAX)
})

test(`at most ${LONG_FUNCTIONS_MAX} functions have more than ${FUNCTION_LINES} lines`, () => {
  expect(all.longFunctions.length, `split one: ${all.longFunctions.join(', ')}`).toBeLessThanOrEqual(LONG_FUNCTIONS_MAX)
})

test(`half of all functions have at most ${MEDIAN_FUNCTION_LINES_MAX} lines`, () => {
  expect(all.medianFunctionLines).toBeLessThanOrEqual(MEDIAN_FUNCTION_LINES_MAX)
})

const lines = (count: number) => 'a()\n'.repeat(count)
const measure = (text: string) => sizesOf([source('gateway/core/a.ts', text)])

test('a file is counted by its lines', () => {
  expect(measure(lines(300))).toMatchObject({ longFiles: [], breaches: [] })
  expect(measure(lines(301)).longFiles).toEqual(['gateway/core/a.ts (301)'])
  expect(measure(lines(401))).toMatchObject({
    longFiles: [],
    breaches: [{ line: 1, message: expect.stringContaining('401 lines') }],
  })
})

test('a function is counted from its name to its closing brace, whatever kind it is', () => {
  const body = `{\n${lines(69)}}`
  for (const text of [
    `function a() ${body}`,
    `const a = () => ${body}`,
    `class A { a() ${body} }`,
    `const o = { a() ${body} }`,
  ]) {
    expect(told(measure(text).breaches), text.slice(0, 20)).toEqual([expect.stringContaining('a has 71 lines')])
  }
  expect(measure(`function a() {\n${lines(49)}}`).longFunctions).toEqual(['gateway/core/a.ts:1 a (51)'])
  expect(measure(`function a() {\n${lines(48)}}`)).toMatchObject({ longFunctions: [], medianFunctionLines: 50 })
})

test('a test is a function, a group of tests is not', () => {
  const body = `() => {\n${lines(69)}}`
  expect(told(measure(`test('a', ${body})`).breaches)).toEqual([expect.stringContaining('given to test has 71')])
  expect(told(measure(`test.each([1])('a', ${body})`).breaches)).toHaveLength(1)
  const group = `() => {\n${lines(69)}test('b', () => c())\n}`
  expect(measure(`describe('a', ${group}); function contract() { test.each([1])('a', ${group}) }`).breaches).toEqual([])
})
