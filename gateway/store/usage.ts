import { EVENT_CLASSES, type EventClass } from '../contract/event.ts'
import { recordCrc } from './schema.ts'
import type { Sqlite, Statement } from './sqlite.ts'

/** Rows of an older log that are counted in one step. */
const COUNTED_ROWS_MAX = 500
/** A row whose record is longer spills into pages of its own (sqlite.org/fileformat2, section 1.6, pages of 4096). */
const PAGE_BYTES = 4096
const SPILL_BYTES = PAGE_BYTES - 4
const LOCAL_BYTES_MAX = PAGE_BYTES - 35
const LOCAL_BYTES_MIN = Math.floor(((PAGE_BYTES - 12) * 32) / 255) - 23
/** Lengths and key of a record, the heads of its columns, and its place in the index of the page. */
const RECORD_BYTES = 18

export interface ClassUsage {
  readonly rows: number
  /** On the disk, about: pages that are not full are not counted. */
  readonly bytes: number
}

interface Count {
  rows: number
  bytes: number
  /** Of the rows that stood when the log was opened, those up to here are counted. */
  countedSeq: number
}

interface UsageRecord {
  readonly class: EventClass
  readonly seq: number
  readonly rows: number
  readonly bytes: number
  readonly boot: number
  readonly crc: number
}

interface RowLengths {
  readonly last: number
  readonly head: number
  readonly body: number
}

/**
 * How many rows each class has and what they take. Kept in memory, so that a commit writes nothing for it; the table
 * `usage` says what it was at some place, and what came behind that place is counted when the log is opened again.
 * Whoever takes rows away saves it in the same transaction, so a crash leaves nothing to guess.
 */
export class Usage {
  readonly #boot: number
  /** Rows up to here were not told of when they came, and are counted from the file. */
  #untoldSeq: number
  readonly #counts = new Map<EventClass, Count>()
  readonly #next = new Map<EventClass, Statement<[number, number, number], RowLengths>>()
  readonly #put: Statement<(string | number)[]>
  readonly #drop: Statement<[]>
  #saved = false

  /** @param boot the number of this run; @param lastSeq where the log ended when it began */
  constructor(db: Sqlite, boot: number, lastSeq: number) {
    this.#boot = boot
    this.#untoldSeq = lastSeq
    this.#put = db.prepare('INSERT OR REPLACE INTO usage (class, seq, rows, bytes, boot, crc) VALUES (?,?,?,?,?,?)')
    this.#drop = db.prepare('DELETE FROM usage')
    const records = db.prepare<[], UsageRecord>('SELECT * FROM usage').all()
    for (const name of EVENT_CLASSES) {
      this.#next.set(
        name,
        db.prepare(
          `SELECT last, length(head) AS head, length(body) AS body FROM ${name}
             WHERE last > ? AND last <= ? ORDER BY last LIMIT ?`,
        ),
      )
      this.#counts.set(name, this.#standing(records.find((record) => record.class === name)))
    }
    // A run that does not know this table may take rows away: it does not write its number, and then all is counted.
    db.transaction(() => this.#write((count) => count.countedSeq)).immediate()
  }

  /** Where the count can go on: only behind what the run before this one vouches for. */
  #standing(record: UsageRecord | undefined): Count {
    if (record === undefined || record.boot !== this.#boot - 1 || record.seq > this.#untoldSeq) return nothing()
    const { class: name, seq, rows, bytes, boot, crc } = record
    return crc === recordCrc(name, seq, rows, bytes, boot) ? { rows, bytes, countedSeq: seq } : nothing()
  }

  /** False while rows of before are not counted yet. */
  get complete(): boolean {
    for (const { countedSeq } of this.#counts.values()) if (countedSeq < this.#untoldSeq) return false
    return true
  }

  of(name: EventClass): ClassUsage {
    return this.#counts.get(name)!
  }

  /** Count some more of the rows of before. */
  count(): void {
    for (const [name, count] of this.#counts) {
      if (count.countedSeq >= this.#untoldSeq) continue
      const rows = this.#next.get(name)!.all(count.countedSeq, this.#untoldSeq, COUNTED_ROWS_MAX)
      for (const { head, body } of rows) {
        count.rows += 1
        count.bytes += bytesOnDisk(head, body)
      }
      count.countedSeq = rows.length < COUNTED_ROWS_MAX ? this.#untoldSeq : rows.at(-1)!.last
      return
    }
  }

  added(name: EventClass, headBytes: number, bodyBytes: number): void {
    const count = this.#counts.get(name)!
    count.rows += 1
    count.bytes += bytesOnDisk(headBytes, bodyBytes)
    this.#saved = false
  }

  removed(name: EventClass, lastSeq: number, headBytes: number, bodyBytes: number): void {
    const count = this.#counts.get(name)!
    if (lastSeq > count.countedSeq && lastSeq <= this.#untoldSeq) return
    count.rows -= 1
    count.bytes -= bytesOnDisk(headBytes, bodyBytes)
    this.#saved = false
  }

  /** Do something that counts while it goes on, and count nothing of it when it fails. */
  attempt<T>(work: () => T): T {
    const before = [...this.#counts].map(([name, count]) => [name, { ...count }] as const)
    try {
      return work()
    } catch (error) {
      for (const [name, count] of before) this.#counts.set(name, count)
      this.#saved = false
      throw error
    }
  }

  /** Rows were taken away that nobody told of: count from the beginning. Call within that transaction. */
  forget(lastSeq: number): void {
    this.#drop.run()
    this.#saved = false
    this.#untoldSeq = lastSeq
    for (const name of EVENT_CLASSES) this.#counts.set(name, nothing())
  }

  /** @param lastSeq the end of the log; call within a transaction. */
  save(lastSeq: number): void {
    if (this.#saved) return
    // What is not counted can't be told from what was taken away: then nothing is vouched for.
    this.#saved = this.complete
    if (this.#saved) this.#write(() => lastSeq)
    else this.#drop.run()
  }

  #write(seqOf: (count: Count) => number): void {
    for (const [name, count] of this.#counts) {
      const values = [name, seqOf(count), count.rows, count.bytes, this.#boot]
      this.#put.run(...values, recordCrc(...values))
    }
  }
}

function nothing(): Count {
  return { rows: 0, bytes: 0, countedSeq: 0 }
}

/** What a row takes of the disk: its part of a page of the table, and pages of its own for what does not fit there. */
export function bytesOnDisk(headBytes: number, bodyBytes: number): number {
  const record = headBytes + bodyBytes + RECORD_BYTES
  if (record <= LOCAL_BYTES_MAX) return record
  const least = LOCAL_BYTES_MIN + ((record - LOCAL_BYTES_MIN) % SPILL_BYTES)
  const local = least <= LOCAL_BYTES_MAX ? least : LOCAL_BYTES_MIN
  return local + Math.ceil((record - local) / SPILL_BYTES) * PAGE_BYTES
}
