import { recordCrc } from './schema.ts'
import type { Sqlite, Statement } from './sqlite.ts'

interface CursorRecord {
  readonly epoch: string
  readonly seq: number
  readonly crc: number
}

/** Where the consumers stand. A cursor whose CRC is wrong counts as none: its owner sees events again rather than never. */
export class Cursors {
  readonly #db: Sqlite
  readonly #epoch: string
  readonly #get: Statement<[string], CursorRecord>
  readonly #put: Statement<[string, string, number, number]>

  constructor(db: Sqlite, epoch: string) {
    this.#db = db
    this.#epoch = epoch
    this.#get = db.prepare('SELECT epoch, seq, crc FROM cursor WHERE consumer = ?')
    this.#put = db.prepare('INSERT OR REPLACE INTO cursor (consumer, epoch, seq, crc) VALUES (?, ?, ?, ?)')
  }

  get(consumer: string): { epoch: string; seq: number } | undefined {
    const record = this.#get.get(consumer)
    if (record === undefined || record.crc !== recordCrc(consumer, record.epoch, record.seq)) return undefined
    return { epoch: record.epoch, seq: record.seq }
  }

  /** The larger of both wins. Gives back where the cursor stands then. */
  confirm(consumer: string, seq: number): number {
    const before = this.get(consumer)
    if (before !== undefined && before.epoch === this.#epoch && before.seq >= seq) return before.seq
    return this.reset(consumer, seq)
  }

  reset(consumer: string, seq: number): number {
    this.#put.run(consumer, this.#epoch, seq, recordCrc(consumer, this.#epoch, seq))
    return seq
  }

  /** Take over the cursors of the epoch before, none beyond the end; call within a transaction. */
  bringAlong(lastSeq: number): void {
    for (const consumer of this.#db.prepare<[], string>('SELECT consumer FROM cursor').pluck().all()) {
      const cursor = this.get(consumer)
      if (cursor !== undefined) this.reset(consumer, Math.min(cursor.seq, lastSeq))
    }
  }
}
