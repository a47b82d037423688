import { EVENT_CLASSES, type EventClass } from '../contract/event.ts'
import { maySee, type Rights } from '../contract/rights.ts'
import { type ClockFixes, correctedEvents } from './clock-fixes.ts'
import type { Events } from './collect.ts'
import { Coverage, mustFollow } from './coverage.ts'
import type { GapRun, Gaps } from './gaps.ts'
import { PageBuilder, type PageQuery, type RawPage } from './page-builder.ts'
import { CHARS, COLUMNS, SEQ, STREAM, type Stream } from './parcel.ts'
import { StoreTrouble } from './refusal.ts'
import { decodeBody, decodeHead, type RowHead } from './row.ts'
import type { Sqlite, Statement } from './sqlite.ts'

/** Events and gaps that one call passes over because nobody asked for them; then the caller's turn is over. */
const SCANNED_MAX = 20_000
/** Unpacked rows that are kept, for a consumer that reads a long row in small pages. */
const ROWS_KEPT = 4

interface RowRecord {
  readonly last: number
  readonly head: Buffer
  readonly body?: Buffer
}

/** Reads pages: one search for each class, then forward through the rows, in order of place over all of them. */
export class Reader {
  readonly #gaps: Gaps
  readonly #fixes: ClockFixes
  readonly #heads = new Map<EventClass, Statement<[number], RowRecord>>()
  readonly #whole = new Map<EventClass, Statement<[number], RowRecord>>()
  readonly #body = new Map<EventClass, Statement<[number], Buffer>>()
  readonly #kept = new Map<number, Events>()

  constructor(db: Sqlite, gaps: Gaps, fixes: ClockFixes) {
    this.#gaps = gaps
    this.#fixes = fixes
    for (const name of EVENT_CLASSES) {
      this.#heads.set(name, db.prepare(`SELECT last, head FROM ${name} WHERE last > ? ORDER BY last`))
      this.#whole.set(name, db.prepare(`SELECT last, head, body FROM ${name} WHERE last > ? ORDER BY last`))
      this.#body.set(name, db.prepare<[number], Buffer>(`SELECT body FROM ${name} WHERE last = ?`).pluck())
    }
  }

  /** Forget unpacked rows: something was taken out of the log, or is read with other times. */
  forget(): void {
    this.#kept.clear()
  }

