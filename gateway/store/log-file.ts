import { basename } from 'node:path'
import { EVENT_CLASSES, type EventClass } from '../contract/event.ts'
import { Boots, type Opening } from './boots.ts'
import { Engine } from './engine.ts'
import { Gaps } from './gaps.ts'
import type { Parcel, Stream } from './parcel.ts'
import { DamagedRow, decodeHead } from './row.ts'
import { createTables, isEmpty, recordCrc, schemaProblem } from './schema.ts'
import { isOrphanWal, isTooShort, openSqlite, type Sqlite, setAside, trouble, wasSetAside } from './sqlite.ts'

export interface LogFile {
  readonly path: string
  readonly hub: string
  /** The log must reach at least to this place of this epoch, or it is not the continuation of what was acknowledged. */
  readonly atLeast?: { readonly epoch: string; readonly seq: number }
}

/** How the name of a file that was set aside goes on. */
const ASIDE = 'damaged-'

/** A file that could not be gone on with, where it is now, and what was wrong with it. */
export interface SetAside {
  readonly aside: string
  readonly reason: string
}

/** The file is not a log that can be gone on with. */
class Unfit extends Error {}

/**
 * Open the log, or make one. A file that is damaged or not the continuation is set aside under another name, never
 * deleted, and a new epoch begins that says so in its first place.
 * @throws Fault of reach `setup`; errors of the disk as SQLite gives them.
 */
export function openLogFile(file: LogFile, opening: Opening): { engine: Engine; setAside?: SetAside } {
  const standing = tryOpen(file, opening)
  if (standing instanceof Engine) return { engine: standing }
  const stamp = new Date(opening.wallMs).toISOString().replaceAll(/[-:]|\.\d+/g, '')
  const away: SetAside = { aside: setAside(file.path, `${ASIDE}${stamp}`), reason: standing.reason }
  const fresh = tryOpen({ path: file.path, hub: file.hub }, opening)
  if (!(fresh instanceof Engine)) throw new Error(`a new log is unfit at once: ${fresh.reason}`)
  fresh.commit(...alarm(away, opening), [])
  return { engine: fresh, setAside: away }
}

function tryOpen(file: LogFile, opening: Opening): Engine | { readonly reason: string } {
  let db: Sqlite | undefined
  try {
    if (isOrphanWal(file.path)) throw new Unfit('the database is gone, its WAL is there')
    if (isTooShort(file.path)) throw new Unfit('it is too short to be a database')
    db = openSqlite(file.path)
    if (isEmpty(db)) create(db, file)
    const { epoch, lastSeq } = check(db, file)
    return new Engine(db, epoch, lastSeq, opening)
  } catch (error) {
    db?.close()
    if (error instanceof Unfit || trouble(error) === 'damage') return { reason: (error as Error).message }
    throw error
  }
}

/** A new log. Where another one was set aside, the first place is the record that tells every consumer. */
function create(db: Sqlite, { path, hub }: LogFile): void {
  db.transaction(() => {
    createTables(db)
    const epoch = db.prepare('SELECT lower(hex(randomblob(8)))').pluck().get() as string
    const put = db.prepare('INSERT INTO meta (name, value, crc) VALUES (?, ?, ?)')
    for (const [name, value] of Object.entries({ epoch, hub })) put.run(name, value, recordCrc(name, value))
    if (wasSetAside(path, ASIDE)) new Gaps(db).add([{ fromSeq: 1, toSeq: 1, reason: 'epoch-change', counts: {} }])
  }).immediate()
}

/** The epoch of a log in order, and the last place that was given out. */
function check(db: Sqlite, { atLeast }: LogFile): { epoch: string; lastSeq: number } {
  const problem = schemaProblem(db)
  if (problem !== undefined) throw new Unfit(problem)
  const meta = db.prepare<[], { value: string; crc: number }>("SELECT value, crc FROM meta WHERE name = 'epoch'").get()
  if (meta === undefined || meta.crc !== recordCrc('epoch', meta.value)) throw new Unfit('its epoch is damaged')
  let lastSeq = Math.max(new Gaps(db).lastSeq(), new Boots(db).lastFromSeq() - 1)
  for (const name of EVENT_CLASSES) {
    const row = db
      .prepare<[], { last: number; head: Buffer }>(`SELECT last, head FROM ${name} ORDER BY last DESC LIMIT 1`)
      .get()
    if (row !== undefined) lastSeq = Math.max(lastSeq, provenSeq(name, row))
  }
  if (atLeast !== undefined && (atLeast.epoch !== meta.value || atLeast.seq > lastSeq)) {
    throw new Unfit(`it ends at ${meta.value}/${lastSeq}, and ${atLeast.epoch}/${atLeast.seq} was acknowledged`)
  }
  return { epoch: meta.value, lastSeq }
}

/** A key whose row does not vouch for it could be any number, and places would be given out twice or left out. */
function provenSeq(name: EventClass, { last, head }: { last: number; head: Buffer }): number {
  try {
    return decodeHead(name, last, head).lastSeq
  } catch (error) {
    if (error instanceof DamagedRow) throw new Unfit(`where it ends is not sure: ${error.message}`)
    throw error
  }
}

/** The event that reports it: an alarm of the hub itself. */
function alarm({ aside, reason }: SetAside, { wallMs, monoUs, clock }: Opening): [Parcel, readonly Stream[]] {
  const text = JSON.stringify({ set_aside: basename(aside), reason })
  const stream: Stream = { class: 'alarm', type: 'linli.log.set-aside', source: '', privacy: 'public', clock }
  return [{ rows: Float64Array.of(0, 0, Math.floor(wallMs), Math.round(monoUs), text.length), text }, [stream]]
}
