import { join } from 'node:path'
import { readFileText, writeFileDurably } from '../io/files.ts'
import { readArguments } from './arguments.ts'
import { generatedFiles } from './generated-files.ts'
import { REPOSITORY } from './repository.ts'
import type { Terminal } from './terminal.ts'

const READABLE = 0o644

export async function run(args: readonly string[], { out }: Terminal): Promise<number> {
  const { values } = readArguments(args, { check: { type: 'boolean', default: false } })
  const read = (path: string): string | undefined => readFileText(join(REPOSITORY, path))
  const stale = (await generatedFiles(read)).filter(({ path, text }) => read(path) !== text)
  for (const { path, text } of stale) {
    if (!values.check) writeFileDurably(join(REPOSITORY, path), text, READABLE)
    out(`${path} ${values.check ? 'is not what the source says: run `npm run generate`' : 'written'}\n`)
  }
  if (stale.length === 0) out('All generated files are what the source says.\n')
  return values.check && stale.length > 0 ? 1 : 0
}
