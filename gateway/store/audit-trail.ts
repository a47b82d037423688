import type { Events } from './collect.ts'
import type { GapRun } from './gaps.ts'
import { leafCells, type PageSource, type Value } from './page-format.ts'
import { cellAt, tableCells, tableRoots } from './page-tree.ts'
import { DamagedRow, decodeBody, decodeHead } from './row.ts'
import { gapRun } from './salvage.ts'
import { recordCrc } from './schema.ts'

export interface AuditRow {
  readonly last: number
  /** Undefined where the row is not what was written. */
  readonly events: Events | undefined
}

/** The audit events of a log and their links, each in order of place; read while it is asked for, however many they are. */
export interface AuditTrail {
  readonly hub: string | undefined
  readonly epoch: string | undefined
  rows(): Iterable<AuditRow>
  links(): Iterable<{ readonly last: number; readonly hash: Uint8Array }>
  linkAt(seq: number): Uint8Array | undefined
  /** Records of what was let go of or lost. */
  gaps(): Iterable<GapRun>
  /** Pages of those tables that are not what their trees need there, of those that were read. */
  torn(): ReadonlySet<number>
}

/** One place of a trail: a row with its link, or one of the two without the other. */
export interface AuditPlace {
  readonly at: number
  readonly row: AuditRow | undefined
  readonly hash: Uint8Array | undefined
}

/** All places of a trail, in order. */
export function* placesOf(trail: Pick<AuditTrail, 'rows' | 'links'>): Generator<AuditPlace> {
  const rows = trail.rows()[Symbol.iterator]()
  const links = trail.links()[Symbol.iterator]()
  let row: AuditRow | undefined = rows.next().value
  let link: { readonly last: number; readonly hash: Uint8Array } | undefined = links.next().value
  while (row !== undefined || link !== undefined) {
    const at = Math.min(row?.last ?? Number.POSITIVE_INFINITY, link?.last ?? Number.POSITIVE_INFINITY)
    const here = { at, row: row?.last === at ? row : undefined, hash: link?.last === at ? link.hash : undefined }
    yield here
    if (here.row !== undefined) row = rows.next().value
    if (here.hash !== undefined) link = links.next().value
  }
}

/** The trail in the pages of a log's file, without SQLite; undefined where its tables can't be found. */
export function trailIn(pages: PageSource): AuditTrail | undefined {
  const torn = new Set<number>()
  const note = (page: number): void => void torn.add(page)
  const roots = tableRoots(pages, note)
  const [audit, meta, gap, link] = ['audit', 'meta', 'gap', 'audit_link'].map((name) => roots.get(name))
  if (audit === undefined || meta === undefined || gap === undefined) return undefined
  return {
    hub: metaText(meta, 'hub', pages),
    epoch: metaText(meta, 'epoch', pages),
    *rows() {
      for (const { rowid, values } of tableCells(audit, pages, note)) {
        yield { last: rowid!, events: eventsOf(rowid!, values[1], values[2]) }
      }
    },
    *links() {
      // A log of an older version has none.
      if (link === undefined) return
      for (const { rowid, values } of tableCells(link, pages, note)) {
        if (Buffer.isBuffer(values[1])) yield { last: rowid!, hash: values[1] }
      }
    },
    linkAt(seq) {
      const hash = link === undefined ? undefined : cellAt(link, seq, pages)?.values[1]
      return Buffer.isBuffer(hash) ? hash : undefined
    },
    *gaps() {
      for (const { rowid, values } of tableCells(gap, pages, note)) {
        const run = values.length === 7 ? gapRun(rowid!, values) : undefined
        if (run !== undefined) yield run
      }
    },
    torn: () => torn,
  }
}

/** The table is without rowid, and fits into one page. */
function metaText(root: number, name: string, pages: PageSource): string | undefined {
  for (const { values } of leafCells(root, pages)) {
    const [found, value, crc] = values
    if (found === name && typeof value === 'string' && crc === recordCrc(name, value)) return value
  }
  return undefined
}

function eventsOf(last: number, head: Value | undefined, body: Value | undefined): Events | undefined {
  if (!Buffer.isBuffer(head) || !Buffer.isBuffer(body)) return undefined
  try {
    return decodeBody(decodeHead('audit', last, head), body)
  } catch (error) {
    if (error instanceof DamagedRow) return undefined
    throw error
  }
}
