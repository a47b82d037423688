/**
 * The pages of an SQLite database as bytes, for a file that SQLite itself can't read any more
 * (sqlite.org/fileformat2; sections are named at each function). Everything here doubts what it reads: it gives what
 * is well formed and leaves the rest; whether it is what was written, the CRCs in the records say.
 */

/** The value of one column of a record. */
export type Value = number | string | Buffer | null

export interface LeafCell {
  /** Of a table; undefined in an index or a table without rowid. */
  readonly rowid: number | undefined
  readonly values: readonly Value[]
}

/** Gives a page by its number, from 1 on; undefined for one that is not there. */
export type PageSource = (number: number) => Buffer | undefined

const LEAF_TABLE = 0x0d
const LEAF_INDEX = 0x0a
/** The header of the file stands before the header of the first page. */
const FILE_HEADER_BYTES = 100
const LEAF_HEADER_BYTES = 8
/** A record of ours has eight columns at most, and bodies of 8 MiB at most. */
const COLUMNS_MAX = 32
const PAYLOAD_BYTES_MAX = 32 * 1024 * 1024

/** Where the first page names the list of free pages (section 1.3), and the pages of that list (section 1.5). */
const FREE_LIST_AT = 32

/** Pages that nothing uses any more: they may still hold what was deleted. As far as the list of them is whole. */
export function freePages(count: number, pages: PageSource): Set<number> {
  const free = new Set<number>()
  for (let trunk = pages(1)?.readUInt32BE(FREE_LIST_AT) ?? 0; trunk !== 0 && !free.has(trunk) && free.size < count; ) {
    const page = pages(trunk)
    if (page === undefined) break
    free.add(trunk)
    const leaves = Math.min(page.readUInt32BE(4), (page.length - 8) / 4)
    for (let n = 0; n < leaves; n++) free.add(page.readUInt32BE(8 + 4 * n))
    trunk = page.readUInt32BE(0)
  }
  return free
}

/** What stands in a page, if it is a leaf (section 1.6); nothing for any other page. */
export function leafCells(number: number, pages: PageSource): LeafCell[] {
  const page = pages(number)
  if (page === undefined) return []
  const start = number === 1 ? FILE_HEADER_BYTES : 0
  const kind = page[start]
  if (kind !== LEAF_TABLE && kind !== LEAF_INDEX) return []
  const count = page.readUInt16BE(start + 3)
  const pointers = start + LEAF_HEADER_BYTES
  if (pointers + 2 * count > page.length) return []
  const cells: LeafCell[] = []
  for (let n = 0; n < count; n++) {
    const cell = leafCell(page, page.readUInt16BE(pointers + 2 * n), kind, pages)
    if (cell !== undefined) cells.push(cell)
  }
  return cells
}

function leafCell(page: Buffer, at: number, kind: number, pages: PageSource): LeafCell | undefined {
  const bytes = varint(page, at)
  if (bytes === undefined || bytes.value > PAYLOAD_BYTES_MAX) return undefined
  const rowid = kind === LEAF_TABLE ? varint(page, bytes.next) : undefined
  if (kind === LEAF_TABLE && rowid === undefined) return undefined
  const payload = payloadAt(page, rowid?.next ?? bytes.next, bytes.value, kind, pages)
  const values = payload === undefined ? undefined : recordValues(payload)
  return values === undefined ? undefined : { rowid: rowid?.value, values }
}

/** A payload with what of it spilled into pages of its own (sections 1.6 and 1.7). */
function payloadAt(page: Buffer, at: number, bytes: number, kind: number, pages: PageSource): Buffer | undefined {
  const usable = page.length
  const most = kind === LEAF_TABLE ? usable - 35 : Math.floor(((usable - 12) * 64) / 255) - 23
  const least = Math.floor(((usable - 12) * 32) / 255) - 23
  const fit = least + ((bytes - least) % (usable - 4))
  const local = bytes <= most ? bytes : fit <= most ? fit : least
  if (at + local > page.length) return undefined
  if (local === bytes) return page.subarray(at, at + local)
  if (at + local + 4 > page.length) return undefined
  const parts = [page.subarray(at, at + local)]
  let left = bytes - local
  for (let next = page.readUInt32BE(at + local); left > 0; ) {
    const spilled = next === 0 ? undefined : pages(next)
    if (spilled === undefined) return undefined
    parts.push(spilled.subarray(4, 4 + Math.min(left, usable - 4)))
    left -= usable - 4
    next = spilled.readUInt32BE(0)
  }
  return Buffer.concat(parts, bytes)
}

/** The columns of a record (section 2.1); undefined where they don't fill it exactly. */
function recordValues(payload: Buffer): Value[] | undefined {
  const header = varint(payload, 0)
  if (header === undefined || header.value > payload.length || header.value < header.next) return undefined
  const values: Value[] = []
  let at = header.value
  for (let place = header.next; place < header.value; ) {
    const serial = varint(payload, place)
    if (serial === undefined || values.length >= COLUMNS_MAX) return undefined
    place = serial.next
    const bytes = bytesOf(serial.value)
    if (bytes === undefined || at + bytes > payload.length) return undefined
    values.push(columnOf(serial.value, payload.subarray(at, at + bytes)))
    at += bytes
  }
  return at === payload.length ? values : undefined
}

const FIXED_BYTES = [0, 1, 2, 3, 4, 6, 8, 8, 0, 0] as const

function bytesOf(serial: number): number | undefined {
  return serial >= 12 ? Math.floor((serial - 12) / 2) : FIXED_BYTES[serial]
}

function columnOf(serial: number, bytes: Buffer): Value {
  if (serial === 0) return null
  if (serial === 8 || serial === 9) return serial - 8
  if (serial === 7) return bytes.readDoubleBE(0)
  if (serial === 6) return Number(bytes.readBigInt64BE(0))
  if (serial < 6) return bytes.readIntBE(0, bytes.length)
  return serial % 2 === 0 ? bytes : bytes.toString('utf8')
}

/** Up to nine bytes, the high bit says that another follows (section 1.6); no number that JavaScript can't hold. */
export function varint(bytes: Buffer, at: number): { readonly value: number; readonly next: number } | undefined {
  let value = 0
  for (let n = 0; n < 8; n++) {
    const byte = bytes[at + n]
    if (byte === undefined) return undefined
    value = value * 128 + (byte & 0x7f)
    if (byte < 0x80) return value > Number.MAX_SAFE_INTEGER ? undefined : { value, next: at + n + 1 }
  }
  return undefined
}
