import { EVENT_CLASSES, type EventClass } from '../contract/event.ts'
import { recordCrc } from './schema.ts'
import type { Sqlite, Statement } from './sqlite.ts'

interface CursorRecord {
  readonly epoch: string
  readonly seq: number
  readonly crc: number
}

interface ClassRecord extends CursorRecord {
  readonly class: EventClass
}

/** A consumer's cursor is to be moved on to a place; or with `force` to it, wherever the cursor was. */
export interface Confirm {
  readonly consumer: string
  readonly seq: number
  readonly force: boolean
  /** Only in these classes; in all of them when left out. */
  readonly classes?: readonly EventClass[]
}

/** Where a consumer stands in one class: everything of it up to and including `seq` is confirmed. */
export interface Standing {
  readonly consumer: string
  readonly class: EventClass
  readonly epoch: string
  readonly seq: number
}

/**
 * Where the consumers stand, each in each class. Most stand at one place in all classes: that is the row in `cursor`. Where
 * a class is further on, a row in `class_cursor` says so. One whose CRC is wrong counts as none: its owner sees
 * events again rather than never.
 */
export class Cursors {
  readonly #db: Sqlite
  readonly #epoch: string
  readonly #get: Statement<[string], CursorRecord>
  readonly #put: Statement<[string, string, number, number]>
  readonly #drop: Statement<[string]>
  readonly #getAhead: Statement<[string], ClassRecord>
  readonly #putAhead: Statement<[string, string, string, number, number]>
  readonly #dropAhead: Statement<[string]>

  constructor(db: Sqlite, epoch: string) {
    this.#db = db
    this.#epoch = epoch
    this.#get = db.prepare('SELECT epoch, seq, crc FROM cursor WHERE consumer = ?')
    this.#put = db.prepare('INSERT OR REPLACE INTO cursor (consumer, epoch, seq, crc) VALUES (?, ?, ?, ?)')
    this.#drop = db.prepare('DELETE FROM cursor WHERE consumer = ?')
    this.#getAhead = db.prepare('SELECT class, epoch, seq, crc FROM class_cursor WHERE consumer = ?')
    this.#putAhead = db.prepare('INSERT INTO class_cursor (consumer, class, epoch, seq, crc) VALUES (?, ?, ?, ?, ?)')
    this.#dropAhead = db.prepare('DELETE FROM class_cursor WHERE consumer = ?')
  }

  /** The place up to which all of these classes are confirmed; undefined where one of them never was. */
  get(consumer: string, classes: readonly EventClass[] = EVENT_CLASSES): { epoch: string; seq: number } | undefined {
    return furthestInAll(this.#standings(consumer), classes)
  }

  /** In each class the larger place wins. Gives back up to where all of them are confirmed then. */
  confirm(consumer: string, seq: number, classes: readonly EventClass[] = EVENT_CLASSES): number {
    return this.#move(consumer, classes, (before) => Math.max(before, seq))
  }

  /** Move these classes there, back too. */
  reset(consumer: string, seq: number, classes: readonly EventClass[] = EVENT_CLASSES): number {
    return this.#move(consumer, classes, () => seq)
  }

  /** Where everybody stands. */
  all(): Standing[] {
    const names = this.#db.prepare<[], string>('SELECT consumer FROM cursor UNION SELECT consumer FROM class_cursor')
    return names
      .pluck()
      .all()
      .filter((consumer) => typeof consumer === 'string')
      .flatMap((consumer) => [...this.#standings(consumer).values()])
  }

  /**
   * Take over the cursors of the epoch before, none beyond the end; call within a transaction. One of an older epoch says
   * nothing about the places of this log, and is dropped: its owner sees events again rather than never.
   */
  bringAlong(fromEpoch: string, lastSeq: number): void {
    for (const consumer of new Set(this.all().map((standing) => standing.consumer))) {
      const moved = [...this.#standings(consumer).values()]
        .filter(({ epoch }) => epoch === fromEpoch)
        .map(({ class: name, seq }): [EventClass, number] => [name, Math.min(seq, lastSeq)])
      this.#write(consumer, new Map(moved))
    }
  }

  #standings(consumer: string): Map<EventClass, Standing> {
    const standings = new Map<EventClass, Standing>()
    const base = this.#get.get(consumer)
    if (base !== undefined && base.crc === recordCrc(consumer, base.epoch, base.seq)) {
      for (const name of EVENT_CLASSES) standings.set(name, { consumer, class: name, epoch: base.epoch, seq: base.seq })
    }
    for (const { class: name, epoch, seq, crc } of this.#getAhead.all(consumer)) {
      if (crc === recordCrc(consumer, name, epoch, seq) && EVENT_CLASSES.includes(name))
        standings.set(name, { consumer, class: name, epoch, seq })
    }
    return standings
  }

  #move(consumer: string, classes: readonly EventClass[], to: (before: number) => number): number {
    const standings = this.#standings(consumer)
    const seqs = new Map<EventClass, number>()
    for (const [name, { epoch, seq }] of standings) if (epoch === this.#epoch) seqs.set(name, seq)
    const before = new Map(seqs)
    for (const name of classes) seqs.set(name, to(seqs.get(name) ?? 0))
    if (seqs.size !== standings.size || [...seqs].some(([name, seq]) => before.get(name) !== seq)) {
      this.#write(consumer, seqs)
    }
    return Math.min(...classes.map((name) => seqs.get(name)!))
  }

  #write(consumer: string, seqs: ReadonlyMap<EventClass, number>): void {
    const base = seqs.size === EVENT_CLASSES.length ? Math.min(...seqs.values()) : undefined
    if (base === undefined) this.#drop.run(consumer)
    else this.#put.run(consumer, this.#epoch, base, recordCrc(consumer, this.#epoch, base))
    this.#dropAhead.run(consumer)
    for (const [name, seq] of seqs) {
      if (seq !== base) {
        this.#putAhead.run(consumer, name, this.#epoch, seq, recordCrc(consumer, name, this.#epoch, seq))
      }
    }
  }
}

/** Undefined where one of the classes has no cursor, or they are of several epochs. */
function furthestInAll(
  standings: ReadonlyMap<EventClass, Standing>,
  classes: readonly EventClass[],
): { epoch: string; seq: number } | undefined {
  let least: Standing | undefined
  for (const name of classes) {
    const standing = standings.get(name)
    if (standing === undefined || (least !== undefined && standing.epoch !== least.epoch)) return undefined
    if (least === undefined || standing.seq < least.seq) least = standing
  }
  return least === undefined ? undefined : { epoch: least.epoch, seq: least.seq }
}
