import { z } from 'zod'
import type { Problem } from '../contract/driver.ts'
import { nearest } from '../contract/nearest.ts'

type Issue = z.core.$ZodIssue
type Path = readonly (string | number)[]
interface Node {
  readonly properties?: Record<string, Node>
  readonly items?: Node
  readonly anyOf?: readonly Node[]
  readonly description?: string
  readonly default?: unknown
}

/** What zod found, in words that name the value and the way out; an unknown key is one problem each. */
export function explain(issues: readonly Issue[], found: unknown, schema: z.ZodType): Problem[] {
  const root = inputSchema(schema) as Node
  return issues.flatMap((issue) => {
    const path = issue.path.map((key) => (typeof key === 'symbol' ? String(key) : key))
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(key, path, found, root))
    const value = valueAt(found, path)
    const description = nodeAt(root, path)?.description
    if (value === undefined) return [missing(path, description, issue)]
    return [
      {
        severity: 'error' as const,
        path,
        found: value,
        message: issue.message,
        hint: secretHint(path, value) ?? description ?? 'see config/README.md for what is possible here',
      },
    ]
  })
}

/** The JSON Schema of what a person writes: durations and sizes as texts, defaults as optional. */
export function inputSchema(schema: z.ZodType): Record<string, unknown> {
  return z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Record<string, unknown>
}

function missing(path: Path, description: string | undefined, issue: Issue): Problem {
  const key = String(path.at(-1) ?? '')
  const hint = `add \`${key}:\`${description === undefined ? '' : ` (${description})`}`
  // A refinement over several fields speaks for itself.
  const message = issue.code === 'custom' ? issue.message : `\`${key}\` is missing`
  return { severity: 'error', path, found: undefined, message, hint }
}

function unknownKey(key: string, path: Path, found: unknown, root: Node): Problem {
  const known = Object.keys(nodeAt(root, path)?.properties ?? {})
  const guess = nearest(key, known)
  const list = known.length === 0 ? 'remove it' : `known here: ${known.join(', ')}`
  return {
    severity: 'error',
    path: [...path, key],
    found: valueAt(found, [...path, key]),
    message: `\`${key}\` is not known here`,
    hint: guess === undefined ? list : `did you mean \`${guess}\`? ${list}`,
  }
}

/** A password in plain text is the commonest mistake with the worst end. */
function secretHint(path: Path, value: unknown): string | undefined {
  const key = String(path.at(-1))
  if (typeof value !== 'string' || !/password|secret|key|token/i.test(key)) return undefined
  return `a secret never stands in this file: write \`${key}: { secret: NAME }\` and put its value into the file secrets/NAME`
}

function nodeAt(root: Node, path: Path): Node | undefined {
  let node: Node | undefined = root
  for (const key of path) {
    const options: readonly Node[] = node?.anyOf ?? (node === undefined ? [] : [node])
    node = options
      .map((option) => (typeof key === 'number' ? option.items : option.properties?.[key]))
      .find((next) => next !== undefined)
  }
  const alternatives: readonly Node[] | undefined = node?.anyOf
  return node?.properties === undefined
    ? (alternatives?.find(({ properties }) => properties !== undefined) ?? node)
    : node
}

export function valueAt(value: unknown, path: Path): unknown {
  let at = value
  for (const key of path)
    at = typeof at === 'object' && at !== null ? (at as Record<string | number, unknown>)[key] : undefined
  return at
}
