import { dirname } from 'node:path'

import { drivers } from '../../drivers/index.ts'
import { createProfiles } from '../io/profiles.ts'
import { createSecrets } from '../io/secrets.ts'
import { type Checked, checkSettings, inOrder, problemText } from '../settings/check.ts'
import type { PlacedProblem } from '../settings/mistake.ts'
import { checkWorld } from '../settings/world.ts'
import { readArguments } from './arguments.ts'
import { roomForLog } from './doctor/disk.ts'
import { PROFILES_FOLDER } from './repository.ts'
import { readSettingsText, settingsPath } from './settings-file.ts'
import type { Terminal } from './terminal.ts'

export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  const { values, positionals } = readArguments(args, { json: { type: 'boolean', default: false } }, ['[FILE]'])
  const path = settingsPath(positionals[0], terminal)
  const shown = positionals[0] ?? path
  const checked = checkSettings(readSettingsText(path), shown, drivers)
  const besides = dirname(path)
  const io = {
    profiles: createProfiles({ folder: PROFILES_FOLDER, besides }),
    secrets: createSecrets({ besides }),
    roomForLog: (log: string) => roomForLog(besides, log),
  }
  const world = await checkWorld(checked, drivers, io)
  const problems = inOrder([...checked.problems, ...world])
  const ok = problems.every(({ severity }) => severity !== 'error')
  if (values.json) terminal.out(`${JSON.stringify({ file: shown, ok, problems }, undefined, 2)}\n`)
  else {
    for (const problem of problems) terminal.error(`${problemText(problem)}\n`)
    terminal.out(`${summary(shown, checked, problems)}\n`)
  }
  return ok ? 0 : 2
}

function summary(file: string, checked: Checked, problems: readonly PlacedProblem[]): string {
  const errors = problems.filter(({ severity }) => severity === 'error').length
  const warnings = counted(problems.length - errors, 'warning')
  if (errors > 0) return `${file}: ${counted(errors, 'error')}, ${warnings}`
  const { connections = [], upstream = [], consumers = [] } = checked.settings ?? {}
  const parts = [
    counted(connections.length, 'connection'),
    counted(upstream.length, 'upstream'),
    counted(consumers.length, 'consumer'),
  ]
  return `${file}: good, ${warnings} (${parts.join(', ')})`
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
