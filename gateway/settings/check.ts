import type { z } from 'zod'
import type { Driver } from '../contract/driver.ts'
import { nearest } from '../contract/nearest.ts'
import { crossCheck } from './cross-check.ts'
import { explain } from './explain.ts'
import { type Mistake, type Path, type Place, type PlacedProblem, readSettingsFile } from './mistake.ts'
import { type CheckedConnection, type Settings, settingsSchema } from './schema.ts'
import { words } from './words.ts'

const FOUND_CHARS_MAX = 80

/** The drivers by the key that a connection in the settings carries. */
export type DriverTable = Readonly<Record<string, Driver>>

export interface Checked {
  /** Undefined when there is an error among the problems. */
  readonly settings?: Settings
  /** In the order of the file. */
  readonly problems: readonly PlacedProblem[]
  /** What stands in the file, as plain values; undefined when it is no YAML. */
  readonly found?: Readonly<Record<string, unknown>>
  /** The connections that passed their driver's schema, whatever is wrong elsewhere. */
  readonly connections: readonly CheckedConnection[]
  readonly place: Place
}

/** Check a settings file as text: every mistake at once, each with its place, what was found and the way out. */
export function checkSettings(text: string, file: string, drivers: DriverTable): Checked {
  const { found, problems, place } = readSettingsFile(text, file)
  if (found === undefined) return { problems, place, connections: [] }
  const parsed = settingsSchema.safeParse(found, { error: words })
  const general = parsed.success ? [] : explain(parsed.error.issues, found, settingsSchema)
  const { connections, mistakes } = checkConnections(found.connections, drivers)
  const crossed = crossCheck(found, connections, drivers)
  const placed = inOrder([...problems, ...[...general, ...mistakes, ...crossed].map(place)])
  const checked = { problems: placed, found, connections, place }
  if (!parsed.success || placed.some(({ severity }) => severity === 'error')) return checked
  const { api, ...rest } = parsed.data
  const settings: Settings = {
    ...rest,
    ...(api === undefined ? {} : { api }),
    connections: connections.map(({ connection }) => connection),
  }
  return { ...checked, settings }
}

/** `site.yaml:12:5 error at connections[0].baud: ... (found 96000)` in one line, with the way out in a second. */
export function problemText({ severity, file, line, column, path, found, message, hint }: PlacedProblem): string {
  const where = line === undefined ? file : `${file}:${line}:${column}`
  const at = path.length === 0 ? '' : ` at ${pathText(path)}`
  const value = found === undefined ? '' : ` (found ${shown(found)})`
  return `${where} ${severity}${at}: ${message}${value}\n    ${hint}`
}

/** `connections[0].devices[1].every` */
export function pathText(path: Path): string {
  if (path.length === 0) return 'the top'
  return path.map((key, at) => (typeof key === 'number' ? `[${key}]` : at === 0 ? key : `.${key}`)).join('')
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > FOUND_CHARS_MAX ? `${text.slice(0, FOUND_CHARS_MAX - 3)}...` : text
}

/** As they stand in the file, from its top. */
export function inOrder(problems: readonly PlacedProblem[]): PlacedProblem[] {
  return problems.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0))
}

interface Looked {
  readonly connections: readonly CheckedConnection[]
  readonly mistakes: readonly Mistake[]
}

function checkConnections(list: unknown, drivers: DriverTable): Looked {
  const connections: CheckedConnection[] = []
  const mistakes: Mistake[] = []
  for (const [at, entry] of Array.isArray(list) ? list.entries() : []) {
    if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) continue
    const looked = checkConnection(at, entry as Record<string, unknown>, drivers)
    connections.push(...looked.connections)
    mistakes.push(...looked.mistakes.map((mistake) => ({ ...mistake, path: ['connections', at, ...mistake.path] })))
  }
  return { connections, mistakes }
}

/** The entry less its id goes to the driver whose kind stands in it; a misspelt kind is taken for what was meant. */
function checkConnection(at: number, { id, ...entry }: Record<string, unknown>, drivers: DriverTable): Looked {
  const { key, kind, mistakes } = kindOf(entry, Object.keys(drivers))
  const driver = kind === undefined ? undefined : drivers[kind]
  if (key === undefined || kind === undefined || driver === undefined) return { connections: [], mistakes }
  const { [key]: own, ...shared } = entry
  const options = { ...shared, [kind]: own }
  const parsed = driver.options.safeParse(options, { error: words })
  if (parsed.success) {
    const connection = { id: typeof id === 'string' ? id : '', kind, options: parsed.data }
    return { connections: [{ at, connection }], mistakes }
  }
  const inside = explain(parsed.error.issues, options, driver.options as z.ZodType)
  const asWritten = ({ path, ...mistake }: Mistake): Mistake => ({
    ...mistake,
    path: path[0] === kind ? [key, ...path.slice(1)] : path,
  })
  return { connections: [], mistakes: [...mistakes, ...inside.map(asWritten)] }
}

interface Kind {
  /** The key as it is written, and the kind that it means. */
  readonly key?: string
  readonly kind?: string
  readonly mistakes: readonly Mistake[]
}

function kindOf(entry: Record<string, unknown>, kinds: readonly string[]): Kind {
  const keys = Object.keys(entry)
  const present = keys.filter((key) => kinds.includes(key))
  const [key] = present
  if (present.length === 1 && key !== undefined) return { key, kind: key, mistakes: [] }
  const known = `known kinds: ${kinds.join(', ')}`
  if (present.length > 1) {
    const hint = `make a connection of its own for each of ${present.join(' and ')}`
    const message = 'a connection has one kind'
    return { mistakes: [{ severity: 'error', path: [], found: present, message, hint }] }
  }
  for (const typed of keys) {
    const kind = typed === 'devices' ? undefined : nearest(typed, kinds)
    if (kind === undefined) continue
    const hint = `did you mean \`${kind}\`? ${known}`
    const message = `\`${typed}\` is no kind of connection`
    return {
      key: typed,
      kind,
      mistakes: [{ severity: 'error', path: [typed], found: entry[typed], message, hint, atKey: true }],
    }
  }
  const message = 'the kind of this connection is missing'
  const hint = `beside its id stands what it is, ${known}`
  return { mistakes: [{ severity: 'error', path: [], found: keys, message, hint }] }
}
