import type { z } from 'zod'
import { duration, name, size } from '../contract/units.ts'
import type { SchemaNode } from './explain.ts'
import { publishedSchema } from './json-schema.ts'
import { markdownTable } from './markdown-table.ts'

/** The options of a schema as a Markdown table: one row an option, in the order of the schema. */
export function optionTable(schema: z.ZodType): string {
  return table(childRows(publishedSchema(schema), ''))
}

/** The same for one key of a schema and what stands below it. */
export function sectionTable(schema: z.ZodType, key: string): string {
  const root = publishedSchema(schema)
  const node = root.properties?.[key]
  if (node === undefined) throw new Error(`there is no section ${key}`)
  return table([ownRow(node, key, root.required?.includes(key) === true), ...childRows(node, key)])
}

type Row = readonly [option: string, value: string, preset: string, what: string]

function table(rows: readonly Row[]): string {
  return markdownTable([['option', 'value', 'default', 'what it does'], ...rows])
}

/**
 * The README with this text between its marks, such as `<!-- options -->` and `<!-- /options -->`; undefined when it
 * has no marks.
 */
export function withOptions(readme: string, text: string, mark = 'options'): string | undefined {
  const [begin, end] = [`<!-- ${mark} -->`, `<!-- /${mark} -->`]
  const from = readme.indexOf(begin)
  const to = readme.indexOf(end)
  if (from < 0 || to < from) return undefined
  return `${readme.slice(0, from + begin.length)}\n${text}\n${readme.slice(to)}`
}

function childRows(node: SchemaNode, path: string): Row[] {
  const map = mapIn(node)
  if (map?.properties === undefined) return []
  const at = path === '' ? '' : `${path}${isList(node) ? '[]' : ''}.`
  return Object.entries(map.properties).flatMap(([key, child]) => {
    // A reference to a secret is a value of its own, and no map to look into.
    const row = ownRow(child, `${at}${key}`, map.required?.includes(key) === true)
    return isSecret(child) ? [row] : [row, ...childRows(child, `${at}${key}`)]
  })
}

function ownRow(node: SchemaNode, path: string, needed: boolean): Row {
  return [`\`${path}\``, valueText(node), defaultText(node, needed), node.description ?? '']
}

function defaultText(node: SchemaNode, needed: boolean): string {
  const value = node.default
  if (value === undefined) return needed ? 'needed' : ''
  // A map whose parts have defaults of their own needs none.
  if (typeof value === 'object' && value !== null && Object.keys(value).length === 0) return ''
  return `\`${typeof value === 'string' && value !== '' ? value : JSON.stringify(value)}\``
}

function valueText(node: SchemaNode): string {
  const forms = node.anyOf ?? node.oneOf
  if (forms !== undefined) return [...new Set(forms.map(valueText))].join(' or ')
  if (isSecret(node)) return '`{ secret: NAME }`'
  if (node.const !== undefined) return `\`${node.const}\``
  if (node.enum !== undefined) return node.enum.map((value) => `\`${String(value)}\``).join(', ')
  switch (node.type) {
    case 'string':
      return TEXTS.find(([, pattern]) => pattern === node.pattern)?.[0] ?? 'text'
    case 'integer':
    case 'number':
      return numberText(node)
    case 'boolean':
      return '`true`, `false`'
    case 'array':
      return node.items === undefined || mapIn(node) !== undefined ? 'list' : `list of: ${valueText(node.items)}`
    default:
      return 'map'
  }
}

/** Texts with a form of their own, told apart by their pattern. */
const TEXTS: readonly (readonly [string, string | undefined])[] = [
  ['duration', publishedSchema(duration).pattern],
  ['size', publishedSchema(size).pattern],
  ['name', publishedSchema(name).pattern],
]

function numberText({ type, minimum, maximum }: SchemaNode): string {
  const noun = type === 'integer' ? 'whole number' : 'number'
  // zod writes the bounds of exact integers out where nothing else bounds a number.
  const from = minimum === undefined || minimum <= Number.MIN_SAFE_INTEGER ? undefined : minimum
  const to = maximum === undefined || maximum >= Number.MAX_SAFE_INTEGER ? undefined : maximum
  if (from !== undefined && to !== undefined) return `${noun} (${from} to ${to})`
  if (from !== undefined) return `${noun} (from ${from})`
  return to === undefined ? noun : `${noun} (up to ${to})`
}

/** The map in a node: itself, what a list holds, or the one form of several that is a map. */
function mapIn(node: SchemaNode): SchemaNode | undefined {
  if (node.properties !== undefined) return node
  if (node.items !== undefined) return mapIn(node.items)
  return (node.anyOf ?? node.oneOf)?.find((form) => form.properties !== undefined && !isSecret(form))
}

function isList(node: SchemaNode): boolean {
  return node.type === 'array'
}

function isSecret(node: SchemaNode): boolean {
  const keys = Object.keys(node.properties ?? {})
  return keys.length === 1 && keys[0] === 'secret'
}
