import { readFileSync } from 'node:fs'
import { wantsJson } from './arguments.ts'
import type { Terminal } from './terminal.ts'

export async function run(args: readonly string[], { out }: Terminal): Promise<number> {
  const json = wantsJson(args)
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  const { platform, arch, versions } = process
  if (json) out(`${JSON.stringify({ version, node: versions.node, platform, arch })}\n`)
  else out(`linli ${version} (Node ${versions.node}, ${platform} ${arch})\n`)
  return 0
}
