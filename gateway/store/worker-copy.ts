import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs'
import { Fault } from '../contract/fault.ts'

/** One piece: it is read between two commits. */
const PIECE_BYTES = 256 * 1024
/** The WAL may grow so far while a copy is taken; then the copy is given up, not the commits. */
const WAL_BYTES_MAX = 64 * 1024 * 1024

/**
 * A copy of the log while it is in use. As long as the WAL is not copied into the database, the database stands still: so
 * that is read first, piece by piece, and the WAL as it is then. Whoever commits waits for a piece at most.
 */
export class LiveCopy {
  readonly databaseBytes: number
  readonly #path: string
  readonly #files: number[]
  #walBytes: number | undefined

  /** @param path of a log whose WAL was just copied into the database, and is not any more until `end` */
  constructor(path: string) {
    this.#path = path
    this.#files = [openSync(path, 'r')]
    this.databaseBytes = fstatSync(this.#files[0]!).size
  }

  /** Whether commits have to wait for room in the WAL if this goes on. */
  get tooLong(): boolean {
    return (statSync(`${this.#path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > WAL_BYTES_MAX
  }

  /** What stands at a place of the copy: first the database, behind it the WAL; empty at its end. */
  read(at: number): Uint8Array<ArrayBuffer> {
    if (at < this.databaseBytes) return piece(this.#files[0]!, at, this.databaseBytes)
    if (this.#walBytes === undefined) {
      this.#files.push(openSync(`${this.#path}-wal`, 'r'))
      this.#walBytes = fstatSync(this.#files[1]!).size
    }
    return piece(this.#files[1]!, at - this.databaseBytes, this.#walBytes)
  }

  end(): void {
    for (const file of this.#files.splice(0)) closeSync(file)
  }
}

function piece(file: number, at: number, end: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(Math.max(0, Math.min(PIECE_BYTES, end - at)))
  return bytes.subarray(0, readSync(file, bytes, 0, bytes.length, at))
}

/** Nobody takes a copy now, or the one that was taken is over. */
export function copyFault(message: string): Fault {
  return new Fault('connection', message, { code: 'backup', hint: 'ask again' })
}
