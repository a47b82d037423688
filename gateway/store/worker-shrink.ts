import { existsSync, renameSync, rmSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { Sqlite } from './sqlite.ts'
import { syncFile } from './worker-files.ts'

/**
 * SQLite fills freed pages again but never gives them back. Where `storage.maxSize` was lowered the database is
 * written anew at a start, once what it holds fits.
 */
const SHRUNK = '.shrunk'

/**
 * Write what is in use into a file of its own beside the database, if that is larger than it may be, what it holds
 * is not, and the disk has room for both.
 * @returns whether there is such a file now
 */
export function writeShrunk(db: Sqlite, path: string, databaseBytes: number, freeBytes: number): boolean {
  const ask = (pragma: string): number => db.pragma(pragma, { simple: true }) as number
  rmSync(path + SHRUNK, { force: true })
  const pages = ask('page_count')
  const usedBytes = (pages - ask('freelist_count')) * ask('page_size')
  if (pages * ask('page_size') <= databaseBytes || usedBytes > databaseBytes || 2 * usedBytes > freeBytes) return false
  db.prepare('VACUUM INTO ?').run(path + SHRUNK)
  syncFile(path + SHRUNK)
  return true
}

/** Put it in the place of the database, which is closed and has nothing in a WAL any more: else it stays as it was. */
export function adoptShrunk(path: string): void {
  if (existsSync(`${path}-wal`)) {
    rmSync(path + SHRUNK)
    return
  }
  renameSync(path + SHRUNK, path)
  syncFile(dirname(resolve(path)))
}
