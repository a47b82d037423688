import type { Breach, TextFile } from './sources.ts'

interface Profile {
  readonly id?: string
  readonly source?: string
  readonly points?: readonly { readonly point: string; readonly unit?: string; readonly kind?: string }[]
  readonly samples?: readonly { readonly expect?: Readonly<Record<string, unknown>> }[]
}
interface Named {
  readonly unit: string
  readonly kind: string
}
interface Meaning {
  readonly en: string
  readonly zh: string
}
interface VocabularyFile {
  readonly points: readonly (Named & Meaning & { readonly point: string })[]
  readonly parts: readonly (Meaning & { readonly suffix: string })[]
}

/** What several profiles call alike is alike: config/profiles/vocabulary.json. */
export interface Vocabulary {
  readonly words: ReadonlyMap<string, Named>
  /** Parts of a whole: a phase, what is between two, a tariff, a channel. */
  readonly suffixes: readonly string[]
}

export function vocabulary(text: string): Vocabulary {
  const { points, parts } = JSON.parse(text) as VocabularyFile
  return {
    words: new Map(points.map(({ point, unit, kind }) => [point, { unit, kind }])),
    suffixes: parts.map(({ suffix }) => suffix),
  }
}

/** Words that are there twice, one of another with a suffix, or without a meaning in one of the two languages. */
export function wrongWords(path: string, text: string): readonly Breach[] {
  const { points, parts } = JSON.parse(text) as VocabularyFile
  const known = vocabulary(text)
  const names = [...points.map(({ point }) => point), ...parts.map(({ suffix }) => suffix)]
  const told = names.filter((name, at) => names.indexOf(name) !== at).map((name) => `\`${name}\` is there twice`)
  for (const { point } of points) {
    const whole = wholeOf(point, known)
    if (whole !== undefined) told.push(`\`${point}\` is a part of \`${whole}\` already: leave one out`)
  }
  for (const [at, { en, zh }] of [...points, ...parts].entries()) {
    if (!/[a-z]/.test(en)) told.push(`\`${names[at]}\` has no meaning in English`)
    if (!/\p{sc=Han}/u.test(zh)) told.push(`\`${names[at]}\` has no meaning in Chinese`)
  }
  return told.map((message) => ({ path, line: 1, message }))
}

function wholeOf(point: string, { words, suffixes }: Vocabulary): string | undefined {
  const suffix = suffixes.find((end) => point.endsWith(end) && words.has(point.slice(0, -end.length)))
  return suffix === undefined ? undefined : point.slice(0, -suffix.length)
}

/** A profile without source or test vector, or with a word of its own. */
export function wrongProfiles(files: readonly TextFile[], known: Vocabulary): readonly Breach[] {
  return files.flatMap(({ path, text }) => {
    const profile = JSON.parse(text) as Profile
    const own = /^config\/profiles\/(.+)\.json$/.exec(path)?.[1]
    const told: string[] = []
    if (profile.id !== own) told.push(`its id is ${profile.id}, its place says ${own}: make them one`)
    if ((profile.source ?? '').length < 10) told.push('no `source`: name the document, its edition and the page')
    const vectors = (profile.samples ?? []).filter((sample) => Object.keys(sample.expect ?? {}).length > 0)
    if (vectors.length === 0)
      told.push('no `samples`: bring registers and what they mean, from the document or a device')
    for (const { point, unit = '', kind = 'gauge' } of profile.points ?? []) {
      const word = known.words.get(point) ?? known.words.get(wholeOf(point, known) ?? '')
      if (word === undefined)
        told.push(`no point \`${point}\` in config/profiles/vocabulary.json: take a name from there, or add it`)
      else if (word.unit !== unit || word.kind !== kind) {
        told.push(
          `\`${point}\` is a ${kind} in "${unit}"; everybody else's is a ${word.kind} in "${word.unit}": scale it`,
        )
      }
    }
    return told.map((message) => ({ path, line: 1, message }))
  })
}
