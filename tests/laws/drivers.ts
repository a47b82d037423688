import { driverFolders } from '../../gateway/cli/generated-files.ts'
import { type Breach, isNode, type Source, source, type TextFile, walk } from './sources.ts'

/** A driver without its README, its simulated counterpart, or its bytes as they stand in the specification. */
export function incompleteDrivers(files: readonly TextFile[]): readonly Breach[] {
  const index = files.find(({ path }) => path === 'drivers/index.ts')
  if (index === undefined) throw new Error('there is no table of drivers')
  const paths = new Set(files.map(({ path }) => path))
  const simulated = keysIn(files.filter(({ path }) => /^hardware-sim\/.*\.ts$/.test(path)))
  return [...driverFolders(index.text)].flatMap(([kind, folder]) => {
    const told: string[] = []
    if (!paths.has(`drivers/${folder}/README.md`)) {
      told.push(`${kind} has no drivers/${folder}/README.md: say what it speaks, what it can't, and how it is wired`)
    }
    if (!simulated.has(kind)) {
      told.push(
        `nothing in hardware-sim can be connected as \`${kind}:\`: simulate the other side of it (hardware-sim/settings-file.ts)`,
      )
    }
    if (![...paths].some((path) => path.startsWith(`tests/golden/${folder}`))) {
      told.push(
        `${kind} has no tests/golden/${folder}.test.ts: bytes as they stand in the specification, with their source`,
      )
    }
    return told.map((message) => ({ path: 'drivers/index.ts', line: 1, message }))
  })
}

/** The drivers that the table knows, and folders of drivers that it does not. */
export function unlistedDrivers(files: readonly TextFile[]): readonly Breach[] {
  const index = files.find(({ path }) => path === 'drivers/index.ts')
  const listed = new Set(driverFolders(index?.text ?? '').values())
  const folders = new Set(files.flatMap(({ path }) => /^drivers\/([\w-]+)\//.exec(path)?.[1] ?? []))
  return [...folders]
    .filter((folder) => !listed.has(folder))
    .map((folder) => ({ path: `drivers/${folder}`, line: 1, message: 'not in drivers/index.ts: add its line there' }))
}

/** The keys of all object literals: settings that a simulated world writes name what it can be connected as. */
function keysIn(files: readonly TextFile[]): ReadonlySet<string> {
  const keys = new Set<string>()
  for (const { program } of files.map(({ path, text }): Source => source(path, text))) {
    walk(program, (node) => {
      if (node.type === 'Property' && isNode(node.key)) keys.add(String(node.key.name ?? node.key.value))
    })
  }
  return keys
}
