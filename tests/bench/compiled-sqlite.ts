import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { REPOSITORY } from '../../hardware-sim/demo/child.ts'

const SCRIPT = 'config/build-sqlite.sh'
const BUILD_LIMIT_MS = 15 * 60_000
const FILE = 'better_sqlite3.node'

/** better-sqlite3 as `npm run build:sqlite` compiles it, without touching the one that is installed; once for each version of it and of the script. */
export async function compiledSqlite(): Promise<string> {
  const key = createHash('sha256')
    .update(readFileSync(join(REPOSITORY, SCRIPT)))
    .update(readFileSync(join(packageFolder(), 'package.json')))
    .update(`${process.version} ${process.arch}`)
    .digest('hex')
  const path = join(REPOSITORY, 'node_modules/.cache/linli-sqlite', key.slice(0, 16), FILE)
  if (!existsSync(path)) {
    await promisify(execFile)('sh', [SCRIPT, path], { cwd: REPOSITORY, timeout: BUILD_LIMIT_MS })
  }
  return path
}

/** The binary that the package brings for this machine. */
export function shippedSqlite(): string {
  const folder = join(packageFolder(), 'prebuilds')
  const libc = process.report.getReport() as { header: { glibcVersionRuntime?: string } }
  const target = `${libc.header.glibcVersionRuntime === undefined ? 'linuxmusl' : 'linux'}-${process.arch}.node`
  if (!existsSync(join(folder, target))) {
    throw new Error(`better-sqlite3 brings no ${target}, only ${readdirSync(folder).join(', ')}`)
  }
  return join(folder, target)
}

function packageFolder(): string {
  return dirname(createRequire(import.meta.url).resolve('better-sqlite3/package.json'))
}
