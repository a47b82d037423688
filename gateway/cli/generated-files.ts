import { drivers } from '../../drivers/index.ts'
import { profileSchema } from '../../drivers/rs485/profile.ts'
import { Fault } from '../contract/fault.ts'
import { publishedSchema, settingsJsonSchema } from '../settings/json-schema.ts'
import { optionTable, sectionTable, withOptions } from '../settings/option-table.ts'
import { settingsSchema } from '../settings/schema.ts'

/** A file that is made from the source; its path counts from the repository. */
export interface GeneratedFile {
  readonly path: string
  readonly text: string
}

/** Sections of the settings whose options stand in config/README.md; those of connections stand with their drivers. */
const SECTIONS = ['hub', 'storage', 'upstream', 'consumers', 'api'] as const

/**
 * Everything that is made from the source.
 * @param read the text of a file of the repository, undefined when there is none: READMEs are written around
 */
export async function generatedFiles(read: (path: string) => string | undefined): Promise<readonly GeneratedFile[]> {
  return [
    { path: 'config/settings.schema.json', text: json(settingsJsonSchema(drivers)) },
    {
      path: 'config/profiles/profile.schema.json',
      text: json({ ...publishedSchema(profileSchema), title: 'Profile of a device model' }),
    },
    ...readmes(read),
  ]
}

/** The folder of each driver, by its kind, as drivers/index.ts imports it. */
export function driverFolders(index: string): ReadonlyMap<string, string> {
  const imported = [...index.matchAll(/import \{ (\w+) \} from '\.\/([\w-]+)\//g)]
  const folders = new Map(imported.map(([, symbol, folder]) => [symbol!, folder!]))
  const lines = [...index.matchAll(/^ {2}(?:(\w+): )?(\w+)(?: as Driver)?,$/gm)]
  return new Map(
    lines.flatMap(([, kind, symbol]) => {
      const folder = folders.get(symbol!)
      return folder === undefined ? [] : [[kind ?? symbol!, folder] as const]
    }),
  )
}

function readmes(read: (path: string) => string | undefined): GeneratedFile[] {
  const folders = driverFolders(read('drivers/index.ts') ?? '')
  const tables = new Map<string, string[]>()
  for (const [kind, folder] of folders) {
    const table = drivers[kind] === undefined ? '' : optionTable(drivers[kind].options)
    tables.set(folder, [...(tables.get(folder) ?? []), `### \`${kind}\`\n\n${table}`])
  }
  const sections = SECTIONS.map((key) => `### \`${key}\`\n\n${sectionTable(settingsSchema, key)}`)
  return [
    ...readme(read, 'config/README.md', sections),
    ...[...tables].flatMap(([folder, parts]) => readme(read, `drivers/${folder}/README.md`, parts)),
  ]
}

/** Nothing for a README that is not there: that it is missing is told by another law. */
function readme(
  read: (path: string) => string | undefined,
  path: string,
  parts: readonly string[],
): readonly GeneratedFile[] {
  const before = read(path)
  if (before === undefined) return []
  const text = withOptions(before, `\n${parts.join('\n\n')}\n`)
  if (text !== undefined) return [{ path, text }]
  throw new Fault('setup', `${path} has no place for the table of options`, {
    hint: 'add the lines <!-- options --> and <!-- /options -->',
  })
}

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`
}
