import { accessSync, constants, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type Finding, well } from './finding.ts'

const BY_PATH = '/dev/serial/by-path'

/** The device files that the connections name, wherever in their options: `/dev/ttyUSB0`. */
export function deviceFiles(value: unknown): string[] {
  if (typeof value === 'string') return value.startsWith('/dev/') ? [value] : []
  if (typeof value !== 'object' || value === null) return []
  return Object.values(value).flatMap(deviceFiles)
}

export function portFindings(paths: readonly string[]): Finding[] {
  return [...new Set(paths)].map((path) => portFinding(path))
}

/** The ports that are there, for who has not written the settings yet. */
export function portsThere(folder = BY_PATH): Finding {
  const names = list(folder)
  if (names.length > 0) return well('ports', `serial: ${names.map((name) => join(folder, name)).join(', ')}`)
  return well('ports', 'no USB serial adapter is plugged in')
}

function portFinding(path: string): Finding {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) {
    const there = list(BY_PATH).map((name) => join(BY_PATH, name))
    const hint = there.length === 0 ? 'is the adapter plugged in?' : `there are: ${there.join(', ')}`
    return { state: 'doubtful', subject: 'ports', text: `${path} is not there`, hint }
  }
  if (!found.isCharacterDevice()) {
    return { state: 'bad', subject: 'ports', text: `${path} is no device`, hint: 'correct it in the settings' }
  }
  try {
    accessSync(path, constants.R_OK | constants.W_OK)
  } catch {
    const group = /gpio/.test(path) ? 'gpio' : 'dialout'
    const hint = `as root: usermod -aG ${group} USER, where USER is who runs the hub`
    return { state: 'bad', subject: 'ports', text: `${path} can't be opened by this user`, hint }
  }
  if (/^\/dev\/tty(USB|ACM)\d+$/.test(path)) {
    const hint = `its number changes when another adapter is plugged in: name it by its path under ${BY_PATH}`
    return { state: 'doubtful', subject: 'ports', text: `${path} works today`, hint }
  }
  return well('ports', path)
}

function list(folder: string): string[] {
  return statSync(folder, { throwIfNoEntry: false }) === undefined ? [] : readdirSync(folder).sort()
}

/** @param used true when a connection works with GPIO lines of this machine */
export function gpioFindings(used: boolean, folder = '/dev'): Finding[] {
  if (!used) return []
  const chips = list(folder).filter((name) => /^gpiochip\d+$/.test(name))
  if (chips.length > 0) return portFindings(chips.map((name) => join(folder, name)))
  const hint = 'a kernel with CONFIG_GPIO_CDEV and a board with GPIO are needed'
  return [{ state: 'bad', subject: 'gpio', text: 'there is no GPIO chip', hint }]
}
