import { type Entry, EVENT_CLASSES, type EventClass } from '../contract/event.ts'
import { correctedEvents } from './clock-fixes.ts'
import { endOfRuns, type GapRun, placesIn } from './gaps.ts'
import { freePages, type PageSource } from './page-format.ts'
import { unpackEvents } from './parcel.ts'
import { missingRuns, withoutOverlaps } from './rebuild.ts'
import { chosenRows, type Findings, type FoundRow, findRecords, wholeRow } from './salvage.ts'

/** How a log's file stands, read page by page without SQLite: also one that is damaged. */
export interface Inspection {
  readonly hub: string | undefined
  readonly epoch: string | undefined
  readonly pages: number
  readonly lastSeq: number
  readonly events: Readonly<Record<EventClass, number>>
  /** Places that a gap record speaks for, by its reason. */
  readonly gone: Readonly<Record<string, number>>
  /** Rows whose body is not what was written, by the places that they held. */
  readonly damaged: readonly GapRun[]
  /** Places that nothing speaks for. */
  readonly missing: readonly GapRun[]
}

/** Whether all of it is what was written, or told to be gone. */
export function isWhole({ epoch, damaged, missing }: Inspection): boolean {
  return epoch !== undefined && damaged.length === 0 && missing.length === 0
}

/** Everything that a log's file speaks for, by place. */
export interface Survey {
  readonly found: Findings
  /** Rows whose heads are whole, none over a place of another or of a gap record. */
  readonly rows: readonly FoundRow[]
  readonly gaps: readonly GapRun[]
  readonly lastSeq: number
  /** Places that nothing speaks for. */
  readonly missing: readonly GapRun[]
}

/** What was deleted may still stand in a page that is free: that is no part of the log. @param count how many pages it has */
export function survey(count: number, pages: PageSource): Survey {
  const found = findRecords(count, pages, freePages(count, pages))
  const rows = chosenRows(found, Number.POSITIVE_INFINITY)
  const gaps = withoutOverlaps(found.gaps)
  const known = [...gaps, ...rows.flatMap(({ runs }) => runs)]
  const lastSeq = endOfRuns(known)
  return { found, rows, gaps, lastSeq, missing: missingRuns(known, lastSeq) }
}

/** Everything whole in a log's file. @param count how many pages it has */
export function inspect(count: number, pages: PageSource): Inspection {
  const { found, rows, gaps, lastSeq, missing } = survey(count, pages)
  const whole: FoundRow[] = []
  const damaged: GapRun[] = []
  for (const row of rows) {
    if (wholeRow(row, pages) === undefined) damaged.push(...row.runs)
    else whole.push(row)
  }
  const gone: Record<string, number> = {}
  for (const gap of gaps) gone[gap.reason] = (gone[gap.reason] ?? 0) + placesIn([gap])
  const events = Object.fromEntries(
    EVENT_CLASSES.map((name) => [
      name,
      placesIn(whole.filter((row) => row.class === name).flatMap(({ runs }) => runs)),
    ]),
  ) as Record<EventClass, number>
  const { hub, epoch } = found
  return { hub, epoch, pages: count, lastSeq, events, gone, damaged, missing }
}

/** Whose log it is, and what can be read of its file, in order of place; what can't stands as a gap in its place. */
export function storedEntries(
  count: number,
  pages: PageSource,
): { readonly hub: string | undefined; readonly entries: Iterable<Entry> } {
  const found = survey(count, pages)
  return { hub: found.found.hub, entries: entriesIn(found, pages) }
}

function* entriesIn({ found, rows, gaps, missing }: Survey, pages: PageSource): Generator<Entry> {
  const epoch = found.epoch ?? 'unknown'
  const holes = [...gaps, ...missing].sort((a, b) => a.fromSeq - b.fromSeq)
  const waiting: Entry[] = []
  let hole = 0
  for (const row of [...rows].sort((a, b) => a.runs[0]!.fromSeq - b.runs[0]!.fromSeq)) {
    const from = row.runs[0]!.fromSeq
    for (; (holes[hole]?.fromSeq ?? Number.POSITIVE_INFINITY) < from; hole++) {
      waiting.push({ kind: 'gap', epoch, ...holes[hole]! })
    }
    // Rows of several classes interleave: what lies before this row's first place can be told now.
    yield* takeBefore(waiting, from)
    waiting.push(...entriesOf(row, found, pages, epoch))
  }
  for (; hole < holes.length; hole++) waiting.push({ kind: 'gap', epoch, ...holes[hole]! })
  yield* takeBefore(waiting, Number.POSITIVE_INFINITY)
}

function takeBefore(waiting: Entry[], seq: number): readonly Entry[] {
  waiting.sort((a, b) => placeOf(a) - placeOf(b))
  const at = waiting.findIndex((entry) => placeOf(entry) >= seq)
  return waiting.splice(0, at < 0 ? waiting.length : at)
}

function placeOf(entry: Entry): number {
  return entry.kind === 'event' ? entry.seq : entry.fromSeq
}

function entriesOf(row: FoundRow, found: Findings, pages: PageSource, epoch: string): readonly Entry[] {
  const whole = wholeRow(row, pages)
  if (whole === undefined) return row.runs.map((run): Entry => ({ kind: 'gap', epoch, ...run }))
  const events = correctedEvents(whole.events, found.clockFixes.get(row.boot))
  return unpackEvents(events, events.streams, epoch)
}
