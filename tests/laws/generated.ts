import type { Breach, TextFile } from './sources.ts'

/** Files that are not what the source would make of them. */
export function staleFiles(
  generated: readonly TextFile[],
  read: (path: string) => string | undefined,
): readonly Breach[] {
  return generated.flatMap(({ path, text }) => {
    const found = read(path)
    if (found === text) return []
    const lines = (found ?? '').split('\n')
    const line = text.split('\n').findIndex((wanted, at) => wanted !== lines[at]) + 1
    return [
      { path, line: Math.max(1, line), message: 'not what the source says: run `npm run generate` and commit it' },
    ]
  })
}
