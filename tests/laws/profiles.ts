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

/** What several profiles call alike is alike: by the table in config/README.md. */
export type Vocabulary = ReadonlyMap<string, Named>

/** Parts of a whole: a phase, what is between two, a tariff. */
const PART = /_(l[123](_l[123])?|t[1-4])$/

export function vocabulary(readme: string): Vocabulary {
  const rows = [...readme.matchAll(/^\| `([a-z0-9_]+)` +\| ([^|]*) *\| (counter|gauge) *\|/gm)]
  return new Map(rows.map(([, point, unit, kind]) => [point!, { unit: unit!.trim(), kind: kind! }]))
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
      const word = known.get(point.replace(PART, ''))
      if (word === undefined)
        told.push(`no point \`${point}\` in config/README.md: take a name from there, or add the row`)
      else if (word.unit !== unit || word.kind !== kind) {
        told.push(
          `\`${point}\` is a ${kind} in "${unit}"; everybody else's is a ${word.kind} in "${word.unit}": scale it`,
        )
      }
    }
    return told.map((message) => ({ path, line: 1, message }))
  })
}
