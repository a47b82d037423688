import { z } from 'zod'
import { nearest } from '../contract/nearest.ts'
import { isSecretKey } from './mask.ts'
import type { Mistake, Path } from './mistake.ts'
import { oneOf, typeName } from './words.ts'

type Issue = z.core.$ZodIssue

/** A node of a JSON Schema, as far as it is read here. */
export interface SchemaNode {
  readonly $schema?: string
  readonly title?: string
  readonly type?: string | readonly string[]
  readonly properties?: Readonly<Record<string, SchemaNode>>
  readonly required?: readonly string[]
  readonly items?: SchemaNode
  readonly anyOf?: readonly SchemaNode[]
  readonly oneOf?: readonly SchemaNode[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly description?: string
  readonly default?: unknown
  readonly additionalProperties?: boolean | SchemaNode
  readonly pattern?: string
  readonly minimum?: number
  readonly maximum?: number
}

const SEE = 'config/README.md says what is possible here'

/** What zod found, in words that name the value and the way out; an unknown key is one mistake each. */
export function explain(issues: readonly Issue[], found: unknown, schema: z.ZodType): Mistake[] {
  const root = inputSchema(schema)
  const mistakes = issues.flatMap((issue) => explainOne(issue, [], found, root))
  // A misspelt key is one mistake: that what it means is missing follows from it.
  const meant = new Set(mistakes.flatMap(({ meant }) => (meant === undefined ? [] : [JSON.stringify(meant)])))
  return mistakes.filter(({ found: value, path }) => value !== undefined || !meant.has(JSON.stringify(path)))
}

/** The JSON Schema of what a person writes: durations and sizes as texts, defaults as optional. */
export function inputSchema(schema: z.ZodType): SchemaNode {
  return z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as SchemaNode
}

export function valueAt(value: unknown, path: Path): unknown {
  let at = value
  for (const key of path)
    at = typeof at === 'object' && at !== null ? (at as Record<string | number, unknown>)[key] : undefined
  return at
}

function explainOne(issue: Issue, prefix: Path, found: unknown, root: SchemaNode): Mistake[] {
  const path = [...prefix, ...issue.path.map((key) => (typeof key === 'symbol' ? String(key) : key))]
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownKey(key, path, found, root))
    case 'invalid_union':
      return explainUnion(issue, path, found, root)
    case 'invalid_key':
      return [{ ...base(path, found), message: issue.issues[0]?.message ?? issue.message, hint: SEE, atKey: true }]
    case 'invalid_element':
      return issue.issues.flatMap((inner) => explainOne(inner, path, found, root))
    default:
      return [valueAt(found, path) === undefined ? missing(issue, path, root) : wrongValue(issue, path, found, root)]
  }
}

function base(path: Path, found: unknown): Pick<Mistake, 'severity' | 'path' | 'found'> {
  return { severity: 'error', path, found: valueAt(found, path) }
}

/** Of several forms the one that was meant is the one that fits at its top; its mistakes are told. */
function explainUnion(
  issue: Extract<Issue, { code: 'invalid_union' }>,
  path: Path,
  found: unknown,
  root: SchemaNode,
): Mistake[] {
  if (valueAt(found, path) === undefined) return [missing(issue, path, root)]
  const meant = issue.errors
    .filter((branch) => branch.length > 0 && branch.every((inner) => inner.path.length > 0 || isKeyIssue(inner)))
    .sort((a, b) => a.length - b.length)[0]
  if (meant !== undefined) return meant.flatMap((inner) => explainOne(inner, path, found, root))
  const tops = issue.errors.flat().filter(({ path: at }) => at.length === 0)
  const values = tops.flatMap((inner) => (inner.code === 'invalid_value' ? inner.values : []))
  const types = [...new Set(tops.flatMap((inner) => (inner.code === 'invalid_type' ? [typeName(inner.expected)] : [])))]
  const forms = [...(values.length === 0 ? [] : [oneOf(values)]), ...types].join(', or ')
  // zod's own words say nothing; words of the schema itself say more than the list of forms.
  const message = issue.message !== 'Invalid input' || forms === '' ? issue.message : `${forms} is wanted`
  return [{ ...base(path, found), message, hint: hintFor(path, valueAt(found, path), root) }]
}

function isKeyIssue(issue: Issue): boolean {
  return issue.code === 'unrecognized_keys'
}

function missing(issue: Issue, path: Path, root: SchemaNode): Mistake {
  const key = String(path.at(-1) ?? '')
  const description = nodeAt(root, path)?.description
  // A refinement over several fields speaks for itself.
  const message = issue.code === 'custom' ? issue.message : `\`${key}\` is missing`
  return {
    severity: 'error',
    path,
    found: undefined,
    message,
    hint: description === undefined ? `add \`${key}:\`` : `add \`${key}:\` (${description})`,
  }
}

function wrongValue(issue: Issue, path: Path, found: unknown, root: SchemaNode): Mistake {
  const value = valueAt(found, path)
  const own = issue.code === 'custom' ? issue.params?.hint : undefined
  const plain = isPlainSecret(path, value)
  const message = plain ? 'a secret in plain text is refused: whoever sees the settings would have it' : issue.message
  const guess =
    issue.code === 'invalid_value' && typeof value === 'string' ? nearest(value, issue.values.map(String)) : undefined
  const hint = guess === undefined ? hintFor(path, value, root, issue) : `did you mean ${guess}?`
  return { ...base(path, found), message, hint: typeof own === 'string' ? own : hint }
}

function hintFor(path: Path, value: unknown, root: SchemaNode, issue?: Issue): string {
  const key = String(path.at(-1) ?? '')
  if (isPlainSecret(path, value)) {
    return `write \`${key}: { secret: NAME }\` and put its value into the file secrets/NAME beside this one`
  }
  if (issue?.code === 'invalid_type') {
    const unexplained = issue.message === `${typeName('string')} is wanted`
    if (unexplained && typeof value === 'number') return `put the digits in quotes: \`${key}: "..."\``
    if (issue.expected === 'number' && typeof value === 'string' && value !== '' && Number.isFinite(Number(value))) {
      return `leave out the quotes: \`${key}: ${value}\``
    }
  }
  return nodeAt(root, path)?.description ?? SEE
}

/** A password in plain text is the commonest mistake with the worst end. */
function isPlainSecret(path: Path, value: unknown): boolean {
  return (typeof value === 'string' || typeof value === 'number') && isSecretKey(String(path.at(-1) ?? ''))
}

function unknownKey(key: string, path: Path, found: unknown, root: SchemaNode): Mistake {
  const known = Object.keys(nodeAt(root, path)?.properties ?? {})
  const guess = nearest(key, known)
  const list = known.length === 0 ? 'remove it' : `known here: ${known.join(', ')}`
  return {
    ...base([...path, key], found),
    message: `\`${key}\` is not known here`,
    hint: guess === undefined ? list : `did you mean \`${guess}\`? ${list}`,
    atKey: true,
    ...(guess === undefined ? {} : { meant: [...path, guess] }),
  }
}

function nodeAt(root: SchemaNode, path: Path): SchemaNode | undefined {
  let node: SchemaNode | undefined = root
  for (const key of path) {
    node = alternatives(node)
      .map((option) => (typeof key === 'number' ? option.items : option.properties?.[key]))
      .find((next) => next !== undefined)
  }
  return alternatives(node).find(({ properties }) => properties !== undefined) ?? node
}

function alternatives(node: SchemaNode | undefined): readonly SchemaNode[] {
  return node === undefined ? [] : (node.anyOf ?? node.oneOf ?? [node])
}
