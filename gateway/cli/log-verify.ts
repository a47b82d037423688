import { EVENT_CLASSES } from '../contract/event.ts'
import { type Inspection, inspect, isWhole } from '../store/inspection.ts'
import { readArguments } from './arguments.ts'
import { logPath, withPages } from './stored-log.ts'
import type { Terminal } from './terminal.ts'

const OPTIONS = { settings: { type: 'string' }, json: { type: 'boolean', default: false } } as const
const LISTED_MAX = 20

/** Whether everything in a log's file is what was written: exit code 1 where it is not. */
export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  const { values, positionals } = readArguments(args, OPTIONS, ['[FILE]'])
  const path = logPath(positionals[0], values.settings, terminal)
  const found = await withPages(path, ({ count, page }) => inspect(count, page))
  const ok = isWhole(found)
  terminal.out(
    values.json ? `${JSON.stringify({ file: path, ok, ...found }, undefined, 2)}\n` : inWords(path, found, ok),
  )
  return ok ? 0 : 1
}

function inWords(path: string, found: Inspection, ok: boolean): string {
  const events = EVENT_CLASSES.map((name) => `${found.events[name]} ${name}`).join(', ')
  const gone = Object.entries(found.gone).map(([reason, count]) => `${count} ${reason}`)
  const wrong = [
    ...(found.epoch === undefined ? ['its epoch can not be read'] : []),
    ...listed('damaged', found.damaged),
    ...listed('missing without a record', found.missing),
  ]
  const lines = [
    `${path}: log of ${found.hub ?? 'an unknown hub'}, epoch ${found.epoch ?? 'unknown'}, ends at ${found.lastSeq}`,
    `  whole: ${events}`,
    `  let go of or lost, and told: ${gone.length === 0 ? 'none' : gone.join(', ')}`,
    ...wrong.map((text) => `  ${text}`),
    ok
      ? '  all of it is what was written'
      : '  the hub goes on with what is whole when it starts; `linli log salvage` and `linli log export` save it elsewhere',
  ]
  return `${lines.join('\n')}\n`
}

function listed(what: string, runs: Inspection['missing']): string[] {
  const shown = runs.slice(0, LISTED_MAX).map(({ fromSeq, toSeq }) => `${what}: places ${fromSeq} to ${toSeq}`)
  return runs.length > LISTED_MAX ? [...shown, `${what}: ${runs.length - LISTED_MAX} runs more`] : shown
}
