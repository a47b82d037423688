import { createRequire } from 'node:module'

type Koffi = typeof import('koffi')
type Call = (...values: never[]) => unknown

let loaded: { readonly koffi: Koffi; readonly libc: ReturnType<Koffi['load']> } | undefined

/**
 * A function of the C library, for what Node has no words for: local datagrams, terminals, timers, GPIO. Nothing is
 * loaded before the first one is asked for: a hub that needs none pays for none.
 * @param declaration as the manual page has it: `int socket(int domain, int type, int protocol)`
 */
export function libcFunction<Function extends Call>(declaration: string): Function {
  loaded ??= load()
  return loaded.libc.func(declaration) as unknown as Function
}

/** The name of the error that the last call left behind, such as `EIO`. */
export function errnoName(): string {
  if (loaded === undefined) return 'no error'
  const number = loaded.koffi.errno()
  return Object.entries(loaded.koffi.os.errno).find(([, value]) => value === number)?.[0] ?? `errno ${number}`
}

function load(): NonNullable<typeof loaded> {
  const koffi = createRequire(import.meta.url)('koffi') as Koffi
  return { koffi, libc: koffi.load(null) }
}
