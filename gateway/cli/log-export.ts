import { cloudEventJson } from '../contract/cloud-event.ts'
import { EVENT_CLASSES } from '../contract/event.ts'
import { maySee, type Rights } from '../contract/rights.ts'
import { rightsSchema } from '../contract/rights-schema.ts'
import { storedEntries } from '../store/inspection.ts'
import { readArguments, UsageError } from './arguments.ts'
import { logPath, withPages } from './stored-log.ts'
import type { Terminal } from './terminal.ts'

const OPTIONS = {
  settings: { type: 'string' },
  types: { type: 'string' },
  devices: { type: 'string' },
  classes: { type: 'string' },
  after: { type: 'string' },
} as const

/** Every event of a log's file that can be read, one CloudEvent a line, as a hub would give it; gaps at their place. */
export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  const { values, positionals } = readArguments(args, OPTIONS, ['[FILE]'])
  const wanted = wantedOf(values)
  const after = Number(values.after ?? 0)
  if (!Number.isSafeInteger(after) || after < 0) throw new UsageError(`--after ${values.after} is no place in the log`)
  await withPages(logPath(positionals[0], values.settings, terminal), ({ count, page }) => {
    const { hub = 'unknown', entries } = storedEntries(count, page)
    for (const entry of entries) {
      const last = entry.kind === 'event' ? entry.seq : entry.toSeq
      if (last > after && maySee(wanted, entry)) terminal.out(`${cloudEventJson(hub, entry)}\n`)
    }
  })
  return 0
}

type Filter = 'types' | 'devices' | 'classes'

function wantedOf(values: { readonly [name in Filter]?: string }): Rights {
  const list = (name: Filter): readonly string[] | undefined => values[name]?.split(',')
  const given = Object.fromEntries(
    (['types', 'devices', 'classes'] as const).flatMap((name) => {
      const patterns = list(name)
      return patterns === undefined ? [] : [[name, patterns]]
    }),
  )
  const parsed = rightsSchema.safeParse({ ...given, privacy: 'sensitive' })
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  const hint = issue?.path[0] === 'classes' ? `there are ${EVENT_CLASSES.join(', ')}` : (issue?.message ?? '')
  throw new UsageError(`--${String(issue?.path[0])}: ${hint}`)
}
