import { EVENT_CLASSES, type EventClass } from '../contract/event.ts'
import { Fault } from '../contract/fault.ts'
import { type ClassGrowth, EMPTY_BYTES, type Forecast, forecastOf } from './forecast.ts'
import { type Keeping, roomOf } from './retention.ts'
import { DamagedRow, decodeHead } from './row.ts'
import { lookInto, type Sqlite, trouble } from './sqlite.ts'
import { bytesOnDisk } from './usage.ts'

const DAY_MS = 86_400_000
/** From less than this nobody can say what a day brings. */
const KNOWN_AFTER_MS = 600_000

interface RowLengths {
  readonly last: number
  readonly head: Buffer
  readonly bodyBytes: number
}

/**
 * What `forecastOf` says of a log that no hub has open.
 * @throws Fault of reach `setup` when one has (`store-in-use`), or the file is no log
 */
export function forecastOfFile(path: string, keeping: Keeping): Forecast {
  try {
    return lookInto(path, (db) => forecastOf(growthIn(db, keeping)))
  } catch (error) {
    if (trouble(error) === undefined) throw error
    const hint = 'is storage.path the log of a hub? Is its user allowed to read it?'
    throw new Fault('setup', `${path} can't be read as a log`, { code: 'store', hint, cause: error })
  }
}

function growthIn(db: Sqlite, { keepMs, maxBytes }: Keeping) {
  const ends = EVENT_CLASSES.flatMap((name) => [rowsIn(db, name, 'ASC'), rowsIn(db, name, 'DESC')])
  const found = ends.map((rows) => rows.next().value).filter((row) => row !== undefined)
  for (const rows of ends) rows.return(undefined)
  const newestMs = Math.max(...found.map(({ latestMs }) => latestMs))
  const oldestMs = Math.min(...found.map(({ earliestMs }) => earliestMs))
  const spanMs = Math.min(DAY_MS, Math.max(KNOWN_AFTER_MS, newestMs - oldestMs))
  const classes = Object.fromEntries(
    EVENT_CLASSES.map((name): [EventClass, ClassGrowth] => [
      name,
      { bytes: bytesIn(db, name), bytesADay: bytesADayIn(db, name, newestMs, spanMs), keepMs: keepMs[name] },
    ]),
  ) as Record<EventClass, ClassGrowth>
  const pages = (pragma: string): number => db.pragma(pragma, { simple: true }) as number
  const usedBytes = (pages('page_count') - pages('freelist_count')) * pages('page_size') - EMPTY_BYTES
  return { classes, usedBytes, startBytes: roomOf(maxBytes).startBytes }
}

function bytesIn(db: Sqlite, name: EventClass): number {
  const lengths = db.prepare<[], { head: number; body: number }>(
    `SELECT length(head) AS head, length(body) AS body FROM ${name}`,
  )
  let bytes = 0
  for (const { head, body } of lengths.iterate()) bytes += bytesOnDisk(head, body)
  return bytes
}

/** What came in the time before the newest event of the log. */
function bytesADayIn(db: Sqlite, name: EventClass, newestMs: number, spanMs: number): number {
  let bytes = 0
  for (const row of rowsIn(db, name, 'DESC')) {
    if (row.latestMs < newestMs - spanMs) break
    bytes += row.bytes
  }
  return (bytes / spanMs) * DAY_MS
}

/** The rows that are whole, from one end. */
function* rowsIn(
  db: Sqlite,
  name: EventClass,
  order: 'ASC' | 'DESC',
): Generator<{ earliestMs: number; latestMs: number; bytes: number }, undefined> {
  const rows = db.prepare<[], RowLengths>(
    `SELECT last, head, length(body) AS bodyBytes FROM ${name} ORDER BY last ${order}`,
  )
  for (const { last, head, bodyBytes } of rows.iterate()) {
    try {
      const { wallMinMs, wallMaxMs } = decodeHead(name, last, head)
      yield { earliestMs: wallMinMs, latestMs: wallMaxMs, bytes: bytesOnDisk(head.length, bodyBytes) }
    } catch (error) {
      if (!(error instanceof DamagedRow)) throw error
    }
  }
}
