import { readFile, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { Fault } from '../contract/fault.ts'
import type { SecretIo } from '../contract/io.ts'

const SECRET_BYTES_MAX = 100_000
const OTHERS_MAY_READ = 0o004

export interface SecretPlaces {
  /** Folder of the settings file: secrets are looked for in `secrets/` beside it. */
  readonly besides: string
  /** Where systemd puts what `LoadCredential=` names (systemd.exec(5)); looked at first. */
  readonly credentials?: string | undefined
}

/** Secrets as files: one file a secret, its name the name of the secret, a last line end not part of it. */
export function createSecrets({ besides, credentials }: SecretPlaces): SecretIo {
  const folders = [...(credentials === undefined ? [] : [credentials]), resolve(besides, 'secrets')]
  return {
    async load(name) {
      for (const folder of folders) {
        const path = join(folder, name)
        const value = await readSecret(path)
        if (value !== undefined) return value
      }
      throw new Fault('setup', `the secret \`${name}\` is missing`, {
        code: 'secret',
        hint: `put its value into ${folders.map((folder) => join(folder, name)).join(' or ')}, readable by the hub only`,
      })
    },
  }
}

async function readSecret(path: string): Promise<string | undefined> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
    throw new Fault('setup', `the secret ${path} can't be read: ${error.message}`, { code: 'secret' })
  })
  if (found === undefined) return undefined
  if ((found.mode & OTHERS_MAY_READ) !== 0) {
    throw new Fault('setup', `everybody on this machine may read the secret ${path}`, {
      code: 'secret',
      hint: `chmod 600 ${path}`,
    })
  }
  if (found.size > SECRET_BYTES_MAX)
    throw new Fault('setup', `the secret ${path} is larger than ${SECRET_BYTES_MAX} bytes`, { code: 'secret' })
  return (await readFile(path, 'utf8')).replace(/\r?\n$/, '')
}
