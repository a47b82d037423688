import { recordCrc } from './schema.ts'
import type { Sqlite, Statement } from './sqlite.ts'

/** A number that the log keeps for its next run, in the table `meta`. */
export class KeptNumber {
  readonly #name: string
  readonly #get: Statement<[string], { value: string; crc: number }>
  readonly #put: Statement<[string, string, number]>

  constructor(db: Sqlite, name: string) {
    this.#name = name
    this.#get = db.prepare('SELECT value, crc FROM meta WHERE name = ?')
    this.#put = db.prepare('INSERT OR REPLACE INTO meta (name, value, crc) VALUES (?, ?, ?)')
  }

  /** Undefined where none was kept, or nobody vouches for it. */
  get(): number | undefined {
    const record = this.#get.get(this.#name)
    return record !== undefined && record.crc === recordCrc(this.#name, record.value) ? Number(record.value) : undefined
  }

  /** Call within the transaction that it belongs to. */
  put(value: number): void {
    const text = String(value)
    this.#put.run(this.#name, text, recordCrc(this.#name, text))
  }
}
