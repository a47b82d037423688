import { EVENT_CLASSES, type EventClass } from '../contract/event.ts'
import { MissingPlaces } from './coverage.ts'
import { everyClass, type GapRun, type Gaps, runsOf } from './gaps.ts'
import { StoreTrouble } from './refusal.ts'
import { DamagedRow, decodeHead, type RowHead } from './row.ts'
import type { Sqlite } from './sqlite.ts'

/** What a reader found that was to be read: a row that is not what was written, or nothing at all. */
export type Loss = DamagedRow | MissingPlaces

export function isLoss(error: unknown): error is Loss {
  return error instanceof DamagedRow || error instanceof MissingPlaces
}

/**
 * Take a damaged row out of the log, in the transaction that is open: its bytes go to the table `quarantine`, and a
 * gap record stands for its places; where nothing was found, the record alone.
 */
export function quarantine(db: Sqlite, gaps: Gaps, damaged: Loss, lastSeq: number): void {
  if (damaged instanceof MissingPlaces) {
    const { fromSeq, toSeq } = damaged
    gaps.add([{ fromSeq, toSeq, reason: 'corrupt', counts: everyClass(toSeq - fromSeq + 1) }])
    return
  }
  const { class: name, lastSeq: last } = damaged
  const runs = placesOf(db, gaps, damaged, lastSeq)
  db.prepare(
    `INSERT INTO quarantine (class, last, head, body, reason) SELECT ?, last, head, body, ? FROM ${name} WHERE last = ?`,
  ).run(name, damaged.message, last)
  const { changes } = db.prepare(`DELETE FROM ${name} WHERE last = ?`).run(last)
  // It was met on the way and is not found by its key: the order of the tree itself is damaged.
  if (changes === 0) throw new StoreTrouble(`${name} row ${last} does not stand where its key belongs`, 'damage')
  gaps.add(runs)
}

/**
 * The places that the row held: by its head where that is whole, otherwise those between its neighbours that nobody else
 * holds, for its key may be what is damaged.
 * @throws StoreTrouble where there are none: then the row stands somewhere else than its places are
 */
function placesOf(db: Sqlite, gaps: Gaps, { class: name, lastSeq: last }: DamagedRow, lastSeq: number): GapRun[] {
  const record = db.prepare<[number], Buffer>(`SELECT head FROM ${name} WHERE last = ?`).pluck().get(last)
  const head = record === undefined ? undefined : wholeHead(name, last, record)
  if (head !== undefined) return runsOf(head, 'corrupt')
  const before =
    db.prepare<[number], number | null>(`SELECT max(last) FROM ${name} WHERE last < ?`).pluck().get(last) ?? 0
  const end = endOf(db, name, last, lastSeq)
  let free: Interval[] = [[before + 1, end]]
  for (const other of EVENT_CLASSES.filter((each) => each !== name)) {
    const rows = db.prepare<[number], { last: number; head: Buffer }>(
      `SELECT last, head FROM ${other} WHERE last > ? ORDER BY last`,
    )
    for (const row of rows.iterate(before)) {
      const otherHead = wholeHead(other, row.last, row.head)
      for (const { fromSeq, toSeq } of otherHead === undefined ? [] : runsOf(otherHead, 'corrupt')) {
        free = without(free, fromSeq, toSeq)
      }
      if (row.last >= end) break
    }
  }
  for (let run = gaps.behind(before); run !== undefined && run.fromSeq <= end; run = gaps.behind(run.toSeq)) {
    free = without(free, run.fromSeq, run.toSeq)
  }
  if (free.length === 0)
    throw new StoreTrouble(`${name} row ${last} is damaged, and its places are not known`, 'damage')
  return free.map(([fromSeq, toSeq]) => ({
    fromSeq,
    toSeq,
    reason: 'corrupt',
    counts: { [name]: toSeq - fromSeq + 1 },
  }))
}

/** The place before the next row of the class, where that is whole. */
function endOf(db: Sqlite, name: EventClass, last: number, lastSeq: number): number {
  const next = db
    .prepare<[number], { last: number; head: Buffer }>(
      `SELECT last, head FROM ${name} WHERE last > ? ORDER BY last LIMIT 1`,
    )
    .get(last)
  if (next === undefined) return lastSeq
  const head = wholeHead(name, next.last, next.head)
  return head === undefined ? Math.min(last, lastSeq) : head.firstSeq - 1
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
