import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { Fault } from '../contract/fault.ts'

/** The files of a log as files: which are there, what they are called, and what is done with one that is damaged. */

const PAGE_BYTES = 4096
const WAL_HEADER_BYTES = 32

/** The first salt in the header of the WAL (sqlite.org/fileformat2, section 4.1); undefined when there is no WAL. */
export function walSalt(path: string): number | undefined {
  if (sizeOf(`${path}-wal`) < WAL_HEADER_BYTES) return undefined
  const header = Buffer.alloc(WAL_HEADER_BYTES)
  const file = openSync(`${path}-wal`, 'r')
  try {
    readSync(file, header, 0, WAL_HEADER_BYTES, 0)
  } finally {
    closeSync(file)
  }
  return header.readUInt32BE(16)
}

/** How a moment is written in the name of a file: 20261123T080000Z. */
export function stampOf(wallMs: number): string {
  return new Date(wallMs).toISOString().replaceAll(/[-:]|\.\d+/g, '')
}

/** Give a WAL that does not belong to the database another name. */
export function setWalAside(path: string, suffix: string): string {
  const aside = `${path}-wal.${suffix}`
  renameSync(`${path}-wal`, aside)
  return aside
}

/** Give the database and its WAL another name, so that whoever can may still read what is in it. Nothing is deleted. */
export function setAside(path: string, suffix: string): string {
  let aside = `${path}.${suffix}`
  for (let n = 2; existsSync(aside) || existsSync(`${aside}-wal`); n++) aside = `${path}.${suffix}-${n}`
  // The database first: a WAL left alone is seen as such at the next start, a database without its WAL is not.
  for (const end of ['', '-wal', '-shm']) {
    if (existsSync(path + end)) renameSync(path + end, aside + end)
  }
  return aside
}

const SALVAGE = '.salvage'

/**
 * From here on a damaged log at this path is to be saved into a new one; a start that finds it unfinished begins
 * anew. @returns the name of the file to build
 */
export function beginSalvage(path: string): string {
  closeSync(openSync(path + SALVAGE, 'w', 0o600))
  return path + SALVAGE
}

/** What was built stands under the name of the log, durably. */
export function finishSalvage(path: string): void {
  syncFile(path + SALVAGE)
  renameSync(path + SALVAGE, path)
  syncFile(dirname(resolve(path)))
}

/** The name of the file that was set aside last, where saving what is in it was not finished. */
export function unfinishedSalvage(path: string, suffix: string): string | undefined {
  if (!existsSync(path + SALVAGE) || existsSync(path)) return undefined
  const folder = dirname(resolve(path))
  const aside = readdirSync(folder).filter((name) => name.startsWith(`${basename(path)}.${suffix}`))
  const newest = aside
    .map((name) => name.replace(/-(wal|shm)$/, ''))
    .sort()
    .at(-1)
  return newest === undefined ? undefined : resolve(folder, newest)
}

export function endSalvage(path: string): void {
  rmSync(path + SALVAGE, { force: true })
}

/** What was written into the file, or the names in the folder, are on the disk when this returns. */
export function syncFile(path: string): void {
  const file = openSync(path, 'r')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/** Somebody asks for a log where none is. */
export function noLogFault(path: string): Fault {
  return new Fault('setup', `there is no log at ${path}`, {
    code: 'store',
    hint: 'is storage.path right? has a hub run?',
  })
}

/** A few bytes that SQLite would take for an empty file and write over; a file that is really empty is none. */
export function isTooShort(path: string): boolean {
  const bytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  return bytes > 0 && bytes < PAGE_BYTES && !existsSync(`${path}-wal`)
}

/** Size of the database and its WAL on the disk; a file that can't be looked at counts for nothing. */
export function bytesOnDisk(path: string): number {
  return sizeOf(path) + sizeOf(`${path}-wal`)
}

/** True where a WAL stands whose database is gone: SQLite would delete it. */
export function isOrphanWal(path: string): boolean {
  return sizeOf(path) === 0 && sizeOf(`${path}-wal`) > 0
}

function sizeOf(file: string): number {
  try {
    return statSync(file).size
  } catch {
    return 0
  }
}

/** True where a file was set aside from this path with a suffix that begins so. */
export function wasSetAside(path: string, suffix: string): boolean {
  return readdirSync(dirname(resolve(path))).some((name) => name.startsWith(`${basename(path)}.${suffix}`))
}
