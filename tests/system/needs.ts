import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Which Debian package brings a tool, where it is not named like the tool. */
const PACKAGES: Readonly<Record<string, string>> = {
  mosquitto_pub: 'mosquitto-clients',
  mosquitto_sub: 'mosquitto-clients',
  'systemd-analyze': 'systemd',
  systemctl: 'systemd',
  unshare: 'util-linux',
  nsenter: 'util-linux',
  runuser: 'util-linux',
  cc: 'gcc',
  'c++': 'g++',
  'mkfs.ext4': 'e2fsprogs',
  e2fsck: 'e2fsprogs',
  sha256sum: 'coreutils',
}

const told = new Set<string>()

/**
 * Options for a test that speaks to programs of the system: `test('mbpoll reads the line', needs('mbpoll'), ...)`.
 * Where CI is set a missing program is an error, because there `.ci/run` installs them; elsewhere the test is
 * left out, and one line says what to install.
 */
export function needs(...tools: readonly string[]): { readonly skip: boolean } {
  const missing = tools.filter((tool) => pathOf(tool) === undefined)
  if (missing.length === 0) return { skip: false }
  const packages = missing.map((tool) => PACKAGES[tool] ?? tool).join(' ')
  const message = `${missing.join(', ')}: not installed; apt-get install ${packages}`
  if (process.env.CI !== undefined) throw new Error(`this test needs ${message} (name it in .ci/run)`)
  if (!told.has(message)) process.stderr.write(`left out: this test needs ${message}\n`)
  told.add(message)
  return { skip: true }
}

/** The same for a test that only root can make: namespaces, mounts, other users. Everybody else is told. */
export function needsRoot(...tools: readonly string[]): { readonly skip: boolean } {
  if (process.getuid?.() === 0) return needs(...tools)
  if (process.env.CI !== undefined) throw new Error('this test needs root: CI runs as root')
  process.stderr.write('left out: this test needs root; sudo npm test\n')
  return { skip: true }
}

/** Where a program stands; undefined when it is not installed. Debian keeps servers outside a user's PATH. */
export function pathOf(tool: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin', '/usr/local/sbin']
  for (const folder of folders) {
    const path = join(folder, tool)
    if (isProgram(path)) return path
  }
  return undefined
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
