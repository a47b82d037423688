import { EVENT_CLASSES, type EventClass } from '../contract/event.ts'
import { Boots, type Opening } from './boots.ts'
import { Cursors } from './cursors.ts'
import { Engine } from './engine.ts'
import { changeEvents, type EpochChange, endedEpoch } from './epoch-change.ts'
import { Gaps } from './gaps.ts'
import type { Retention } from './keeper.ts'
import { linkLater } from './link-later.ts'
import { doubt, isOwnWal, type Mark } from './mark.ts'
import { rebuild, type Salvaged } from './rebuild.ts'
import { DamagedRow, decodeHead } from './row.ts'
import { findRecords, lastSeqIn } from './salvage.ts'
import { addTables, createTables, isEmpty, recordCrc, schemaProblem } from './schema.ts'
import { buildSqlite, openSqlite, type Sqlite, settleWal, trouble } from './sqlite.ts'
import {
  beginSalvage,
  endSalvage,
  isOrphanWal,
  isTooShort,
  setAside,
  setWalAside,
  stampOf,
  unfinishedSalvage,
  walSalt,
  wasSetAside,
} from './worker-files.ts'
import { RawPages } from './worker-pages.ts'

export interface LogFile {
  readonly path: string
  readonly hub: string
  /** The log must reach at least to this place of this epoch, or it is not the continuation of what was acknowledged. */
  readonly atLeast?: { readonly epoch: string; readonly seq: number }
  /** What SQLite said of the file while it was in use: it is not gone on with. */
  readonly damaged?: string
  /** How much is kept and how long; everything when left out. */
  readonly retention?: Retention
}

/** So much is brought over from a damaged log at most: the hub waits for it. All of it stands in the file set aside. */
const SALVAGED_BYTES_MAX = 512 * 1024 * 1024
/** How the name of a file that was set aside goes on. */
const ASIDE = 'damaged-'

export interface OpenedLog {
  readonly engine: Engine
  readonly change?: EpochChange
  /** Name of a WAL that lay beside the log and was not its own. */
  readonly foreignWal?: string
}

/** The file is not a log that can be gone on with. */
class Unfit extends Error {}

/**
 * Open the log, or make one. A file that is damaged is set aside under another name, never deleted, and a new log
 * begins. One that is whole but not provably the continuation goes on under a new epoch, its events and cursors
 * with it. Either way a gap record says so to every consumer, and an alarm to people.
 * @throws Fault of reach `setup`; errors of the disk as SQLite gives them.
 */
export function openLogFile(
  file: LogFile,
  opening: Opening,
  mark: Mark | undefined,
  freeBytes: number | undefined = undefined,
): OpenedLog {
  const stamp = stampOf(opening.wallMs)
  const salt = walSalt(file.path)
  const judged = file.atLeast === undefined && isOfThisFile(mark) && salt !== undefined && !isOrphanWal(file.path)
  const foreign = judged && !isOwnWal(mark, salt)
  const foreignWal = foreign ? { foreignWal: setWalAside(file.path, `foreign-${stamp}`) } : {}
  const found = { mark, walSalt: foreign ? undefined : salt }
  const interrupted = unfinishedSalvage(file.path, ASIDE)
  const standing = interrupted === undefined ? tryOpen(file, opening, found) : { unfit: 'saving it was interrupted' }
  if (!('unfit' in standing)) return { ...standing, ...foreignWal }
  beginSalvage(file.path)
  const aside = interrupted ?? setAside(file.path, `${ASIDE}${stamp}`)
  const salvaged = salvageFrom(aside, file, mark, freeBytes)
  const reached = { epoch: file.atLeast?.epoch ?? mark?.epoch, seq: file.atLeast?.seq ?? mark?.lastSeq }
  const before = endedEpoch(salvaged?.epoch, salvaged?.lastSeq ?? 0, reached)
  const change = { reason: standing.unfit, aside, before, ...(salvaged === undefined ? {} : { salvaged }) }
  const fresh = tryOpen({ path: file.path, hub: file.hub }, opening, 'built now')
  if ('unfit' in fresh) throw new Error(`a new log is unfit at once: ${fresh.unfit}`)
  fresh.engine.commit(...changeEvents({ ...change, epoch: fresh.engine.epoch }, opening), [])
  return { engine: fresh.engine, change, ...foreignWal }
}

/**
 * Make a new log of what is whole in a damaged one; undefined where there is nothing, or the disk does not let us: then the
 * file that was set aside still has it.
 */
function salvageFrom(
  aside: string,
  { path, hub, atLeast }: LogFile,
  mark: Mark | undefined,
  freeBytes = Number.POSITIVE_INFINITY,
): Salvaged | undefined {
  let source: RawPages | undefined
  try {
    const pages = RawPages.open(aside, 'all')
    source = pages
    const floor = (epoch: string | undefined): number =>
      Math.max(atLeast?.seq ?? 0, isOfThisFile(mark) && mark.epoch === (epoch ?? mark.epoch) ? mark.lastSeq : 0)
    return salvageInto(path, pages, { hub, floor, roomBytes: Math.min(SALVAGED_BYTES_MAX, freeBytes / 2) })
  } catch (error) {
    if (trouble(error) === undefined) throw error
    return undefined
  } finally {
    source?.close()
    endSalvage(path)
  }
}

export interface SalvageHow {
  /** Whose log it is, where the damaged one is to be one of another name. */
  readonly hub?: string
  /** The place that the damaged log of this epoch reached at least. */
  readonly floor?: (epoch: string | undefined) => number
  readonly roomBytes?: number
}

