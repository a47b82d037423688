import { runHub } from '../main.ts'
import { readArguments } from './arguments.ts'
import { readSettingsText, settingsPath } from './settings-file.ts'
import type { Terminal } from './terminal.ts'

export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  const { positionals } = readArguments(args, {}, ['[FILE]'])
  const settingsFile = settingsPath(positionals[0], terminal)
  // A file that is not there is told here, in two lines, before anything of a hub is loaded.
  readSettingsText(settingsFile)
  return runHub({ settingsFile })
}
