import { type LeafCell, leafCells, type PageSource, varint } from './page-format.ts'

/**
 * The tables of an SQLite database as trees of pages (sqlite.org/fileformat2, section 1.6): in order of their key and
 * one page at a time, so that a log of any size takes no more memory than one page for each level.
 */

const INTERIOR_TABLE = 0x05
const LEAF_TABLE = 0x0d
const FILE_HEADER_BYTES = 100
const INTERIOR_HEADER_BYTES = 12
const CHILD_BYTES = 4
/** A tree of SQLite has fewer levels than this; pages that lead in a circle have more. */
const LEVELS_MAX = 20

/** Told of each page that is not what its tree needs there: what hangs on it can't be read. */
export type Torn = (page: number) => void

/** The root page of each table by its name (section 2.6). */
export function tableRoots(pages: PageSource, torn: Torn): Map<string, number> {
  const roots = new Map<string, number>()
  for (const { values } of tableCells(1, pages, torn)) {
    const [kind, name, , root] = values
    if (kind === 'table' && typeof name === 'string' && typeof root === 'number') roots.set(name, root)
  }
  return roots
}

/** The records of a table, each key larger than the one before it; one that is not is told as torn and left out. */
export function* tableCells(root: number, pages: PageSource, torn: Torn): Generator<LeafCell> {
  let last = Number.NEGATIVE_INFINITY
  for (const { page, cell } of cellsUnder(
    { page: root, level: 1, above: Number.NEGATIVE_INFINITY, upTo: Number.POSITIVE_INFINITY },
    pages,
    torn,
  )) {
    if (cell.rowid === undefined || cell.rowid <= last) {
      torn(page)
      continue
    }
    last = cell.rowid
    yield cell
  }
}

/** The record with this key. */
export function cellAt(root: number, key: number, pages: PageSource): LeafCell | undefined {
  let number = root
  for (let level = 1; level <= LEVELS_MAX; level++) {
    const node = nodeOf(number, pages)
    if (node === undefined) return undefined
    if (node.children === undefined) return leafCells(number, pages).find(({ rowid }) => rowid === key)
    const next = node.children.find(({ upTo }) => key <= upTo)
    if (next === undefined) return undefined
    number = next.page
  }
  return undefined
}

interface Part {
  readonly page: number
  readonly level: number
  /** The keys in it are larger than the first and not larger than the second. */
  readonly above: number
  readonly upTo: number
}

function* cellsUnder(
  { page: number, level, above, upTo }: Part,
  pages: PageSource,
  torn: Torn,
): Generator<{ readonly page: number; readonly cell: LeafCell }> {
  const node = nodeOf(number, pages)
  if (node === undefined || level > LEVELS_MAX) {
    torn(number)
    return
  }
  if (node.children === undefined) {
    const cells = leafCells(number, pages)
    if (cells.length < node.count) torn(number)
    for (const cell of cells) yield { page: number, cell }
    return
  }
  if (node.children.length <= node.count) torn(number)
  let last = above
  for (const child of node.children) {
    // A key that does not belong here leads in a circle, or to the same page twice.
    if (child.upTo <= last || (child.upTo > upTo && child.upTo !== Number.POSITIVE_INFINITY)) torn(child.page)
    else
      yield* cellsUnder(
        { page: child.page, level: level + 1, above: last, upTo: Math.min(child.upTo, upTo) },
        pages,
        torn,
      )
    last = Math.max(last, Math.min(child.upTo, upTo))
  }
}

interface Node {
  /** As the page says. */
  readonly count: number
  /** Undefined for a leaf; the last one holds whatever is larger. */
  readonly children: readonly { readonly page: number; readonly upTo: number }[] | undefined
}

function nodeOf(number: number, pages: PageSource): Node | undefined {
  const page = pages(number)
  if (page === undefined) return undefined
  const start = number === 1 ? FILE_HEADER_BYTES : 0
  const kind = page[start]
  const count = page.readUInt16BE(start + 3)
  if (kind === LEAF_TABLE) return { count, children: undefined }
  const pointers = start + INTERIOR_HEADER_BYTES
  if (kind !== INTERIOR_TABLE || pointers + 2 * count > page.length) return undefined
  const children: { page: number; upTo: number }[] = []
  for (let n = 0; n < count; n++) {
    const at = page.readUInt16BE(pointers + 2 * n)
    const key = at + CHILD_BYTES < page.length ? varint(page, at + CHILD_BYTES) : undefined
    if (key !== undefined) children.push({ page: page.readUInt32BE(at), upTo: key.value })
  }
  children.push({ page: page.readUInt32BE(start + 8), upTo: Number.POSITIVE_INFINITY })
  return { count, children }
}
