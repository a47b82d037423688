import { EVENT_CLASSES, type EventClass } from '../contract/event.ts'
import { type GapRun, type Gaps, runsOf } from './gaps.ts'
import { DamagedRow, decodeHead, type RowHead } from './row.ts'
import type { Sqlite } from './sqlite.ts'

/**
 * Take a damaged row out of the log, in the transaction that is open: its bytes go to the table `quarantine`, and a
 * gap record stands for its places.
 */
export function quarantine(db: Sqlite, gaps: Gaps, damaged: DamagedRow, lastSeq: number): void {
  const { class: name, lastSeq: last } = damaged
  const runs = placesOf(db, gaps, damaged, lastSeq)
  db.prepare(
    `INSERT INTO quarantine (class, last, head, body, reason) SELECT ?, last, head, body, ? FROM ${name} WHERE last = ?`,
  ).run(name, damaged.message, last)
  db.prepare(`DELETE FROM ${name} WHERE last = ?`).run(last)
  gaps.add(runs)
}

/** The places that the row held: by its head where that is whole, otherwise those near it that nobody else holds. */
function placesOf(db: Sqlite, gaps: Gaps, { class: name, lastSeq: last }: DamagedRow, lastSeq: number): GapRun[] {
  const record = db.prepare<[number], Buffer>(`SELECT head FROM ${name} WHERE last = ?`).pluck().get(last)
  const head = record === undefined ? undefined : wholeHead(name, last, record)
  if (head !== undefined) return runsOf(head, 'corrupt')
  const before =
    db.prepare<[number], number | null>(`SELECT max(last) FROM ${name} WHERE last < ?`).pluck().get(last) ?? 0
  let free: Interval[] = [[before + 1, Math.min(last, lastSeq)]]
  for (const other of EVENT_CLASSES.filter((each) => each !== name)) {
    const rows = db.prepare<[number], { last: number; head: Buffer }>(
      `SELECT last, head FROM ${other} WHERE last > ? ORDER BY last`,
    )
    for (const row of rows.iterate(before)) {
      const otherHead = wholeHead(other, row.last, row.head)
      for (const { fromSeq, toSeq } of otherHead === undefined ? [] : runsOf(otherHead, 'corrupt')) {
        free = without(free, fromSeq, toSeq)
      }
      if (row.last >= last) break
    }
  }
  for (let run = gaps.behind(before); run !== undefined && run.fromSeq <= last; run = gaps.behind(run.toSeq)) {
    free = without(free, run.fromSeq, run.toSeq)
  }
  return free.map(([fromSeq, toSeq]) => ({
    fromSeq,
    toSeq,
    reason: 'corrupt',
    counts: { [name]: toSeq - fromSeq + 1 },
  }))
}

type Interval = readonly [from: number, to: number]

function without(intervals: readonly Interval[], from: number, to: number): Interval[] {
  const rest = intervals.flatMap(([a, b]): Interval[] =>
    from > b || to < a
      ? [[a, b]]
      : [
          [a, from - 1],
          [to + 1, b],
        ],
  )
  return rest.filter(([a, b]) => a <= b)
}

function wholeHead(name: EventClass, last: number, head: Buffer): RowHead | undefined {
  try {
    return decodeHead(name, last, head)
  } catch (error) {
    if (error instanceof DamagedRow) return undefined
    throw error
  }
}
