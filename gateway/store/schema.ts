import { crc32 } from 'node:zlib'
import { EVENT_CLASSES } from '../contract/event.ts'
import type { Sqlite } from './sqlite.ts'

/**
 * The tables of the log (format 1).
 *
 * - `telemetry`, `status`, `alarm`, `audit`: one table a class, so that each is trimmed without leaving holes in
 *   the pages of another; one counter of places (`seq`) over all four. The key `last` is the place of the row's last
 *   event: 'everything behind N' is one search, and the log's end is the largest key. `head` and `body`: see
 *   `row.ts`. Telemetry has many events a row, the others one. There is no other index: each would dirty a second
 *   page in every commit.
 * - `gap`: places whose events are no longer held, as runs that never overlap; what took an event away wrote the
 *   run in the same transaction. So every place from 1 to the end is in exactly one row or one run, the end is
 *   known when all rows are gone, and no place is given out twice.
 * - `cursor`: where each consumer stands. `boot`: one row each time the log was opened, the zero of that run's
 *   monotonic clock; a row of events names its boot. `meta`: the epoch and whose log it is.
 * - `quarantine`: rows whose CRC was wrong, as they were found.
 *
 * Later versions only add tables and columns (a version before must be able to go on after a rolled back update).
 */
export const FORMAT_VERSION = 1
/** 'Linl' in ASCII, in the header of the file (file(1) and PRAGMA application_id show it). */
export const APPLICATION_ID = 0x4c696e6c

const TABLES = [
  'CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL, crc INTEGER NOT NULL) WITHOUT ROWID',
  `CREATE TABLE boot (id INTEGER PRIMARY KEY, from_seq INTEGER NOT NULL, wall_ms INTEGER NOT NULL,
     mono_us INTEGER NOT NULL, clock TEXT NOT NULL, kernel TEXT NOT NULL, uptime_s REAL NOT NULL, crc INTEGER NOT NULL)`,
  ...EVENT_CLASSES.map(
    (name) => `CREATE TABLE ${name} (last INTEGER PRIMARY KEY, head BLOB NOT NULL, body BLOB NOT NULL)`,
  ),
  `CREATE TABLE gap (last INTEGER PRIMARY KEY, first INTEGER NOT NULL, reason TEXT NOT NULL, counts TEXT NOT NULL,
     first_ms INTEGER, last_ms INTEGER, crc INTEGER NOT NULL)`,
  `CREATE TABLE cursor (consumer TEXT PRIMARY KEY, epoch TEXT NOT NULL, seq INTEGER NOT NULL, crc INTEGER NOT NULL)
     WITHOUT ROWID`,
  `CREATE TABLE quarantine (id INTEGER PRIMARY KEY, class TEXT NOT NULL, last INTEGER NOT NULL, head BLOB, body BLOB,
     reason TEXT NOT NULL)`,
]

/** Tables that came after the first version: made where they are missing, also in a log that stands. */
const ADDED: readonly string[] = [
  // Classes in which a consumer is further on than its row in `cursor` says.
  `CREATE TABLE class_cursor (consumer TEXT NOT NULL, class TEXT NOT NULL, epoch TEXT NOT NULL, seq INTEGER NOT NULL,
     crc INTEGER NOT NULL, PRIMARY KEY (consumer, class)) WITHOUT ROWID`,
  // What the rows of a class up to a place come to; `usage.ts` keeps it.
  `CREATE TABLE usage (class TEXT PRIMARY KEY, seq INTEGER NOT NULL, rows INTEGER NOT NULL, bytes INTEGER NOT NULL,
     boot INTEGER NOT NULL, crc INTEGER NOT NULL) WITHOUT ROWID`,
  // The links of the audit events; `audit-chain.ts`.
  'CREATE TABLE audit_link (last INTEGER PRIMARY KEY, hash BLOB NOT NULL)',
  // Wall time less monotonic time of a run in which the clock was found later; `clock-fixes.ts`.
  'CREATE TABLE clock_fix (boot INTEGER PRIMARY KEY, offset_ms REAL NOT NULL, crc INTEGER NOT NULL)',
]

/** Make what a log of an earlier version does not have. */
export function addTables(db: Sqlite): void {
  for (const table of ADDED) db.exec(table.replace('CREATE TABLE', 'CREATE TABLE IF NOT EXISTS'))
}

/** Make the tables in an empty database, in the transaction that is open. */
export function createTables(db: Sqlite): void {
  for (const table of TABLES) db.exec(table)
  addTables(db)
  db.pragma(`application_id=${APPLICATION_ID}`)
  db.pragma(`user_version=${FORMAT_VERSION}`)
}

/** True where nobody has made a table yet. */
export function isEmpty(db: Sqlite): boolean {
  return db.prepare('SELECT count(*) FROM sqlite_schema').pluck().get() === 0
}

/** What is wrong with the file as a log of this format; undefined when it is one. */
export function schemaProblem(db: Sqlite): string | undefined {
  const application = db.pragma('application_id', { simple: true })
  if (application !== APPLICATION_ID) return `it is no log of Linli Hub (application_id ${String(application)})`
  const version = db.pragma('user_version', { simple: true }) as number
  if (version !== FORMAT_VERSION) return `it has format ${version}, this version knows ${FORMAT_VERSION}`
  const standing = db.prepare<[], { name: string; sql: string }>(
    "SELECT name, sql FROM sqlite_schema WHERE type = 'table'",
  )
  const texts = new Map(standing.all().map(({ name, sql }) => [name, String(sql)]))
  for (const table of [...TABLES, ...ADDED]) {
    const name = table.split(' ')[2]!
    const text = texts.get(name)
    if (text === undefined && TABLES.includes(table)) return `table ${name} is missing`
    // A later version may have added columns behind ours.
    if (text !== undefined && !text.startsWith(columnsOf(table))) return `table ${name} is declared in another way`
  }
  return undefined
}

/** The declaration of a table without its end. */
function columnsOf(table: string): string {
  return table.slice(0, table.lastIndexOf(')'))
}

/** The CRC that a record of the small tables carries: over all its values. */
export function recordCrc(...values: readonly (string | number | null)[]): number {
  return crc32(JSON.stringify(values))
}
