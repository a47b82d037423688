import { z } from 'zod'
import { createProfiles } from '../io/profiles.ts'
import { wantsJson } from './arguments.ts'
import { PROFILES_FOLDER } from './repository.ts'
import type { Terminal } from './terminal.ts'

/** What every profile says of itself, whatever its protocol (design of profiles: config/README.md). */
const heading = z.looseObject({
  id: z.string(),
  maker: z.string(),
  model: z.string(),
  protocol: z.string(),
  points: z.array(z.looseObject({ point: z.string() })).default([]),
})

interface Row {
  readonly profile: string
  readonly maker: string
  readonly model: string
  readonly protocol: string
  readonly points: readonly string[]
}

export async function run(args: readonly string[], { folder, out }: Terminal): Promise<number> {
  const json = wantsJson(args)
  const profiles = createProfiles({ folder: PROFILES_FOLDER, besides: folder })
  const rows: Row[] = []
  for (const reference of await profiles.list()) {
    const { maker, model, protocol, points } = heading.parse(await profiles.load(reference))
    rows.push({ profile: reference, maker, model, protocol, points: points.map(({ point }) => point) })
  }
  if (json) out(`${JSON.stringify(rows)}\n`)
  else {
    const width = (of: (row: Row) => string): number => Math.max(0, ...rows.map((row) => of(row).length))
    const [id, name] = [width(({ profile }) => profile), width(({ maker, model }) => `${maker} ${model}`)]
    for (const { profile, maker, model, protocol, points } of rows) {
      out(`${profile.padEnd(id)}  ${`${maker} ${model}`.padEnd(name)}  ${protocol}, ${points.length} points\n`)
    }
  }
  return 0
}
