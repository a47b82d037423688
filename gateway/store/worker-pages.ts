import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import type { PageSource } from './page-format.ts'
import { committedPages, walHeader } from './wal-format.ts'

const PAGE_BYTES = 4096
const WAL_HEADER_BYTES = 32
/** A damaged file is mostly read from one end to the other; long records lead ahead of that, and back. */
const WINDOW_PAGES = 64
const WINDOWS_MAX = 4

/** A database file and the WAL beside it, page by page, without SQLite. Nothing is written. */
export class RawPages {
  readonly count: number
  readonly page: PageSource
  readonly #files: readonly number[]

  private constructor(count: number, page: PageSource, files: readonly number[]) {
    this.count = count
    this.page = page
    this.#files = files
  }

  /** @throws errors of the disk as Node gives them */
  static open(path: string): RawPages {
    const database = openOrNothing(path)
    const wal = openOrNothing(`${path}-wal`)
    const files = [database, wal].filter((file) => file !== undefined)
    const header = wal === undefined ? undefined : walHeader(readAt(wal, 0, WAL_HEADER_BYTES))
    const ours = header?.pageBytes === PAGE_BYTES ? header : undefined
    const inWal =
      ours === undefined ? new Map<number, number>() : committedPages(ours, (at, bytes) => readAt(wal!, at, bytes))
    const inFile = database === undefined ? 0 : Math.floor(fstatSync(database).size / PAGE_BYTES)
    const windows: { readonly first: number; readonly bytes: Buffer }[] = []
    const page = (number: number): Buffer | undefined => {
      const at = inWal.get(number)
      if (at !== undefined) return readAt(wal!, at, PAGE_BYTES)
      if (!(number >= 1 && number <= inFile)) return undefined
      let window = windows.find(({ first, bytes }) => number >= first && number < first + bytes.length / PAGE_BYTES)
      if (window === undefined) {
        window = { first: number, bytes: readAt(database!, (number - 1) * PAGE_BYTES, WINDOW_PAGES * PAGE_BYTES) }
        if (windows.unshift(window) > WINDOWS_MAX) windows.pop()
      }
      const offset = (number - window.first) * PAGE_BYTES
      return window.bytes.subarray(offset, offset + PAGE_BYTES)
    }
    let count = inFile
    for (const number of inWal.keys()) count = Math.max(count, number)
    return new RawPages(count, page, files)
  }

  close(): void {
    for (const file of this.#files) closeSync(file)
  }
}

function openOrNothing(path: string): number | undefined {
  try {
    return openSync(path, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function readAt(file: number, at: number, bytes: number): Buffer {
  const buffer = Buffer.allocUnsafe(bytes)
  return buffer.subarray(0, readSync(file, buffer, 0, bytes, at))
}