/** Make a new log at `path` of what is whole in the pages of a damaged one; undefined where that is nothing. */
export function salvageInto(
  path: string,
  pages: Pick<RawPages, 'count' | 'page'>,
  { hub, floor = () => 0, roomBytes = Number.POSITIVE_INFINITY }: SalvageHow = {},
): Salvaged | undefined {
  const found = findRecords(pages.count, pages.page)
  if (found.rows.length === 0) return undefined
  return buildSqlite(path, (db) => {
    const epoch = layOut(db, hub ?? found.hub ?? 'unknown')
    const salvaged = rebuild(db, epoch, found, pages.page, { bytes: roomBytes, lastSeq: floor(found.epoch) })
    tellEpochChange(db, salvaged.lastSeq + 1)
    return salvaged
  })
}

/** Of a log that was put there since, it says nothing but that. */
function isOfThisFile(mark: Mark | undefined): mark is Mark {
  return mark !== undefined && mark.restored === undefined
}

interface FoundBeside {
  readonly mark: Mark | undefined
  readonly walSalt: number | undefined
}

function tryOpen(
  file: LogFile,
  opening: Opening,
  beside: FoundBeside | 'built now',
): OpenedLog | { readonly unfit: string } {
  let db: Sqlite | undefined
  try {
    if (file.damaged !== undefined) throw new Unfit(file.damaged)
    if (isOrphanWal(file.path)) throw new Unfit('the database is gone, its WAL is there')
    if (isTooShort(file.path)) throw new Unfit('it is too short to be a database')
    const wal = lookIntoWal(file.path)
    db = openSqlite(file.path)
    const made = isEmpty(db)
    if (made) create(db, file, beside !== 'built now' && beside.mark !== undefined)
    const { epoch, lastSeq } = check(db, file)
    if (wal.lastSeq > lastSeq) throw new Unfit(`its WAL holds place ${wal.lastSeq}, and it ends at ${lastSeq}`)
    settleWal(db, file.atLeast !== undefined)
    const reason = beside === 'built now' ? undefined : reasonForNewEpoch(db, { made, epoch, lastSeq }, file, beside)
    const goesOn = made || reason === undefined
    const engine = goesOn ? new Engine(db, epoch, lastSeq, opening) : goOnAnew(db, epoch, lastSeq, opening)
    linkLater(db, engine, opening)
    if (reason === undefined || beside === 'built now') return { engine }
    const reached = { epoch: beside.mark?.epoch, seq: beside.mark?.lastSeq }
    const change = { reason, before: endedEpoch(made ? undefined : epoch, made ? 0 : lastSeq, reached) }
    engine.commit(...changeEvents({ ...change, epoch: engine.epoch }, opening), [])
    return { engine, change }
  } catch (error) {
    db?.close()
    if (error instanceof Unfit || trouble(error) === 'damage') return { unfit: (error as Error).message }
    throw error
  }
}

/**
 * What the WAL holds stands in the log, or pages of the database are older than what was copied into it: then its end is not
 * what it says, and places would be given out twice.
 */
function lookIntoWal(path: string): { readonly lastSeq: number } {
  const pages = RawPages.open(path)
  try {
    if (pages.walBroken) throw new Unfit('its WAL is damaged before its end')
    return { lastSeq: lastSeqIn(pages.inWal, pages.page) }
  } finally {
    pages.close()
  }
}

function reasonForNewEpoch(
  db: Sqlite,
  { made, epoch, lastSeq }: { readonly made: boolean; readonly epoch: string; readonly lastSeq: number },
  { atLeast }: LogFile,
  { mark, walSalt: salt }: FoundBeside,
): string | undefined {
  if (made) return mark === undefined ? undefined : 'the database is gone'
  // The process that acknowledged asks for it itself: that is proof enough.
  if (atLeast !== undefined) return undefined
  return doubt(mark, { epoch, lastSeq, boot: new Boots(db).last(), walSalt: salt })
}

/** A new log. Where there was another one, the first place is the record that tells every consumer. */
function create(db: Sqlite, { path, hub }: LogFile, hadAnother: boolean): void {
  db.transaction(() => {
    layOut(db, hub)
    if (hadAnother || wasSetAside(path, ASIDE)) tellEpochChange(db, 1)
  }).immediate()
}

/** @returns the new epoch */
function layOut(db: Sqlite, hub: string): string {
  createTables(db)
  const epoch = newEpoch(db)
  putMeta(db, 'epoch', epoch)
  putMeta(db, 'hub', hub)
  return epoch
}

/** Everything that is there, under a new epoch: what a consumer confirmed it has, so its cursor comes along. */
function goOnAnew(db: Sqlite, before: string, lastSeq: number, opening: Opening): Engine {
  const epoch = newEpoch(db)
  db.transaction(() => {
    putMeta(db, 'epoch', epoch)
    new Cursors(db, epoch).bringAlong(before, lastSeq)
    tellEpochChange(db, lastSeq + 1)
  }).immediate()
  return new Engine(db, epoch, lastSeq + 1, opening)
}

function tellEpochChange(db: Sqlite, seq: number): void {
  new Gaps(db).add([{ fromSeq: seq, toSeq: seq, reason: 'epoch-change', counts: {} }])
}

function newEpoch(db: Sqlite): string {
  return db.prepare('SELECT lower(hex(randomblob(8)))').pluck().get() as string
}

function putMeta(db: Sqlite, name: string, value: string): void {
  db.prepare('INSERT OR REPLACE INTO meta (name, value, crc) VALUES (?, ?, ?)').run(name, value, recordCrc(name, value))
}

/** The epoch of a log in order, and the last place that was given out. */
function check(db: Sqlite, { atLeast }: LogFile): { epoch: string; lastSeq: number } {
  const problem = schemaProblem(db)
  if (problem !== undefined) throw new Unfit(problem)
  addTables(db)
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
