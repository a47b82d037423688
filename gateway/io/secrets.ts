import { readFile, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { Fault } from '../contract/fault.ts'
import type { SecretIo } from '../contract/io.ts'
import { name as secretName } from '../contract/units.ts'

const SECRET_BYTES_MAX = 100_000
const OTHERS_MAY_READ = 0o004
const OTHERS_MAY_WRITE = 0o002
/** `LoadCredential=secrets:FOLDER` gives a file of the folder this name and its own (systemd.exec(5)). */
const CREDENTIAL_PREFIX = 'secrets_'

export interface SecretPlaces {
  /** Folder of the settings file: secrets are looked for in `secrets/` beside it. */
  readonly besides: string
  /** Where systemd puts credentials, looked at first; without it, what `CREDENTIALS_DIRECTORY` says. */
  readonly credentials?: string | undefined
}

/** Secrets as files: one file a secret, its name the name of the secret, a last line end not part of it. */
export function createSecrets({
  besides,
  credentials = process.env.CREDENTIALS_DIRECTORY ?? '',
}: SecretPlaces): SecretIo {
  return {
    async load(name) {
      // A path in place of a name would read any file that the hub may read.
      if (!secretName.safeParse(name).success) {
        const hint = 'a name is lower-case letters, digits and hyphens, such as cam-lobby'
        throw new Fault('setup', `\`${name}\` is no name of a secret`, { code: 'secret', hint })
      }
      const own = join(resolve(besides, 'secrets'), name)
      const given = [join(credentials, name), join(credentials, CREDENTIAL_PREFIX + name)]
      for (const path of credentials === '' ? [own] : [...given, own]) {
        const value = await readSecret(path)
        if (value !== undefined) return value
      }
      throw new Fault('setup', `the secret \`${name}\` is missing`, {
        code: 'secret',
        hint:
          credentials === ''
            ? `put its value into the file ${own}, readable by the hub only`
            : `put its value into the folder of the service's LoadCredential=, and start the service again`,
      })
    },
  }
}

async function readSecret(path: string): Promise<string | undefined> {
  try {
    const found = await stat(path)
    const hint = `chmod 600 ${path}`
    if (!found.isFile()) throw new Fault('setup', `the secret ${path} is no file`, { code: 'secret' })
    if ((found.mode & OTHERS_MAY_READ) !== 0)
      throw new Fault('setup', `everybody on this machine may read the secret ${path}`, { code: 'secret', hint })
    if ((found.mode & OTHERS_MAY_WRITE) !== 0)
      throw new Fault('setup', `everybody on this machine may change the secret ${path}`, { code: 'secret', hint })
    if (found.size > SECRET_BYTES_MAX)
      throw new Fault('setup', `the secret ${path} is larger than ${SECRET_BYTES_MAX} bytes`, { code: 'secret' })
    const value = (await readFile(path, 'utf8')).replace(/\r?\n$/, '')
    if (value === '') throw new Fault('setup', `the secret ${path} is empty`, { code: 'secret' })
    return value
  } catch (error) {
    if (error instanceof Fault) throw error
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    const hint = 'it is to belong to the user that the hub runs as'
    throw new Fault('setup', `the secret ${path} can't be read: ${message}`, { code: 'secret', hint })
  }
}
