import type { AuditTrail } from './audit-check.ts'
import { survey } from './inspection.ts'
import type { PageSource } from './page-format.ts'
import { wholeRow } from './salvage.ts'

/** The audit events of a log's file and their links, page by page without SQLite; bodies are unpacked when they are asked for. */
export function trailIn(
  count: number,
  pages: PageSource,
): { readonly hub: string | undefined; readonly trail: AuditTrail } {
  const { found, rows, gaps } = survey(count, pages)
  const audit = rows.filter((row) => row.class === 'audit')
  const events = audit.map((row) => ({ last: row.last, events: () => wholeRow(row, pages)?.events }))
  return { hub: found.hub, trail: { rows: events, links: found.links, gaps } }
}
