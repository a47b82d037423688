import { importsOf, ownPath } from './imports.ts'
import type { Breach, Source } from './sources.ts'

/** Files that lean on each other in a ring, types included: none of them can be read or tested alone. */
export function cycles(sources: readonly Source[]): readonly Breach[] {
  const edges = new Map(
    sources.map((file) => [file.path, importsOf(file).map(({ specifier }) => ownPath(file.path, specifier))]),
  )
  return ringsIn(edges).map((ring) => ({
    path: ring[0]!,
    line: 1,
    message: `imports itself by way of ${[...ring.slice(1), ring[0]].join(' > ')}: move what both need into a file of its own`,
  }))
}

/** Strongly connected parts with more than one file, or a file that imports itself (Tarjan, 1972). */
function ringsIn(edges: ReadonlyMap<string, readonly (string | undefined)[]>): string[][] {
  const order = new Map<string, number>()
  const lowest = new Map<string, number>()
  const open: string[] = []
  const rings: string[][] = []
  const visit = (path: string): void => {
    order.set(path, order.size)
    lowest.set(path, order.get(path)!)
    open.push(path)
    for (const next of edges.get(path) ?? []) {
      if (next === undefined || !edges.has(next)) continue
      if (!order.has(next)) visit(next)
      if (open.includes(next)) lowest.set(path, Math.min(lowest.get(path)!, lowest.get(next)!))
    }
    if (lowest.get(path) !== order.get(path)) return
    const part = open.splice(open.indexOf(path))
    if (part.length > 1 || edges.get(path)?.includes(path) === true) rings.push(part)
  }
  for (const path of edges.keys()) if (!order.has(path)) visit(path)
  return rings
}
