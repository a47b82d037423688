import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { atEnd } from '../kept.ts'
import { needs } from '../needs.ts'
import { Account, integrityOf, runWriter } from '../store-account.ts'
import { FaultyDisk } from './faulty-disk.ts'

const BATCHES = 150
/** Little enough that the WAL is copied into the database often. */
const MAX_BYTES = 8_000_000

function prepared(faults: string) {
  const folder = mkdtempSync(join(tmpdir(), 'linli-faulty-log-'))
  const disk = new FaultyDisk()
  atEnd(async () => {
    disk.remove()
    rmSync(folder, { recursive: true })
  })
  return { path: join(folder, 'hub.db'), disk, account: new Account(), environment: disk.environment(faults) }
}

/** Each is met in the course of a run: a commit writes and syncs the WAL, a checkpoint the database, both now and then the mark. */
const FAULTS: readonly (readonly [when: string, faults: string])[] = [
  ['a commit cannot be written', 'write:-wal:60-60:EIO'],
  ['a commit is written in part, and there is no room for the rest', 'write:-wal:61-61:short;write:-wal:62-64:ENOSPC'],
  ['a commit finds no room', 'write:-wal:60-75:ENOSPC'],
  ['a commit cannot be synced', 'sync:-wal:25-25:EIO'],
  ['there is no room when a commit is synced', 'sync:-wal:25-26:ENOSPC'],
  ['a checkpoint cannot be written', 'write:hub.db:40-40:EIO'],
  ['a checkpoint is written in part', 'write:hub.db:40-40:short;write:hub.db:41-42:ENOSPC'],
  ['a checkpoint finds no room', 'write:hub.db:40-44:ENOSPC'],
  ['a checkpoint cannot be synced', 'sync:hub.db:4-4:EIO'],
  ['checkpoints cannot be synced again and again', 'sync:hub.db:4-7:EIO'],
  ['the mark cannot be written', 'write:hub.db-mark:5-7:EIO'],
  ['the mark cannot be synced', 'sync:hub.db-mark:4-6:EIO'],
]
test.each(FAULTS)(
  '%s: refused or done, and nothing acknowledged is lost',
  { ...needs('cc', 'sqlite3'), timeout: 60_000 },
  async (_when, faults) => {
    const { path, disk, account, environment } = prepared(faults)
    const { code, errors } = await runWriter(path, account, { batches: BATCHES, maxBytes: MAX_BYTES, environment })
    expect([code, errors.includes('has come to its end')]).toEqual([0, false])
    expect(disk.failed()).not.toEqual([])
    // Who can't sync goes on with nothing that stood on the file before.
    if (faults.includes('sync:-wal')) expect(account.refused).toBeGreaterThan(0)
    expect(account.kept.size).toBeGreaterThan(BATCHES / 3)
    expect(account.epochs.size).toBe(1)
    expect(await account.wrongs(path)).toEqual([])
    expect(integrityOf(path)).toBe('ok')
  },
)

/** What was told to be done and was not: the log can't know it then, but never takes it for what was written. */
const LIES: readonly (readonly [what: string, faults: string, killAfterKept: number | undefined])[] = [
  ['a page of the database is the one from before', 'write:hub.db:20-20:lie', undefined],
  ['the head of a WAL frame is missing', 'write:-wal:100-100:lie', 150],
  ['the page of a WAL frame is missing', 'write:-wal:101-101:lie', 150],
  ['some frames are missing', 'write:-wal:120-129:lie', 150],
  ['a checkpoint is missing', 'write:hub.db:30-60:lie', 300],
  ['from some moment on the database takes nothing any more', 'write:hub.db:30-1000000:lie', 300],
]
test.each(LIES)(
  'a write that says it is done and is not (%s) is a gap or a new epoch, or harmless',
  { ...needs('cc'), timeout: 60_000 },
  async (_what, faults, killAfterKept) => {
    const { path, disk, account, environment } = prepared(faults)
    const until = killAfterKept === undefined ? { batches: 40 } : { killAfterKept }
    // Where the WAL lies it is not copied into the database before the end.
    const room = faults.includes('-wal') ? {} : { maxBytes: MAX_BYTES }
    await runWriter(path, account, { ...until, ...room, environment })
    expect(disk.failed()).not.toEqual([])
    expect(account.kept.size).toBeGreaterThan(20)
    expect(await account.wrongs(path)).toEqual([])
  },
)
