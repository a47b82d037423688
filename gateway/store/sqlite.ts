import { closeSync, existsSync, mkdirSync, openSync, renameSync, rmSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { crc32 } from 'node:zlib'
import Database from 'better-sqlite3'
import { Fault } from '../contract/fault.ts'
import { beginSalvage, finishSalvage, noLogFault } from './worker-files.ts'

/** The way to SQLite: this file opens it, settles how durable it is, and says what its errors mean. */
export type Sqlite = Database.Database
export type Statement<Parameters extends unknown[] = unknown[], Row = unknown> = Database.Statement<Parameters, Row>

/** Before this, two connections that checkpoint at once could reset the WAL under each other (sqlite.org, release 3.51.3). */
const SQLITE_OLDEST = [3, 51, 3] as const
const PAGE_BYTES = 4096
/** Of 4 KiB pages; what is read again soon is at the end of the log, and small. */
const CACHE_KIB = 2048

/**
 * Open (or make) the database with every commit synced. better-sqlite3 is compiled so that a WAL database that is
 * opened again runs at synchronous=NORMAL, which loses acknowledged commits in a power cut: so FULL is set each
 * time and read back, like everything else that durability hangs on.
 * @throws Fault of reach `setup` when a promise can't be kept with this SQLite; errors of SQLite as they are.
 */
export function openSqlite(path: string): Sqlite {
  if (!existsSync(path)) closeSync(openSync(path, 'a', 0o600))
  const db = new Database(path, { timeout: 2000 })
  try {
    // Alone with the file: the WAL index stays in memory, and no reader of another process can hold up a checkpoint.
    // Before anything else, for whatever looks at the file first makes the index a file (sqlite.org/wal, section 8).
    db.pragma('locking_mode=EXCLUSIVE')
    checkVersion(db.prepare('SELECT sqlite_version()').pluck().get() as string)
    db.pragma(`page_size=${PAGE_BYTES}`)
    settle(db, 'journal_mode', 'wal')
    settle(db, 'synchronous', 2, 'FULL')
    settle(db, 'wal_autocheckpoint', 0)
    settle(db, 'mmap_size', 0)
    settle(db, 'journal_size_limit', -1)
    settle(db, 'trusted_schema', 0)
    settle(db, 'cell_size_check', 1)
    settle(db, 'cache_size', -CACHE_KIB)
    settle(db, 'temp_store', 2)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/**
 * Copy what is in the WAL into the database, and sync that, before anything is acknowledged. When a sync failed, the kernel
 * takes what it holds for written, and says so from then on: a WAL that looks whole may be on the disk in part, and what is
 * written behind it would be lost with it in a power cut. A copy is written anew, and its sync counts.
 * @param afterTrouble the disk failed a moment ago; otherwise one that is only full is no reason to stay closed
 */
export function settleWal(db: Sqlite, afterTrouble: boolean): void {
  try {
    db.pragma('wal_checkpoint(PASSIVE)')
  } catch (error) {
    if (afterTrouble || trouble(error) !== 'full') throw error
  }
}

/**
 * Look into a log that nobody has open, and change nothing in it.
 * @throws Fault of reach `setup` where a hub has it open or there is none; errors of SQLite as they are
 */
export function lookInto<T>(path: string, look: (db: Sqlite) => T): T {
  if (!existsSync(path)) throw noLogFault(path)
  const lock = DataLock.take(path)
  try {
    return lookUnder(path, look)
  } finally {
    lock.release()
  }
}

function lookUnder<T>(path: string, look: (db: Sqlite) => T): T {
  const besides = ['-shm', '-wal'].map((end) => path + end)
  const made = besides.filter((file) => !existsSync(file))
  const db = new Database(path, { readonly: true, fileMustExist: true, timeout: 0 })
  try {
    return look(db)
  } finally {
    db.close()
    // SQLite leaves what it made for reading; a hub under another name could not write it.
    for (const file of made) rmSync(file, { force: true })
  }
}

function checkVersion(version: string): void {
  const parts = version.split('.').map(Number)
  for (const [at, least] of SQLITE_OLDEST.entries()) {
    const part = parts[at] ?? 0
    if (part > least) return
    if (part < least) {
      throw new Fault('setup', `SQLite ${version} may corrupt a log (WAL reset race)`, {
        code: 'store',
        hint: `use a better-sqlite3 that brings SQLite ${SQLITE_OLDEST.join('.')} or newer`,
      })
    }
  }
}

function settle(db: Sqlite, name: string, wanted: number | string, word: string = String(wanted)): void {
  db.pragma(`${name}=${word}`)
  const found = db.pragma(name, { simple: true })
  // A build without memory mapping answers nothing to mmap_size, which is as good as 0.
  if (found === wanted || (name === 'mmap_size' && found === undefined)) return
  throw new Fault(
    'setup',
    `SQLite has ${name}=${String(found)} where ${wanted} is needed to keep what was acknowledged`,
    {
      code: 'store',
      hint: 'use the better-sqlite3 that package-lock.json names',
    },
  )
}

/**
 * Holds the data folder for this process until it is released or the process ends, however it ends: the kernel's
 * lock on a file of its own, taken through SQLite because Node has none. One text can be kept in that file.
 */
export class DataLock {
  readonly #db: Sqlite

  private constructor(db: Sqlite) {
    this.#db = db
  }

  /** @throws Fault of reach `setup` when somebody else holds it. */
  static take(path: string): DataLock {
    mkdirSync(dirname(resolve(path)), { recursive: true, mode: 0o700 })
    const file = `${path}-mark`
    try {
      return new DataLock(openMark(file))
    } catch (error) {
      const what = trouble(error)
      if (what === 'damage') {
        renameSync(file, `${file}.damaged`)
        return new DataLock(openMark(file))
      }
      if (what !== 'busy') throw error
      throw new Fault('setup', `the log ${path} is in use by another process`, {
        code: 'store-in-use',
        hint: 'stop the other hub first (systemctl stop linli-hub), or give this one a storage.path of its own',
        cause: error,
      })
    }
  }

  /** The text that was kept last; undefined when there is none that is whole. */
  read(): string | undefined {
    const row = this.#db.prepare<[], { text: string; crc: number }>('SELECT text, crc FROM mark').get()
    return row !== undefined && crc32(row.text) === row.crc ? row.text : undefined
  }

  /** Keep a text: durable when it returns, and a power cut leaves the old or the new. */
  write(text: string): void {
    this.#db.prepare('INSERT OR REPLACE INTO mark (id, text, crc) VALUES (1, ?, ?)').run(text, crc32(text))
  }

  release(): void {
    this.#db.close()
  }
}

function openMark(file: string): Sqlite {
  if (!existsSync(file)) closeSync(openSync(file, 'a', 0o600))
  const db = new Database(file, { timeout: 0 })
  try {
    // In this mode a lock that was taken once is kept behind the end of the transaction.
    db.pragma('locking_mode=EXCLUSIVE')
    settle(db, 'journal_mode', 'truncate')
    settle(db, 'synchronous', 2, 'FULL')
    db.exec('BEGIN EXCLUSIVE; CREATE TABLE IF NOT EXISTS mark (id INTEGER PRIMARY KEY, text TEXT, crc INTEGER); COMMIT')
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/** What an error of SQLite means for the log; undefined for anything that is a bug of ours. */
export type Trouble = 'damage' | 'full' | 'io' | 'busy'

export function trouble(error: unknown): Trouble | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined
  const { code } = error
  if (/^SQLITE_(CORRUPT|NOTADB|FORMAT)/.test(code)) return 'damage'
  if (code === 'SQLITE_FULL' || code === 'ENOSPC') return 'full'
  if (/^SQLITE_(BUSY|LOCKED)/.test(code)) return 'busy'
  if (
    /^(SQLITE_(IOERR|CANTOPEN|READONLY|PERM|AUTH|NOLFS|PROTOCOL)|EIO$|EROFS$|EACCES$|EPERM$|ENOENT$|ENOTDIR$|ESTALE$)/.test(
      code,
    )
  ) {
    return 'io'
  }
  return undefined
}

/** Make a database at once, durable and whole under its name when this returns; nothing stands there where `fill` throws. */
export function buildSqlite<T>(path: string, fill: (db: Sqlite) => T): T {
  // A crash in the middle of it begins anew, so nothing of it needs a journal.
  const building = beginSalvage(path)
  const db = new Database(building)
  let result: T
  try {
    for (const pragma of [`page_size=${PAGE_BYTES}`, 'journal_mode=OFF', 'synchronous=OFF']) db.pragma(pragma)
    result = db.transaction(() => fill(db)).immediate()
  } finally {
    db.close()
  }
  finishSalvage(path)
  return result
}
