import { EVENT_CLASSES, type EventClass, type Gap, type GapReason } from '../contract/event.ts'
import type { RowHead } from './row.ts'
import { recordCrc } from './schema.ts'
import type { Sqlite, Statement } from './sqlite.ts'

/** Places that are no longer held, all of them from `fromSeq` to `toSeq`, and what was there. */
export type GapRun = Omit<Gap, 'kind' | 'epoch'>

interface GapRecord {
  readonly last: number
  readonly first: number
  readonly reason: GapReason
  readonly counts: string
  readonly first_ms: number | null
  readonly last_ms: number | null
  readonly crc: number
}

/** The gap records of a log. Runs never overlap; neighbours for the same reason become one. */
export class Gaps {
  readonly #behind: Statement<[number], GapRecord>
  readonly #at: Statement<[number], GapRecord>
  readonly #put: Statement<(string | number | null)[]>
  readonly #remove: Statement<[number]>
  readonly #last: Statement<[], number | null>

  constructor(db: Sqlite) {
    this.#behind = db.prepare('SELECT * FROM gap WHERE last > ? ORDER BY last')
    this.#at = db.prepare('SELECT * FROM gap WHERE last = ?')
    this.#put = db.prepare(
      'INSERT INTO gap (last, first, reason, counts, first_ms, last_ms, crc) VALUES (?,?,?,?,?,?,?)',
    )
    this.#remove = db.prepare('DELETE FROM gap WHERE last = ?')
    this.#last = db.prepare<[], number | null>('SELECT max(last) FROM gap').pluck()
  }

  /** The largest place that is in a run; 0 when there is none. */
  lastSeq(): number {
    return this.#last.get() ?? 0
  }

  /** The first run that ends behind `seq`. */
  behind(seq: number): GapRun | undefined {
    const record = this.#behind.get(seq)
    return record === undefined ? undefined : asRun(record)
  }

  /** Note runs that do not overlap any other; call within the transaction that took the events away. */
  add(runs: readonly GapRun[]): void {
    for (const run of joined(runs)) this.#addOne(run)
  }

  #addOne(added: GapRun): void {
    let run = added
    for (let before = this.#at.get(run.fromSeq - 1); before !== undefined && goesInto(before, run); ) {
      this.#remove.run(before.last)
      const earlier = asRun(before)
      run = { ...join(earlier, run), reason: earlier.reason === 'corrupt' ? 'corrupt' : run.reason }
      before = this.#at.get(run.fromSeq - 1)
    }
    const after = this.#behind.get(run.toSeq)
    if (after !== undefined && after.first === run.toSeq + 1 && after.reason === run.reason) {
      this.#remove.run(after.last)
      run = join(run, asRun(after))
    }
    const counts = JSON.stringify(run.counts)
    const values = [run.toSeq, run.fromSeq, run.reason, counts, run.firstMs ?? null, run.lastMs ?? null]
    this.#put.run(...values, recordCrc(...values))
  }
}

/**
 * Neighbours for the same reason are one; and what was thinned is told together with readings that were evicted behind
 * it. Else each reading that was kept between others that were thinned would leave a record for ever.
 */
function goesInto({ reason }: GapRecord, run: GapRun): boolean {
  return reason === run.reason || (reason === 'thinned' && run.reason === 'evicted' && (run.counts.telemetry ?? 0) > 0)
}

/** A record with a wrong CRC still says that its places are missing: that much its key and its neighbours vouch for. */
function asRun(record: GapRecord): GapRun {
  const { last, first, reason, counts, first_ms: firstMs, last_ms: lastMs, crc } = record
  if (crc !== recordCrc(last, first, reason, counts, firstMs, lastMs)) {
    const known = Number.isInteger(first) && first >= 1 && first <= last ? first : last
    return { fromSeq: known, toSeq: last, reason: 'corrupt', counts: everyClass(last - known + 1) }
  }
  return {
    fromSeq: first,
    toSeq: last,
    reason,
    counts: JSON.parse(counts),
    ...(firstMs === null ? {} : { firstMs }),
    ...(lastMs === null ? {} : { lastMs }),
  }
}

/** Where it isn't known what was lost, everybody is told, and the whole number stands for each class. */
export function everyClass(count: number): Record<EventClass, number> {
  return Object.fromEntries(EVENT_CLASSES.map((name) => [name, count])) as Record<EventClass, number>
}

/** The runs of places that a row holds. Their times are those of the whole row. */
export function runsOf(head: RowHead, reason: GapReason): GapRun[] {
  const runs: GapRun[] = []
  const push = (fromSeq: number, toSeq: number): void => {
    const counts = { [head.class]: toSeq - fromSeq + 1 }
    runs.push({ fromSeq, toSeq, reason, counts, firstMs: head.wallMinMs, lastMs: head.wallMaxMs })
  }
  let start = head.firstSeq
  for (const [before, places] of head.holes) {
    push(start, start + before - 1)
    start += before + places
  }
  push(start, head.lastSeq)
  return runs
}

/** How many places the runs have together. */
export function placesIn(runs: readonly GapRun[]): number {
  return runs.reduce((sum, { fromSeq, toSeq }) => sum + toSeq - fromSeq + 1, 0)
}

/** The last place of all the runs; the one given when none of them comes so far. */
export function endOfRuns(runs: readonly GapRun[], leastSeq = 0): number {
  return runs.reduce((most, { toSeq }) => Math.max(most, toSeq), leastSeq)
}

/** In order, and neighbours for the same reason made one. */
export function joined(runs: readonly GapRun[]): GapRun[] {
  const result: GapRun[] = []
  for (const run of [...runs].sort((a, b) => a.fromSeq - b.fromSeq)) {
    const last = result.at(-1)
    if (last !== undefined && last.toSeq + 1 === run.fromSeq && last.reason === run.reason) {
      result[result.length - 1] = join(last, run)
    } else {
      result.push(run)
    }
  }
  return result
}

function join(a: GapRun, b: GapRun): GapRun {
  const counts: Partial<Record<EventClass, number>> = { ...a.counts }
  for (const name of EVENT_CLASSES) {
    const more = b.counts[name]
    if (more !== undefined) counts[name] = (counts[name] ?? 0) + more
  }
  const times = [a.firstMs, b.firstMs, a.lastMs, b.lastMs].filter((ms) => ms !== undefined)
  return {
    fromSeq: a.fromSeq,
    toSeq: b.toSeq,
    reason: a.reason,
    counts,
    ...(times.length === 0 ? {} : { firstMs: Math.min(...times), lastMs: Math.max(...times) }),
  }
}