  /**
   * @throws DamagedRow at the first row that is not what was written; MissingPlaces where nothing stands; StoreTrouble where
   * two records speak for one place
   */
  page(query: PageQuery, lastSeq: number): RawPage {
    const names = EVENT_CLASSES.filter(
      (name) =>
        (query.classes ?? EVENT_CLASSES).includes(name) && (query.rights?.classes ?? EVENT_CLASSES).includes(name),
    )
    const met = new Coverage()
    const budget: Budget = { left: SCANNED_MAX }
    const gaps = new GapLane(this.#gaps, query, names, budget, met)
    const lanes: Lane[] = []
    try {
      for (const name of names) lanes.push(new Lane(this.#rows(name, query), query, budget, met))
      for (const lane of lanes) lane.advance()
      const page = fill(new PageBuilder(query), gaps, lanes, lastSeq)
      // Whoever reads some classes only does not pass by the others: that would be the whole log for a few audit events.
      if (names.length === EVENT_CLASSES.length) met.check(query.afterSeq, page.nextSeq)
      return page
    } finally {
      for (const lane of lanes) lane.close()
    }
  }

  #rows(name: EventClass, query: PageQuery): Rows {
    const filtered = query.rights !== undefined
    const statement = (filtered ? this.#heads : this.#whole).get(name)!
    return {
      class: name,
      records: statement.iterate(query.afterSeq),
      unpack: (head, found) => {
        let events = this.#kept.get(head.lastSeq)
        if (events === undefined) {
          const whole = decodeBody(head, found ?? this.#body.get(name)!.get(head.lastSeq)!)
          events = correctedEvents(whole, this.#fixes.offsetMs(head.boot))
          if (head.count > 1) this.#keep(head.lastSeq, events)
        }
        return events
      },
    }
  }

  #keep(lastSeq: number, events: Events): void {
    const oldest = this.#kept.keys().next()
    if (this.#kept.size >= ROWS_KEPT && !oldest.done) this.#kept.delete(oldest.value)
    this.#kept.set(lastSeq, events)
  }
}

/** Take from whichever lane has the next place, until the page is full, the log ends, or enough was passed over. */
function fill(page: PageBuilder, gaps: GapLane, lanes: readonly Lane[], lastSeq: number): RawPage {
  for (;;) {
    let first: Lane | undefined
    let second = gaps.next
    let horizon = gaps.stoppedAt
    for (const lane of lanes) {
      horizon = Math.min(horizon, lane.stoppedAt)
      if (first === undefined || lane.next < first.next) {
        if (first !== undefined) second = Math.min(second, first.next)
        first = lane
      } else {
        second = Math.min(second, lane.next)
      }
    }
    const next = Math.min(first?.next ?? Number.POSITIVE_INFINITY, gaps.next)
    if (next > horizon) return page.take(horizon, true)
    if (next === Number.POSITIVE_INFINITY) return page.take(lastSeq, false)
    mustFollow(next, page.position)
    if (next > lastSeq) throw new StoreTrouble(`place ${next} lies behind the end of the log, ${lastSeq}`, 'damage')
    if (page.full()) return page.take(page.position, page.position < lastSeq)
    if (gaps.next === next) {
      page.addGap(gaps.take())
    } else {
      mustFollow(second, next)
      first?.take(Math.min(second - 1, horizon, lastSeq), page)
    }
  }
}

interface Budget {
  left: number
}

interface Rows {
  readonly class: EventClass
  readonly records: IterableIterator<RowRecord>
  readonly unpack: (head: RowHead, body: Buffer | undefined) => Events
}

/** The events of one class that the reader may have, from a place on. */
class Lane {
  /** Place of the next event to give; infinite when there is none. */
  next = Number.POSITIVE_INFINITY
  /** Where the search was given up for this time; infinite when it was not. */
  stoppedAt = Number.POSITIVE_INFINITY
  readonly #rows: Rows
  readonly #query: PageQuery
  readonly #budget: Budget
  readonly #met: Coverage
  #events: Events | undefined
  #wanted: readonly boolean[] = []
  #at = 0
  #start = 0
  #rowsToSeq = 0

  constructor(rows: Rows, query: PageQuery, budget: Budget, met: Coverage) {
    this.#rows = rows
    this.#query = query
    this.#budget = budget
    this.#met = met
  }

  /** Hand over events up to and including this place, or until the page is full. */
  take(untilSeq: number, page: PageBuilder): void {
    while (this.next <= untilSeq && !page.full()) {
      const events = this.#events!
      page.add(events, this.#at, this.#start)
      this.#start += events.rows[this.#at + CHARS]!
      this.#at += COLUMNS
      this.advance()
    }
  }

  close(): void {
    this.#rows.records.return?.()
  }

  /** Go on to the next event; to the first one at the beginning. */
  advance(): void {
    this.next = Number.POSITIVE_INFINITY
    for (;;) {
      if (this.#events !== undefined && this.#seek(this.#events)) return
      this.#events = undefined
      const { value: record, done } = this.#rows.records.next()
      if (done) return
      const head = decodeHead(this.#rows.class, record.last, record.head)
      mustFollow(head.firstSeq, this.#rowsToSeq)
      this.#rowsToSeq = head.lastSeq
      this.#met.addRow(head)
      const { rights } = this.#query
      this.#wanted = head.streams.map((stream) => rights === undefined || mayStream(rights, stream))
      if (this.#wanted.includes(true)) {
        this.#events = this.#rows.unpack(head, record.body)
        this.#at = 0
        this.#start = 0
      } else if (this.#spend(head.count, head.lastSeq)) {
        return
      }
    }
  }

  /** Go to the next wanted event of the row at hand; false when there is none. */
  #seek({ rows }: Events): boolean {
    for (; this.#at < rows.length; this.#at += COLUMNS) {
      const seq = rows[this.#at + SEQ]!
      if (seq > this.#query.afterSeq) {
        if (this.#wanted[rows[this.#at + STREAM]!]) {
          this.next = seq
          return true
        }
        if (this.#spend(1, seq)) return true
      }
      this.#start += rows[this.#at + CHARS]!
    }
    return false
  }

  #spend(count: number, seq: number): boolean {
    this.#budget.left -= count
    if (this.#budget.left > 0) return false
    this.stoppedAt = seq
    return true
  }
}

/** The gaps that the reader is told of, from a place on. */
class GapLane {
  next = Number.POSITIVE_INFINITY
  stoppedAt = Number.POSITIVE_INFINITY
  readonly #gaps: Gaps
  readonly #query: PageQuery
  readonly #names: readonly EventClass[]
  readonly #budget: Budget
  readonly #met: Coverage
  #run: GapRun | undefined
  #behind: number

  constructor(gaps: Gaps, query: PageQuery, names: readonly EventClass[], budget: Budget, met: Coverage) {
    this.#met = met
    this.#gaps = gaps
    this.#query = query
    this.#names = names
    this.#budget = budget
    this.#behind = query.afterSeq
    this.#advance()
  }

  take(): GapRun {
    const run = this.#run!
    this.#advance()
    return run
  }

  #advance(): void {
    this.next = Number.POSITIVE_INFINITY
    for (;;) {
      const run = this.#gaps.behind(this.#behind)
      if (run === undefined) return
      mustFollow(run.toSeq, this.#behind)
      this.#behind = run.toSeq
      this.#met.addGap(run)
      if (run.reason === 'epoch-change' || this.#names.some((name) => (run.counts[name] ?? 0) > 0)) {
        this.#run = run
        // A run that began before the reader's place is told whole: a part of it is news.
        this.next = Math.max(run.fromSeq, this.#query.afterSeq + 1)
        return
      }
      this.#budget.left -= 1
      if (this.#budget.left <= 0) {
        this.stoppedAt = run.toSeq
        return
      }
    }
  }
}

function mayStream(rights: Rights, stream: Stream): boolean {
  return maySee(rights, { kind: 'event', epoch: '', seq: 0, monoMs: 0, wallMs: 0, body: '', ...stream })
}
