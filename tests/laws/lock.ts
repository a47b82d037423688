const REGISTRY = 'https://registry.npmjs.org/'
const KINDS = ['dependencies', 'optionalDependencies', 'devDependencies'] as const

type Versions = Readonly<Record<string, string>>
export interface Description {
  readonly dependencies?: Versions
  readonly optionalDependencies?: Versions
  readonly devDependencies?: Versions
  /** Whether the install script of a package may run; npm asks for an answer for each that has one. */
  readonly allowScripts?: Readonly<Record<string, boolean>>
}
export interface Lock {
  readonly packages: Readonly<Record<string, LockEntry>>
}
interface LockEntry extends Description {
  readonly version?: string
  readonly resolved?: string
  readonly integrity?: string
  readonly link?: boolean
  readonly hasInstallScript?: boolean
}

/** What is not pinned, comes from elsewhere than the registry, or would run a script that nobody has looked at. */
export function looseEnds(description: Description, { packages }: Lock): readonly string[] {
  const { '': root = {}, ...entries } = packages
  return [
    ...KINDS.flatMap((kind) => rootDiffers(kind, description[kind] ?? {}, root[kind] ?? {}, entries)),
    ...Object.entries(entries).flatMap(([path, entry]) => strayEntry(path, entry)),
    ...scripts(description.allowScripts ?? {}, entries),
  ]
}

function rootDiffers(
  kind: string,
  wanted: Versions,
  locked: Versions,
  entries: Readonly<Record<string, LockEntry>>,
): string[] {
  const names = [...new Set([...Object.keys(wanted), ...Object.keys(locked)])]
  return names.flatMap((name) => {
    const version = wanted[name]
    if (version === undefined || version !== locked[name]) {
      return [
        `${kind}: package.json says ${name} ${version ?? 'nothing'}, the lock ${locked[name] ?? 'nothing'}: run npm install`,
      ]
    }
    if (!/^\d+\.\d+\.\d+$/.test(version)) return [`${name} ${version} is a range: pin one version`]
    const installed = entries[`node_modules/${name}`]?.version
    return installed === version ? [] : [`${name} ${version} is locked as ${installed ?? 'nothing'}: run npm install`]
  })
}

function strayEntry(path: string, { resolved, integrity, link }: LockEntry): string[] {
  // A lock may leave the address out (omit-lockfile-registry-resolved): then the registry is asked.
  if (link === true || (resolved !== undefined && !resolved.startsWith(REGISTRY))) {
    return [`${path} comes from ${resolved ?? 'a folder'}: take a release from the registry`]
  }
  return integrity?.startsWith('sha512-') === true ? [] : [`${path} has no sha512 integrity: lock it again`]
}

function scripts(allowed: Readonly<Record<string, boolean>>, entries: Readonly<Record<string, LockEntry>>): string[] {
  const withScript = Object.entries(entries)
    .filter(([, { hasInstallScript }]) => hasInstallScript === true)
    .map(([path]) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length))
  const unanswered = withScript.filter((name) => allowed[name] === undefined)
  return unanswered.map((name) => `${name} has an install script: look at it and answer in allowScripts`)
}
