import type { TokenFiles } from '../../../../gateway/api/tokens.ts'

/** Files in memory whose writes are counted. */
export function memoryFiles(initial: Record<string, string> = {}): TokenFiles & { texts: Map<string, string> } {
  const texts = new Map(Object.entries(initial))
  let writes = 0
  const stamps = new Map([...texts.keys()].map((path) => [path, '0']))
  return {
    texts,
    read: (path) => texts.get(path),
    write(path, text) {
      writes += 1
      texts.set(path, text)
      stamps.set(path, String(writes))
    },
    stamp: (path) => stamps.get(path),
  }
}
