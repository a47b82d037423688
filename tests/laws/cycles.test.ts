import { expect, test } from 'vitest'
import { cycles } from './cycles.ts'
import { allSources, source, told } from './sources.ts'

const of = (files: Readonly<Record<string, string>>) =>
  told(cycles(Object.entries(files).map(([path, text]) => source(path, text))))

test('no file imports itself by way of others, types included', () => {
  expect(told(cycles(allSources()))).toEqual([])
})

test('a ring of three is found, also where one arrow carries only a type', () => {
  expect(
    of({
      'a.ts': "import { b } from './b.ts'",
      'b.ts': "import type { C } from './c.ts'",
      'c.ts': "import { a } from './a.ts'",
      'd.ts': "import { a } from './a.ts'",
    }),
  ).toEqual(['a.ts:1 imports itself by way of b.ts > c.ts > a.ts: move what both need into a file of its own'])
})

test('a file that imports itself is a ring of one', () => {
  expect(of({ 'a.ts': "import { a } from './a.ts'" })).toHaveLength(1)
})

test('a diamond is no ring', () => {
  expect(
    of({
      'a.ts': "import './b.ts'; import './c.ts'",
      'b.ts': "import './d.ts'",
      'c.ts': "import './d.ts'",
      'd.ts': '',
    }),
  ).toEqual([])
})
