import { copyFileSync, existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { Fault } from '../contract/fault.ts'
import { inspect, isWhole } from '../store/inspection.ts'
import { parseMark, restoredText } from '../store/mark.ts'
import { DataLock } from '../store/sqlite.ts'
import { setAside, stampOf, syncFile } from '../store/worker-files.ts'
import { readArguments } from './arguments.ts'
import { readGeneralSettings, settingsPath } from './settings-file.ts'
import { withPages } from './stored-log.ts'
import type { Terminal } from './terminal.ts'

const OPTIONS = { settings: { type: 'string' } } as const

/**
 * Put a backup in the place of a stopped hub's log. The hub sees at its next start that it is not the continuation of what
 * it last knew, and begins a new epoch: no place is given out twice.
 */
export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  const { values, positionals } = readArguments(args, OPTIONS, ['FILE'])
  const settingsFile = settingsPath(values.settings, terminal)
  const settings = readGeneralSettings(settingsFile)
  const path = resolve(dirname(settingsFile), settings.storage.path)
  const backup = resolve(terminal.folder, positionals[0]!)
  if (backup === path) throw new Fault('setup', `${path} is the log itself`, { hint: 'name the backup' })
  const found = await withPages(backup, ({ count, page }) => inspect(count, page))
  if (!isWhole(found)) {
    const hint = 'make a whole log of it first: linli log salvage FILE --to NEW'
    throw new Fault('setup', `${backup} is not a whole log: \`linli log verify\` says what is wrong`, { hint })
  }
  if (found.hub !== undefined && found.hub !== settings.hub.id) {
    const hint = 'give the hub the id of the one whose log it is, or take the right backup'
    throw new Fault('setup', `${backup} is the log of ${found.hub}, this is ${settings.hub.id}`, { hint })
  }
  const lock = DataLock.take(path)
  try {
    const stamp = stampOf(Date.now())
    const aside = existsSync(path) ? setAside(path, `replaced-${stamp}`) : undefined
    for (const end of ['', '-wal']) if (existsSync(backup + end)) copyFileSync(backup + end, path + end)
    for (const end of ['', '-wal']) if (existsSync(path + end)) syncFile(path + end)
    syncFile(dirname(path))
    // Whatever the backup says of itself: it may be older than what was given out, so a new epoch begins.
    lock.write(restoredText(parseMark(lock.read() ?? ''), stamp))
    terminal.out(
      `${path}: restored up to ${found.lastSeq}${aside === undefined ? '' : `; the log before it is ${aside}`}\n`,
    )
  } finally {
    lock.release()
  }
  return 0
}
