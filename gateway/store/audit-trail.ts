import type { AuditTrail, SignedHead } from './audit-check.ts'
import { freePages, type PageSource } from './page-format.ts'
import { withoutOverlaps } from './rebuild.ts'
import { decodeBody, decodeHead } from './row.ts'
import { chosenRows, findRecords, rowBlobs } from './salvage.ts'

/** The audit events of a log's file, their links, and the heads that stand among them. */
export interface StoredTrail {
  readonly hub: string | undefined
  readonly trail: AuditTrail
  readonly heads: readonly SignedHead[]
}

/** Read page by page without SQLite; bodies are unpacked when they are asked for. */
export function trailIn(count: number, pages: PageSource): StoredTrail {
  // What was deleted may still stand in a page that is free: it is no part of the record.
  const found = findRecords(count, pages, freePages(count, pages))
  const audit = chosenRows(found, Number.POSITIVE_INFINITY).filter((row) => row.class === 'audit')
  const rows = audit.map((row) => ({
    last: row.last,
    events: () => {
      const blobs = rowBlobs(row, pages)
      return blobs === undefined ? undefined : decodeBody(decodeHead('audit', row.last, blobs.head), blobs.body)
    },
  }))
  const heads = rows.flatMap(({ events }) => {
    const row = events()
    if (row?.streams[0]?.type !== 'linli.audit.head') return []
    return [JSON.parse(row.text) as SignedHead]
  })
  return { hub: found.hub, trail: { rows, links: found.links, gaps: withoutOverlaps(found.gaps) }, heads }
}
