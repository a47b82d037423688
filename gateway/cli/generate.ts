import { join } from 'node:path'
import { Fault } from '../contract/fault.ts'
import { readFileText, writeFileDurably } from '../io/files.ts'
import { readArguments } from './arguments.ts'
import { generatedFiles } from './generated-files.ts'
import { REPOSITORY } from './repository.ts'
import type { Terminal } from './terminal.ts'

const READABLE = 0o644

export async function run(args: readonly string[], { out }: Terminal): Promise<number> {
  const { values } = readArguments(args, { check: { type: 'boolean', default: false } })
  const read = (path: string): string | undefined => readFileText(join(REPOSITORY, path))
  if (read('drivers/index.ts') === undefined) {
    const hint = 'run `npm run generate` in a checkout of the repository'
    throw new Fault('setup', 'there is no source here to make anything from', { hint })
  }
  const stale = (await generatedFiles(read)).filter(({ path, text }) => read(path) !== text)
  for (const { path, text } of stale) {
    if (!values.check) writeFileDurably(join(REPOSITORY, path), text, READABLE)
    out(`${path} ${values.check ? 'is not what the source says: run `npm run generate`' : 'written'}\n`)
  }
  if (stale.length === 0) out('All generated files are what the source says.\n')
  return values.check && stale.length > 0 ? 1 : 0
}
