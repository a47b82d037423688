import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import type { PageSource } from './page-format.ts'
import { commitsLeftOut, committedPages, type ReadWal, walHeader } from './wal-format.ts'

const PAGE_BYTES = 4096
const WAL_HEADER_BYTES = 32
/** A damaged file is mostly read from one end to the other; long records lead ahead of that, and back. */
const WINDOW_PAGES = 64
const WINDOWS_MAX = 4

/** A database file and the WAL beside it, page by page, without SQLite. Nothing is written. */
export class RawPages {
  readonly count: number
  readonly page: PageSource
  /** Pages that the WAL holds. */
  readonly inWal: readonly number[]
  /** Whether SQLite would go on with less than what was committed, because the WAL is damaged. */
  readonly walBroken: boolean
  readonly #files: readonly number[]

  private constructor(parts: Pick<RawPages, 'count' | 'page' | 'inWal' | 'walBroken'>, files: readonly number[]) {
    this.count = parts.count
    this.page = parts.page
    this.inWal = parts.inWal
    this.walBroken = parts.walBroken
    this.#files = files
  }

  /**
   * @param which pages of the WAL count: those that SQLite takes, or also what it leaves out behind a break
   * @throws errors of the disk as Node gives them
   */
  static open(path: string, which: 'taken' | 'all' = 'taken'): RawPages {
    const database = openOrNothing(path)
    const wal = openOrNothing(`${path}-wal`)
    const files = [database, wal].filter((file) => file !== undefined)
    const { taken, leftOut } = wal === undefined ? NOTHING : pagesInWal((at, bytes) => readAt(wal, at, bytes))
    const inWal = new Map([...taken, ...(which === 'all' ? (leftOut ?? []) : [])])
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
    return new RawPages({ count, page, inWal: [...inWal.keys()], walBroken: leftOut !== undefined }, files)
  }

  close(): void {
    for (const file of this.#files) closeSync(file)
  }
}

interface PagesInWal {
  readonly taken: ReadonlyMap<number, number>
  /** Undefined where nothing is. */
  readonly leftOut: ReadonlyMap<number, number> | undefined
}

const NOTHING: PagesInWal = { taken: new Map(), leftOut: undefined }

function pagesInWal(read: ReadWal): PagesInWal {
  const start = read(0, WAL_HEADER_BYTES)
  if (start.length < WAL_HEADER_BYTES) return NOTHING
  const header = walHeader(start)
  if (header !== undefined && header.pageBytes !== PAGE_BYTES) return NOTHING
  const { pages: taken, endsAt } = header === undefined ? { pages: new Map(), endsAt: 0 } : committedPages(header, read)
  const shape = { pageBytes: PAGE_BYTES, bigEndian: header?.bigEndian ?? false, salt: start.readUInt32BE(16) }
  return { taken, leftOut: commitsLeftOut(shape, read, endsAt) }
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
