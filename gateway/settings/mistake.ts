import { type Document, isMap, isScalar, LineCounter, parseDocument } from 'yaml'
import type { Problem } from '../contract/driver.ts'
import { masked } from './mask.ts'

export type Path = readonly (string | number)[]

/** A problem on its way to its place: most stand at a value, some are about the key itself. */
export interface Mistake extends Problem {
  readonly atKey?: true
  /** Of a misspelt key: the path that was probably meant. */
  readonly meant?: Path
}

/** A problem at its place in the file. What was found is shown without secrets. */
export interface PlacedProblem extends Problem {
  readonly file: string
  readonly line?: number
  readonly column?: number
}

/** Finds the place of a path in a file; what is not there is told at the nearest thing around it. */
export type Place = (mistake: Mistake) => PlacedProblem

/** Larger files are no settings of a hub; aliases could make a small one huge. */
const FILE_CHARS_MAX = 1_000_000
const ALIASES_MAX = 100
/** One slip of indentation makes many errors of syntax; the first ones say it. */
const SYNTAX_PROBLEMS_MAX = 5

export interface SettingsFile {
  /** What stands in the file, as plain values; undefined when it can't be read as a map. */
  readonly found?: Readonly<Record<string, unknown>>
  readonly problems: readonly PlacedProblem[]
  readonly place: Place
}

/** A settings file as YAML 1.2, with the place of everything in it. */
export function readSettingsFile(text: string, file: string): SettingsFile {
  const lines = new LineCounter()
  const tooLong = text.length > FILE_CHARS_MAX
  const document = parseDocument(tooLong ? '' : text, { lineCounter: lines, prettyErrors: false })
  const place = placer(document, lines, file)
  const at = (pos: number, message: string, severity: Problem['severity'] = 'error'): PlacedProblem => {
    const { line, col } = lines.linePos(pos)
    return { ...yamlProblem(message, severity), file, line, column: col }
  }
  if (tooLong) return { place, problems: [at(0, `the file is longer than ${FILE_CHARS_MAX} characters`)] }
  const errors = document.errors.slice(0, SYNTAX_PROBLEMS_MAX)
  if (errors.length > 0) return { place, problems: errors.map(({ pos, message }) => at(pos[0], syntax(message))) }
  const problems = document.warnings.map(({ pos, message }) => at(pos[0], syntax(message), 'warning'))
  const found = unfold(document)
  if (typeof found === 'string') return { place, problems: [...problems, at(0, found)] }
  return { found, place, problems }
}

/** The file as plain values, or what is wrong with it as a whole. */
function unfold(document: Document): Record<string, unknown> | string {
  try {
    const value: unknown = document.toJS({ maxAliasCount: ALIASES_MAX }) ?? {}
    if (typeof value === 'object' && !Array.isArray(value)) return value as Record<string, unknown>
    return 'the file is to be a map of keys that begins with `hub:`'
  } catch (error) {
    // Aliases without an anchor or without end, and nesting deeper than the stack.
    if (error instanceof ReferenceError || error instanceof RangeError) return syntax(error.message)
    throw error
  }
}

function placer(document: Document, lines: LineCounter, file: string): Place {
  return ({ atKey, meant, ...problem }) => {
    const key = String((meant ?? problem.path).at(-1) ?? '')
    const shownProblem = { ...problem, found: masked(problem.found, key), file }
    const offset = offsetOf(document, problem.path, atKey === true)
    if (offset === undefined) return shownProblem
    const { line, col } = lines.linePos(offset)
    return { ...shownProblem, line, column: col }
  }
}

/** Where the path begins, or the longest part of it that is there. A map or list stands where its key does. */
function offsetOf(document: Document, path: Path, atKey: boolean): number | undefined {
  for (let depth = path.length; depth > 0; depth--) {
    const node = document.getIn(path.slice(0, depth), true)
    if (node === undefined) continue
    const value = rangeStart(node)
    const key = keyStart(document, path.slice(0, depth))
    return (atKey || !isScalar(node) ? (key ?? value) : (value ?? key)) ?? undefined
  }
  return rangeStart(document.contents)
}

function keyStart(document: Document, path: Path): number | undefined {
  const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true)
  if (!isMap(parent)) return undefined
  const pair = parent.items.find(({ key }) => isScalar(key) && String(key.value) === String(path.at(-1)))
  return rangeStart(pair?.key)
}

function rangeStart(node: unknown): number | undefined {
  return (node as { range?: readonly number[] } | undefined | null)?.range?.[0]
}

function yamlProblem(message: string, severity: Problem['severity']): Problem {
  const hint = 'indent by two spaces, never by tabs, and put a space behind every colon'
  return { severity, path: [], found: undefined, message, hint }
}

function syntax(message: string): string {
  return `this is no YAML: ${message}`
}
