import type { z } from 'zod'
import { duration, name, size } from '../contract/units.ts'
import type { SchemaNode } from './explain.ts'
import { publishedSchema } from './json-schema.ts'

/** Between these lines of a README stands what is made from the source. */
const BEGIN = '<!-- options -->'
const END = '<!-- /options -->'

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

/** Columns padded to one width, as the formatter writes them. */
function table(rows: readonly Row[]): string {
  const all: readonly Row[] = [['option', 'value', 'default', 'what it does'], ...rows]
  const widths = [0, 1, 2, 3].map((column) => Math.max(3, ...all.map((row) => displayWidth(row[column]!))))
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  const padded = all.map((row) => line(row.map((text, at) => text + ' '.repeat(widths[at]! - displayWidth(text)))))
  return [padded[0], line(widths.map((width) => '-'.repeat(width))), ...padded.slice(1)].join('\n')
}

/** Characters of East Asian scripts take two columns (Unicode, UAX #11). */
function displayWidth(text: string): number {
  return [...text].reduce(
    (sum, char) =>
      sum + (/[\p{sc=Han}\p{sc=Hangul}\p{sc=Hiragana}\p{sc=Katakana}\u3000-\u303f\uff01-\uff60]/u.test(char) ? 2 : 1),
    0,
  )
}

/** The README with this text between its marks; undefined when it has no marks. */
export function withOptions(readme: string, text: string): string | undefined {
  const from = readme.indexOf(BEGIN)
  const to = readme.indexOf(END)
  if (from < 0 || to < from) return undefined
  return `${readme.slice(0, from + BEGIN.length)}\n${text}\n${readme.slice(to)}`
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
  return [`\`${path}\``, valueText(node), defaultText(node, needed), cell(node.description ?? '')]
}

function defaultText(node: SchemaNode, needed: boolean): string {
  const value = node.default
  if (value === undefined) return needed ? 'needed' : ''
  // A map whose parts have defaults of their own needs none.
  if (typeof value === 'object' && value !== null && Object.keys(value).length === 0) return ''
  return `\`${cell(typeof value === 'string' && value !== '' ? value : JSON.stringify(value))}\``
}

function valueText(node: SchemaNode): string {
  const forms = node.anyOf ?? node.oneOf
  if (forms !== undefined) return [...new Set(forms.map(valueText))].join(' or ')
  if (isSecret(node)) return '`{ secret: NAME }`'
  if (node.const !== undefined) return `\`${node.const}\``
  if (node.enum !== undefined) return node.enum.map((value) => `\`${cell(String(value))}\``).join(', ')
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

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ')
}
