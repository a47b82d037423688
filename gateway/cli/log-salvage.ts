import { resolve } from 'node:path'
import { Fault } from '../contract/fault.ts'
import { salvageInto } from '../store/log-file.ts'
import { readArguments, UsageError } from './arguments.ts'
import { newPath, withPages } from './stored-log.ts'
import type { Terminal } from './terminal.ts'

const OPTIONS = { to: { type: 'string' }, json: { type: 'boolean', default: false } } as const

/** A new log of everything that is whole in a damaged one, whatever its size. The damaged one stays as it is. */
export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  const { values, positionals } = readArguments(args, OPTIONS, ['FILE'])
  if (values.to === undefined) throw new UsageError('--to NEW is missing')
  const from = resolve(terminal.folder, positionals[0]!)
  const to = newPath(values.to, terminal)
  const salvaged = await withPages(from, (pages) => salvageInto(to, pages))
  if (salvaged === undefined) {
    throw new Fault('setup', `${from} holds no event that is whole`, { hint: 'is it a log, or what was one?' })
  }
  const { events, lostPlaces, lastSeq } = salvaged
  terminal.out(
    values.json
      ? `${JSON.stringify({ file: to, ...salvaged }, undefined, 2)}\n`
      : `${to}: ${events} events, ${lostPlaces} places lost, ends at ${lastSeq}; \`linli restore\` puts it in force\n`,
  )
  return 0
}
