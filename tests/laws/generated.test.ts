import { expect, test } from 'vitest'
import { generatedFiles } from '../../gateway/cli/generated-files.ts'
import { staleFiles } from './generated.ts'
import { textFiles, told } from './sources.ts'

const files = new Map(textFiles(/./).map(({ path, text }) => [path, text]))
const read = (path: string) => files.get(path)

test('schemas and tables of options are what the source says', async () => {
  expect(told(staleFiles(await generatedFiles(read), read))).toEqual([])
})

test('a table in a README that somebody changed by hand is found, at its line', async () => {
  const changed = (path: string) =>
    path === 'config/README.md' ? read(path)?.replace('| `4GB`', '| `9GB`') : read(path)
  const [breach, ...others] = staleFiles(await generatedFiles(changed), changed)
  expect([breach?.path, others]).toEqual(['config/README.md', []])
  expect(changed('config/README.md')?.split('\n')[(breach?.line ?? 0) - 1]).toContain('storage.maxSize')
})

test('a schema that is not there is found', () => {
  expect(told(staleFiles([{ path: 'config/a.json', text: '{}\n' }], () => undefined))).toEqual([
    'config/a.json:1 not what the source says: run `npm run generate` and commit it',
  ])
})
