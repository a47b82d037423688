import { z } from 'zod'
import { markdownTable } from '../settings/markdown-table.ts'

/** Where the names of points stand, counted from the repository. */
export const VOCABULARY_PATH = 'config/profiles/vocabulary.json'

const text = z.string().min(1)
const meaning = { en: text, zh: text }

/** What points are called, in which unit they are given, and what that means: the same for every maker. */
const vocabularySchema = z.strictObject({
  points: z.array(
    z.strictObject({
      point: z.string().regex(/^[a-z][a-z0-9_]*$/),
      unit: z.string(),
      kind: z.enum(['counter', 'gauge']),
      ...meaning,
    }),
  ),
  parts: z.array(z.strictObject({ suffix: z.string().regex(/^(_[a-z0-9]+)+$/), ...meaning })),
})
export type Vocabulary = z.infer<typeof vocabularySchema>
export type Word = Vocabulary['points'][number]

export function readVocabulary(file: string): Vocabulary {
  return vocabularySchema.parse(JSON.parse(file))
}

/** What a point means: a word as it stands, or one with the suffix of a part. Undefined for one that is no word. */
export function wordOf({ points, parts }: Vocabulary, point: string): Word | undefined {
  const whole = points.find((word) => word.point === point)
  if (whole !== undefined) return whole
  for (const { suffix, en, zh } of parts) {
    const word = points.find((one) => one.point + suffix === point)
    if (word !== undefined) return { ...word, point, en: `${word.en}; ${en}`, zh: `${word.zh}，${zh}` }
  }
  return undefined
}

/** Both tables of a README: the points, and what a part of one is called. */
export function vocabularyTables({ points, parts }: Vocabulary): string {
  const words = points.map(({ point, unit, kind, en, zh }) => [`\`${point}\``, unit, kind, en, zh])
  const suffixes = parts.map(({ suffix, en, zh }) => [`\`${suffix}\``, en, zh])
  return [
    markdownTable([['point', 'unit', 'kind', 'what it is', '含义'], ...words]),
    markdownTable([['suffix', 'which part', '部分'], ...suffixes]),
  ].join('\n\n')
}
