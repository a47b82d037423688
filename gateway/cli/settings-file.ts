import { existsSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { z } from 'zod'
import { Fault } from '../contract/fault.ts'
import { readSettingsFile } from '../settings/mistake.ts'
import { settingsSchema } from '../settings/schema.ts'
import type { Terminal } from './terminal.ts'

/** Where the service looks (systemd/README.md). */
const INSTALLED_FILE = '/etc/linli-hub/hub.yaml'

/** The settings file that is meant: the one given, else one of the usual ones. @throws Fault when there is none */
export function settingsPath(given: string | undefined, terminal: Terminal): string {
  const path = given === undefined ? usualSettings(terminal) : resolve(terminal.folder, given)
  if (path !== undefined) return path
  const usual = usualPaths(terminal).join(' nor at ')
  throw new Fault('setup', `there is no settings file at ${usual}`, {
    hint: 'name one; config/examples has some to begin with',
  })
}

/** What LINLI_SETTINGS names, else the first of the usual places that has a file. */
export function usualSettings(terminal: Terminal): string | undefined {
  const named = terminal.environment.LINLI_SETTINGS
  if (named !== undefined && named !== '') return resolve(terminal.folder, named)
  return usualPaths(terminal).find((path) => existsSync(path))
}

function usualPaths({ folder }: Terminal): readonly string[] {
  return [resolve(folder, 'hub.yaml'), INSTALLED_FILE]
}

/** @throws Fault of reach `setup` that says why it can't be read. */
export function readSettingsText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const reason = code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a folder' : message
    throw new Fault('setup', `the settings file ${path} can't be read: ${reason}`, {
      hint: code === 'EACCES' ? 'run this as its owner' : 'config/examples has some to begin with',
      cause: error,
    })
  }
}

export type GeneralSettings = z.output<typeof settingsSchema>

/**
 * The settings less what the drivers know about their connections: enough to find the log, the tokens and the
 * interface, also where a connection has a mistake. @throws Fault of reach `setup`
 */
export function readGeneralSettings(path: string): GeneralSettings {
  const { found } = readSettingsFile(readSettingsText(path), path)
  const parsed = settingsSchema.safeParse(found ?? {})
  if (found !== undefined && parsed.success) return parsed.data
  throw new Fault('setup', `the settings file ${path} has mistakes`, { hint: `\`linli check ${path}\` tells them` })
}

/** The folder of the log, of the hub's key and of its tokens. */
export function dataFolder(settingsFile: string, { storage }: GeneralSettings): string {
  return dirname(resolve(dirname(settingsFile), storage.path))
}
