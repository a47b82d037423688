import { existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { Fault } from '../contract/fault.ts'
import { DataLock } from '../store/sqlite.ts'
import { noLogFault } from '../store/worker-files.ts'
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
