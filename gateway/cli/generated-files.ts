import { drivers } from '../../drivers/index.ts'
import { profileSchema } from '../../drivers/rs485/profile.ts'
import { Fault } from '../contract/fault.ts'
import { publishedSchema, settingsJsonSchema } from '../settings/json-schema.ts'
import { optionTable, sectionTable, withOptions } from '../settings/option-table.ts'
import { settingsSchema } from '../settings/schema.ts'
import { readVocabulary, VOCABULARY_PATH, vocabularyTables } from './vocabulary.ts'

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
    ...readme(read, 'config/README.md', [
      ['options', sections.join('\n\n')],
      ['points', pointTables(read)],
    ]),
    ...[...tables].flatMap(([folder, parts]) =>
      readme(read, `drivers/${folder}/README.md`, [['options', parts.join('\n\n')]]),
    ),
  ]
}

function pointTables(read: (path: string) => string | undefined): string {
  const file = read(VOCABULARY_PATH)
  return file === undefined ? '' : vocabularyTables(readVocabulary(file))
}

/**
 * Nothing for a README that is not there: that it is missing is told by another law.
 * @param tables what stands between the marks of each name
 */
function readme(
  read: (path: string) => string | undefined,
  path: string,
  tables: readonly (readonly [mark: string, text: string])[],
): readonly GeneratedFile[] {
  let text = read(path)
  if (text === undefined) return []
  for (const [mark, table] of tables) {
    text = withOptions(text, `\n${table}\n`, mark)
    if (text !== undefined) continue
    throw new Fault('setup', `${path} has no place for the table of ${mark}`, {
      hint: `add the lines <!-- ${mark} --> and <!-- /${mark} -->`,
    })
  }
  return [{ path, text }]
}

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`
}
