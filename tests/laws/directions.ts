import { importsOf, ownPath } from './imports.ts'
import type { Breach, Source } from './sources.ts'

/**
 * Who may import whom (design: layers). A row is a folder or a file, `*` one name in it; the longest row that fits
 * holds. Everybody may import from the place that its row names; `=` is that place itself.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  'gateway/contract': ['='],
  'gateway/io': ['=', 'gateway/contract'],
  'gateway/store': ['=', 'gateway/contract'],
  'gateway/core': ['=', 'gateway/contract', 'gateway/store'],
  'gateway/upstream': ['=', 'gateway/contract', 'gateway/store'],
  'gateway/api': ['=', 'gateway/contract', 'gateway/store', 'gateway/core'],
  'gateway/broker': ['=', 'gateway/contract', 'gateway/store', 'gateway/core'],
  'gateway/web': ['='],
  'gateway/node-red': ['='],
  // What an upstream or a consumer may say is declared beside the part that does it.
  'gateway/settings': ['=', 'gateway/contract', 'gateway/api/options.ts', 'gateway/upstream/options.ts'],
  // The command line and the composition root put the parts together.
  'gateway/main.ts': ['gateway', 'drivers'],
  'gateway/interface.ts': ['gateway'],
  'gateway/cli.ts': ['gateway/cli'],
  'gateway/cli': ['gateway', 'drivers'],
  'drivers/index.ts': ['drivers', 'gateway/contract'],
  // What several drivers need stands between them, in files that are no driver's own.
  'drivers/*': ['=', 'gateway/contract', 'drivers/*.ts'],
  'drivers/*/codec': ['=', 'gateway/contract'],
  'hardware-sim': ['=', 'gateway/contract', 'config/profiles'],
  config: ['='],
  tests: ['=', 'gateway', 'drivers', 'hardware-sim'],
  'vitest.config.ts': [],
}

const PURE = 'a codec turns bytes into values and leans on nothing that runs: move what it needs into codec/'
const WAY_OUT =
  'say what you need as an interface in gateway/contract and take it as a parameter; gateway/main.ts puts the parts together'

/** Arrows against the layers, and files in a place that no row names. */
export function wrongDirections(sources: readonly Source[]): readonly Breach[] {
  return sources.flatMap((file) => {
    const row = rowOf(file.path)
    if (row === undefined) {
      return [
        {
          path: file.path,
          line: 1,
          message: 'this place has no row in tests/laws/directions.ts: say there what it may import',
        },
      ]
    }
    return importsOf(file).flatMap(({ specifier, line }) => {
      const target = ownPath(file.path, specifier)
      if (target === undefined || mayImport(file.path, row, target)) return []
      return [
        {
          path: file.path,
          line,
          message: `${row.pattern} may not import ${target}: ${row.pattern.endsWith('/codec') ? PURE : WAY_OUT}`,
        },
      ]
    })
  })
}

interface Row {
  readonly pattern: string
  /** The place that the pattern names for this file, such as `drivers/rs485` for `drivers/*`. */
  readonly place: string
  readonly allowed: readonly string[]
}

function rowOf(path: string): Row | undefined {
  const rows = Object.entries(MAY_IMPORT).flatMap(([pattern, allowed]) => {
    const place = placeOf(pattern, path)
    return place === undefined ? [] : [{ pattern, place, allowed }]
  })
  return rows.sort((a, b) => b.pattern.length - a.pattern.length)[0]
}

/** The beginning of the path that the pattern names, where it names one. */
function placeOf(pattern: string, path: string): string | undefined {
  const parts = path.split('/')
  const wanted = pattern.split('/')
  const fits = wanted.every((part, at) => {
    const own = parts[at]
    if (own === undefined) return false
    if (part === '*') return at < parts.length - 1
    return part === '*.ts' ? at === parts.length - 1 && own.endsWith('.ts') : part === own
  })
  return fits ? parts.slice(0, wanted.length).join('/') : undefined
}

function mayImport(from: string, row: Row, target: string): boolean {
  // The table of drivers knows them all; who imports it knows them, too.
  if (target === 'drivers/index.ts' && from.startsWith('drivers/')) return false
  return row.allowed.some((pattern) =>
    pattern === '='
      ? target === row.place || target.startsWith(`${row.place}/`)
      : placeOf(pattern, target) !== undefined,
  )
}
