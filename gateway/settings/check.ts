import { type Document, LineCounter, parseDocument } from 'yaml'
import type { Driver, Problem } from '../contract/driver.ts'
import type { Io } from '../contract/io.ts'
import { nearest } from '../contract/nearest.ts'
import { crossCheck } from './cross-check.ts'
import { explain } from './explain.ts'
import { type CheckedConnection, type ConnectionSettings, type Settings, settingsSchema } from './schema.ts'

/** A problem at its place in the file. */
export interface PlacedProblem extends Problem {
  readonly file: string
  readonly line?: number
  readonly column?: number
}

export interface Checked {
  /** Undefined when there is an error among the problems. */
  readonly settings?: Settings
  readonly problems: readonly PlacedProblem[]
}

export type DriverTable = Readonly<Record<string, Driver>>

/** Larger files are no settings of a hub; aliases could make a small one huge. */
const FILE_CHARS_MAX = 1_000_000
const ALIASES_MAX = 100

/** Check a settings file as text: every mistake at once, each with its place, what was found and the way out. */
export function checkSettings(text: string, file: string, drivers: DriverTable): Checked {
  const lines = new LineCounter()
  const document = parseDocument(text.slice(0, FILE_CHARS_MAX), { lineCounter: lines, prettyErrors: false })
  const place = placer(document, lines, file)
  if (document.errors.length > 0) {
    return { problems: document.errors.slice(0, 10).map((error) => syntaxProblem(error, lines, file)) }
  }
  const unfolded = unfold(document)
  if (unfolded instanceof Error)
    return { problems: [syntaxProblem({ message: unfolded.message, pos: [0, 0] }, lines, file)] }
  const found = unfolded
  const parsed = settingsSchema.safeParse(found)
  const problems: Problem[] = parsed.success ? [] : explain(parsed.error.issues, found, settingsSchema)
  const connections = checkConnections(found.connections, drivers)
  problems.push(...connections.problems)
  problems.push(...crossCheck(found, connections.checked, drivers))
  const placed = problems.map(place).sort((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0))
  if (!parsed.success || placed.some(({ severity }) => severity === 'error')) return { problems: placed }
  const { api, ...rest } = parsed.data
  const settings: Settings = {
    ...rest,
    ...(api === undefined ? {} : { api }),
    connections: connections.checked.map(({ connection }) => connection),
  }
  return { settings, problems: placed }
}

/** What the drivers can find out beyond the schema, such as a missing profile. Not part of starting: such a connection parks. */
export async function checkWorld(
  checked: Checked,
  drivers: DriverTable,
  io: Pick<Io, 'profiles'>,
  text: string,
  file: string,
): Promise<readonly PlacedProblem[]> {
  const lines = new LineCounter()
  const place = placer(parseDocument(text, { lineCounter: lines, prettyErrors: false }), lines, file)
  const problems: PlacedProblem[] = []
  for (const [at, { kind, options }] of (checked.settings?.connections ?? []).entries()) {
    const found = (await drivers[kind]?.check?.(options, io)) ?? []
    problems.push(...found.map((problem) => place({ ...problem, path: ['connections', at, ...problem.path] })))
  }
  return problems
}

/** `site.yaml:12:5 connections[0].baud: ...` in one line, with the way out in a second. */
export function problemText({ severity, file, line, column, path, found, message, hint }: PlacedProblem): string {
  const where = line === undefined ? file : `${file}:${line}:${column}`
  const value = found === undefined ? '' : ` (found ${shown(found)})`
  return `${where} ${severity} at ${pathText(path)}: ${message}${value}\n    ${hint}`
}

export function pathText(path: readonly (string | number)[]): string {
  if (path.length === 0) return 'the top'
  return path.map((key, at) => (typeof key === 'number' ? `[${key}]` : at === 0 ? key : `.${key}`)).join('')
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 80 ? `${text.slice(0, 77)}...` : text
}

function checkConnections(list: unknown, drivers: DriverTable): { checked: CheckedConnection[]; problems: Problem[] } {
  const checked: CheckedConnection[] = []
  const problems: Problem[] = []
  if (!Array.isArray(list)) return { checked, problems }
  for (const [at, entry] of list.entries()) {
    const result = checkConnection(entry, drivers)
    problems.push(...result.problems.map((problem) => ({ ...problem, path: ['connections', at, ...problem.path] })))
    if (result.connection !== undefined) checked.push({ at, connection: result.connection })
  }
  return { checked, problems }
}

function checkConnection(
  entry: unknown,
  drivers: DriverTable,
): { connection?: ConnectionSettings; problems: Problem[] } {
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) return { problems: [] }
  const { id, ...options } = entry as Record<string, unknown>
  const kinds = Object.keys(drivers)
  const present = Object.keys(options).filter((key) => kinds.includes(key))
  const kind = present[0]
  if (kind === undefined || present.length > 1) return { problems: [kindProblem(options, present, kinds)] }
  const driver = drivers[kind]!
  const parsed = driver.options.safeParse(options)
  if (!parsed.success) return { problems: explain(parsed.error.issues, options, driver.options) }
  return { connection: { id: String(id), kind, options: parsed.data }, problems: [] }
}

function kindProblem(options: Record<string, unknown>, present: readonly string[], kinds: readonly string[]): Problem {
  const keys = Object.keys(options)
  const list = kinds.join(', ')
  if (present.length > 1) {
    return {
      severity: 'error',
      path: [],
      found: present,
      message: 'a connection has one kind',
      hint: `make a connection of its own for each of ${present.join(' and ')}`,
    }
  }
  const guess = keys.map((key) => nearest(key, kinds)).find((kind) => kind !== undefined)
  return {
    severity: 'error',
    path: [],
    found: keys,
    message: 'the kind of this connection is missing',
    hint: guess === undefined ? `give one of: ${list}` : `did you mean ${guess}? Known kinds: ${list}`,
  }
}

/** The file as plain values; an error for aliases that would unfold a small file into a huge one. */
function unfold(document: Document): Record<string, unknown> | Error {
  try {
    const value: unknown = document.toJS({ maxAliasCount: ALIASES_MAX }) ?? {}
    if (typeof value === 'object' && !Array.isArray(value)) return value as Record<string, unknown>
    return new Error('the file is to be a map that begins with `hub:`')
  } catch (error) {
    if (error instanceof ReferenceError) return error
    throw error
  }
}

function placer(document: Document, lines: LineCounter, file: string): (problem: Problem) => PlacedProblem {
  return (problem) => {
    for (let depth = problem.path.length; depth >= 0; depth--) {
      const node = depth === 0 ? document.contents : document.getIn(problem.path.slice(0, depth), true)
      const range = (node as { range?: readonly number[] } | undefined)?.range
      if (range?.[0] === undefined) continue
      const { line, col } = lines.linePos(range[0])
      return { ...problem, file, line, column: col }
    }
    return { ...problem, file }
  }
}

function syntaxProblem(
  error: { message: string; pos: readonly [number, number] },
  lines: LineCounter,
  file: string,
): PlacedProblem {
  const { line, col } = lines.linePos(error.pos[0])
  return {
    severity: 'error',
    path: [],
    found: undefined,
    message: `this is no YAML: ${error.message}`,
    hint: 'mend the line; indentation by two spaces, a space behind every colon',
    file,
    line,
    column: col,
  }
}
