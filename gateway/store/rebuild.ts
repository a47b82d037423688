import { EVENT_CLASSES } from '../contract/event.ts'
import { Boots } from './boots.ts'
import { Cursors } from './cursors.ts'
import { endOfRuns, everyClass, type GapRun, Gaps, joined, placesIn } from './gaps.ts'
import type { PageSource } from './page-format.ts'
import { chosenRows, type Findings, type FoundRow, wholeRow } from './salvage.ts'
import { recordCrc } from './schema.ts'
import type { Sqlite } from './sqlite.ts'

/** What was brought over from a damaged log, and what was not. */
export interface Salvaged {
  /** The epoch of the damaged log, where it is known. */
  readonly epoch: string | undefined
  readonly rows: number
  readonly events: number
  /** Places of which nobody knows what stood there. */
  readonly lostPlaces: number
  readonly lastSeq: number
}

/** Sizes are those of the source, about what the copy takes. */
export interface Room {
  readonly bytes: number
  /** The damaged log reached this place at least. */
  readonly lastSeq: number
}

/**
 * Fill an empty log with what is whole of a damaged one, each row at its place, in the transaction that is open. The epoch is
 * another one: what stood at a lost place nobody knows, so nothing may be given out under its name again. Consumers
 * stand where they stood; lost places are gap records.
 */
export function rebuild(db: Sqlite, epoch: string, found: Findings, pages: PageSource, room: Room): Salvaged {
  const copied = copyRows(db, chosenRows(found, room.bytes), pages)
  putBoots(db, found, copied)
  const known = [...found.gaps, ...copied.flatMap(({ runs }) => runs)]
  const reached = endOfRuns(known, room.lastSeq)
  const lost = missingRuns(known, reached)
  new Gaps(db).add([...withoutOverlaps(found.gaps), ...lost])
  if (found.epoch !== undefined) putCursors(db, epoch, found, reached)
  return {
    epoch: found.epoch,
    rows: copied.length,
    events: copied.reduce((sum, { runs }) => sum + placesIn(runs), 0),
    lostPlaces: placesIn(lost),
    lastSeq: reached,
  }
}

function copyRows(db: Sqlite, rows: readonly FoundRow[], pages: PageSource): FoundRow[] {
  const inserts = new Map(
    EVENT_CLASSES.map((name) => [name, db.prepare(`INSERT INTO ${name} (last, head, body) VALUES (?, ?, ?)`)]),
  )
  return rows.filter((row) => {
    const whole = wholeRow(row, pages)
    if (whole === undefined) return false
    inserts.get(row.class)!.run(row.last, whole.head, whole.body)
    return true
  })
}

/** A run whose record is lost keeps its number: no later run may take it, for its events count from another zero. */
function putBoots(db: Sqlite, { boots, clockFixes, links }: Findings, rows: readonly FoundRow[]): void {
  const put = db.prepare('INSERT INTO boot VALUES (?, ?, ?, ?, ?, ?, ?, ?)')
  for (const values of boots.values()) put.run(...values, recordCrc(...values))
  const link = db.prepare('INSERT INTO audit_link VALUES (?, ?)')
  for (const [last, hash] of links) link.run(last, hash)
  const fix = db.prepare('INSERT INTO clock_fix VALUES (?, ?, ?)')
  for (const [boot, offsetMs] of clockFixes) fix.run(boot, offsetMs, recordCrc(boot, offsetMs))
  const newest = rows.reduce((most, { boot }) => Math.max(most, boot), 0)
  if (newest <= new Boots(db).last()) return
  const unknown = [newest, 1, 0, 0, 'never', '', 0]
  put.run(...unknown, recordCrc(...unknown))
}

/** Only cursors of the damaged epoch say anything about its places. */
function putCursors(db: Sqlite, epoch: string, found: Findings, lastSeq: number): void {
  const cursors = new Cursors(db, epoch)
  for (const [consumer, of, seq] of found.cursors) {
    if (of === found.epoch) cursors.reset(consumer, Math.min(seq, lastSeq))
  }
  for (const [consumer, name, of, seq] of found.classCursors) {
    if (of === found.epoch) cursors.reset(consumer, Math.min(seq, lastSeq), [name])
  }
}

/** The places up to `lastSeq` that nothing speaks for. Who has a right to any class is told of all of them. */
export function missingRuns(known: readonly GapRun[], lastSeq: number): GapRun[] {
  const missing: GapRun[] = []
  const add = (fromSeq: number, toSeq: number): void => {
    if (fromSeq > toSeq) return
    missing.push({ fromSeq, toSeq, reason: 'corrupt', counts: everyClass(toSeq - fromSeq + 1) })
  }
  let next = 1
  for (const { fromSeq, toSeq } of [...known].sort((a, b) => a.fromSeq - b.fromSeq)) {
    add(next, fromSeq - 1)
    next = Math.max(next, toSeq + 1)
  }
  add(next, lastSeq)
  return missing
}

/** A free page may hold an older record of the same places. */
export function withoutOverlaps(runs: readonly GapRun[]): GapRun[] {
  const longestFirst = [...runs].sort((a, b) => a.fromSeq - b.fromSeq || b.toSeq - a.toSeq)
  const kept: GapRun[] = []
  for (const run of longestFirst) {
    const before = kept.at(-1)
    if (before === undefined || run.fromSeq > before.toSeq) kept.push(run)
    else if (run.toSeq > before.toSeq) {
      // What both say stays as the first has it; the rest is the other's.
      kept.push({ ...run, fromSeq: before.toSeq + 1 })
    }
  }
  return joined(kept)
}
