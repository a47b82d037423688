import { importsOf, packageName } from './imports.ts'
import type { Breach, Source } from './sources.ts'

/** A library that speaks to the outside, and the one file (or the folder of the one file) where it stands. */
const PLACES: Readonly<Record<string, string>> = {
  'better-sqlite3': 'gateway/store/sqlite.ts',
  mqtt: 'gateway/upstream/mqtt.ts',
  fastify: 'gateway/api/server.ts',
  serialport: 'gateway/io/serial.ts',
  koffi: 'gateway/io/',
  onoff: 'gateway/io/',
  onvif: 'drivers/onvif/',
}
/** A schema library reaches nothing outside; every noun is declared with it. */
const EVERYWHERE = ['zod']

/** Modules of Node that reach nothing outside. */
const PURE_MODULES = ['assert', 'assert/strict', 'buffer', 'crypto', 'path', 'string_decoder', 'url', 'util', 'zlib']
/** Who may speak to the operating system. */
const OS_PLACES = [
  /^gateway\/io\//,
  /^gateway\/store\/(sqlite|worker[\w-]*)\.ts$/,
  /^gateway\/upstream\/mqtt\.ts$/,
  /^gateway\/api\/server\.ts$/,
  /^gateway\/(main|cli)\.ts$/,
  /^gateway\/cli\//,
  /^hardware-sim\//,
  /^tests\//,
]

export interface Dependencies {
  /** What a hub is installed with. */
  readonly shipped: readonly string[]
  readonly forDevelopment: readonly string[]
}

/** Libraries outside their place, in a second file, or not installed on a hub. */
export function strayLibraries(sources: readonly Source[], { shipped, forDevelopment }: Dependencies): Breach[] {
  const users = new Map<string, string[]>()
  return sources.flatMap(({ path, ...rest }) => {
    const product = path.startsWith('gateway/') || path.startsWith('drivers/')
    return importsOf({ path, ...rest }).flatMap(({ specifier, line }) => {
      const library = packageName(specifier)
      if (library === undefined || EVERYWHERE.includes(library)) return []
      const breach = (message: string): Breach[] => [{ path, line, message }]
      if (![...shipped, ...forDevelopment].includes(library)) return breach(`${library} is not in package.json`)
      if (!product) return []
      if (!shipped.includes(library)) return breach(`${library} is for development only: a hub is installed without it`)
      const place = PLACES[library]
      if (place !== undefined && !path.startsWith(place)) {
        return breach(`${library} stands in ${place} only: give that file an interface in our own words and use it`)
      }
      const before = users.get(library) ?? []
      users.set(library, [...new Set([...before, path])])
      const first = before.find((other) => other !== path)
      if (first === undefined) return []
      return breach(`${library} stands in ${first} already: one file for each library, so that it can be replaced`)
    })
  })
}

/** Modules of Node that reach the operating system, outside the places for it. */
export function strayModules(sources: readonly Source[]): Breach[] {
  return sources.flatMap((file) => {
    if (OS_PLACES.some((place) => place.test(file.path))) return []
    return importsOf(file).flatMap(({ specifier, line }) => {
      if (!specifier.startsWith('node:') || PURE_MODULES.includes(specifier.slice('node:'.length))) return []
      const message = `${specifier} reaches the operating system: take what you need from gateway/contract/io.ts as a parameter; its real side stands in gateway/io`
      return [{ path: file.path, line, message }]
    })
  })
}
