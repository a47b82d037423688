import { createHmac, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { readFileText, writeFileDurably } from './files.ts'

const KEY_BYTES = 32

/**
 * The hub's own secret, made at its first start and never sent anywhere: 256 bits in `hub.key` in the data folder.
 * @throws when the file is there but holds something else: hashes made with another key would match nothing
 */
export function loadHubKey(folder: string): Uint8Array {
  const path = join(folder, 'hub.key')
  const text = readFileText(path)?.trim()
  if (text === undefined) {
    const key = randomBytes(KEY_BYTES)
    writeFileDurably(path, `${key.toString('hex')}\n`)
    return key
  }
  if (!/^[0-9a-f]{64}$/.test(text)) {
    throw new Error(
      `${path} is not a key of ${KEY_BYTES} bytes in hexadecimal: restore it from the backup; without it no stored card or PIN matches`,
    )
  }
  return Buffer.from(text, 'hex')
}

/** The keyed hash (HMAC-SHA-256, 128 bits of it in base64url) that stands for a sensitive value. */
export function keyedHash(key: Uint8Array): (value: string) => string {
  return (value) => `hmac:${createHmac('sha256', key).update(value).digest('base64url').slice(0, 22)}`
}

/** The id of a command, from who asked and the key of the request: nobody outside can tell it beforehand. */
export function commandId(key: Uint8Array): (asked: string) => string {
  return (asked) => createHmac('sha256', key).update(`command ${asked}`).digest('hex').slice(0, 24)
}
