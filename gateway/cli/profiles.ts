import { join } from 'node:path'
import { z } from 'zod'
import { readFileText } from '../io/files.ts'
import { createProfiles } from '../io/profiles.ts'
import { readArguments } from './arguments.ts'
import { PROFILES_FOLDER, REPOSITORY } from './repository.ts'
import type { Terminal } from './terminal.ts'
import { readVocabulary, VOCABULARY_PATH, type Vocabulary, wordOf } from './vocabulary.ts'

/** What every profile says of itself, whatever its protocol (design of profiles: config/README.md). */
const heading = z.looseObject({
  id: z.string(),
  maker: z.string(),
  model: z.string(),
  protocol: z.string(),
  source: z.string().default(''),
  notes: z.string().optional(),
  points: z
    .array(z.looseObject({ point: z.string(), unit: z.string().default(''), kind: z.string().default('gauge') }))
    .default([]),
})
type Heading = z.infer<typeof heading>
type Profiles = ReturnType<typeof createProfiles>

interface Row {
  readonly profile: string
  readonly maker: string
  readonly model: string
  readonly protocol: string
  readonly points: readonly string[]
}

export async function run(args: readonly string[], { folder, out }: Terminal): Promise<number> {
  const { values, positionals } = readArguments(args, { json: { type: 'boolean', default: false } }, ['[PROFILE]'])
  const profiles = createProfiles({ folder: PROFILES_FOLDER, besides: folder })
  const [reference] = positionals
  out(
    reference === undefined
      ? await list(profiles, values.json)
      : show(reference, heading.parse(await profiles.load(reference)), values.json),
  )
  return 0
}

async function list(profiles: Profiles, json: boolean): Promise<string> {
  const rows: Row[] = []
  for (const reference of await profiles.list()) {
    const { maker, model, protocol, points } = heading.parse(await profiles.load(reference))
    rows.push({ profile: reference, maker, model, protocol, points: points.map(({ point }) => point) })
  }
  if (json) return `${JSON.stringify(rows)}\n`
  return aligned(
    rows.map(({ profile, maker, model, protocol, points }) => [
      profile,
      protocol,
      points.length === 1 ? '1 point' : `${points.length} points`,
      `${maker} ${model}`,
    ]),
  )
}

/** What one profile gives: each point with its unit, its kind and its meaning, in both languages. */
function show(reference: string, { maker, model, protocol, source, notes, points }: Heading, json: boolean): string {
  const vocabulary = installedVocabulary()
  const meanings = points.map(({ point, unit, kind }) => {
    const word = vocabulary === undefined ? undefined : wordOf(vocabulary, point)
    return { point, unit, kind, ...(word === undefined ? {} : { en: word.en, zh: word.zh }) }
  })
  if (json)
    return `${JSON.stringify({ profile: reference, maker, model, protocol, source, notes, points: meanings })}\n`
  const head = [`${reference}: ${maker} ${model}, ${protocol}`, `source: ${source}`]
  if (notes !== undefined) head.push(`notes: ${notes}`)
  const rows = meanings.map(({ point, unit, kind, en, zh }) => [
    point,
    unit,
    kind,
    en === undefined ? 'not in the vocabulary (config/README.md)' : `${en} / ${zh}`,
  ])
  return `${head.join('\n')}\n\n${aligned(rows)}`
}

function installedVocabulary(): Vocabulary | undefined {
  const file = readFileText(join(REPOSITORY, VOCABULARY_PATH))
  return file === undefined ? undefined : readVocabulary(file)
}

/** Columns; the last one is as long as it is, so that it may be in any script. */
function aligned(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  const lines = rows.map((row) =>
    row.map((text, at) => (at === row.length - 1 ? text : text.padEnd(widths[at]!))).join('  '),
  )
  return lines.map((line) => `${line}\n`).join('')
}
