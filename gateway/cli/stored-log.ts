import { existsSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { Fault, isFault } from '../contract/fault.ts'
import { DataLock } from '../store/sqlite.ts'
import { noLogFault, walSalt } from '../store/worker-files.ts'
import { RawPages } from '../store/worker-pages.ts'
import { readGeneralSettings, settingsPath } from './settings-file.ts'
import type { Terminal } from './terminal.ts'

/** The log that is meant: the file given, else that of the settings. */
export function logPath(file: string | undefined, settings: string | undefined, terminal: Terminal): string {
  if (file !== undefined) return resolve(terminal.folder, file)
  const path = settingsPath(settings, terminal)
  return resolve(dirname(path), readGeneralSettings(path).storage.path)
}

/** The path of a file that is to be made. @throws Fault of reach `setup` when it is there already */
export function newPath(file: string, { folder }: Terminal): string {
  const path = resolve(folder, file)
  if (!existsSync(path)) return path
  throw new Fault('setup', `${path} is there already`, { hint: 'give the name of a file that is not' })
}

/**
 * Look into the file of a log, page by page, while no hub has it open. Nothing is changed.
 * @throws Fault of reach `setup` when a hub has it open, or there is none
 */
export async function withPages<T>(path: string, look: (pages: RawPages) => T | Promise<T>): Promise<T> {
  if (!existsSync(path) && !existsSync(`${path}-wal`)) {
    throw noLogFault(path)
  }
  // A copy or a file that was set aside has no mark beside it, and nobody holds it.
  const lock = existsSync(`${path}-mark`) ? DataLock.take(path) : undefined
  try {
    const pages = RawPages.open(path)
    try {
      return await look(pages)
    } finally {
      pages.close()
    }
  } finally {
    lock?.release()
  }
}

/** A hub at work copies its WAL into the database every few minutes: a second look is seldom needed. */
const LOOKS_MAX = 4

/**
 * The same, also while a hub has it open: then what was read counts only where the database stood still meanwhile. The hub
 * copies pages into it only that its WAL holds, and what the WAL held at the beginning is read there.
 */
export async function withStandingPages<T>(path: string, look: (pages: RawPages) => T | Promise<T>): Promise<T> {
  try {
    return await withPages(path, look)
  } catch (error) {
    if (!isFault(error) || error.code !== 'store-in-use') throw error
  }
  for (let n = 0; n < LOOKS_MAX; n++) {
    const before = standOf(path)
    const pages = RawPages.open(path)
    try {
      const result = await look(pages)
      if (standOf(path) === before) return result
    } catch (error) {
      // What was torn in the middle of a copy is no sign of anything.
      if (standOf(path) === before) throw error
    } finally {
      pages.close()
    }
  }
  const hint = 'take a copy of it and look into that: linli backup FILE'
  throw new Fault('setup', `the hub writes into ${path} faster than it can be read`, { hint })
}

/** Another text after whatever changed what was read. */
function standOf(path: string): string {
  const { mtimeNs, size } = statSync(path, { bigint: true })
  return `${mtimeNs} ${size} ${walSalt(path)}`
}
