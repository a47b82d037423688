import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Fault } from '../contract/fault.ts'
import { inspect, isWhole } from '../store/inspection.ts'
import { openSqlite } from '../store/sqlite.ts'
import { syncFile } from '../store/worker-files.ts'
import { readArguments } from './arguments.ts'
import { askHub, localUrl } from './hub-access.ts'
import { settingsPath } from './settings-file.ts'
import { newPath, withPages } from './stored-log.ts'
import type { Terminal } from './terminal.ts'

const OPTIONS = { settings: { type: 'string' }, url: { type: 'string' } } as const

/** The log of a running hub as one whole file, while the hub goes on. */
export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  const { values, positionals } = readArguments(args, OPTIONS, ['FILE'])
  const to = newPath(positionals[0]!, terminal)
  const base = values.url ?? localUrl(settingsPath(values.settings, terminal))
  const partial = `${to}.partial`
  try {
    await fetchInto(partial, base, terminal)
    // The WAL that came along goes into the database, so that one file is all.
    openSqlite(partial).close()
    const found = await withPages(partial, ({ count, page }) => inspect(count, page))
    if (!isWhole(found)) throw tornFault()
    syncFile(partial)
    await rename(partial, to)
    syncFile(dirname(to))
    terminal.out(`${to}: the log of ${found.hub} up to ${found.lastSeq}\n`)
    return 0
  } finally {
    for (const end of ['', '-wal', '-shm']) await rm(partial + end, { force: true })
  }
}

/** The database into a file and the WAL beside it. */
async function fetchInto(file: string, base: string, terminal: Terminal): Promise<void> {
  const answer = await askHub(base, '/v1/backup', terminal)
  const databaseBytes = Number(answer.headers.get('linli-database-bytes'))
  const database = await open(file, 'w', 0o600)
  const wal = await open(`${file}-wal`, 'w', 0o600)
  try {
    let at = 0
    for await (const piece of answer.body ?? []) {
      const own = Math.max(0, Math.min(piece.length, databaseBytes - at))
      if (own > 0) await database.write(piece, 0, own)
      if (own < piece.length) await wal.write(piece, own, piece.length - own)
      at += piece.length
    }
  } catch (cause) {
    throw new Fault('connection', 'the hub broke off in the middle of the backup', { hint: 'ask again', cause })
  } finally {
    await database.close()
    await wal.close()
  }
}

function tornFault(): Fault {
  return new Fault('connection', 'what came is not a whole log', {
    hint: 'ask again; if it stays so, stop the hub: `linli log verify` says what is wrong',
  })
}
