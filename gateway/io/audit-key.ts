import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto'
import { join } from 'node:path'
import { readFileText, writeFileDurably } from './files.ts'

const FILE = 'audit.key'

/** Signs heads of the audit chain. The private half is made on the hub and never leaves it. */
export interface AuditKey {
  /** Ed25519, in base64. */
  sign(text: string): string
  /** PEM, SubjectPublicKeyInfo. */
  readonly publicKey: string
  /** SHA-256 of the public key in DER, in hexadecimal. */
  readonly fingerprint: string
}

/**
 * The key in the data folder, made at its first use.
 * @throws when the file is there but holds no Ed25519 key
 */
export function loadAuditKey(folder: string): AuditKey {
  const path = join(folder, FILE)
  let pem = readFileText(path)
  if (pem === undefined) {
    pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
    writeFileDurably(path, pem)
  }
  return keyOf(pem, path)
}

/** The same, where it is there already. */
export function findAuditKey(folder: string): AuditKey | undefined {
  const path = join(folder, FILE)
  const pem = readFileText(path)
  return pem === undefined ? undefined : keyOf(pem, path)
}

function keyOf(pem: string, path: string): AuditKey {
  let key: ReturnType<typeof createPrivateKey>
  try {
    key = createPrivateKey(pem)
  } catch (cause) {
    throw new Error(`${path} holds no private key: restore it from the backup; heads signed with it are known by it`, {
      cause,
    })
  }
  if (key.asymmetricKeyType !== 'ed25519')
    throw new Error(`${path} is a key of type ${key.asymmetricKeyType}, not Ed25519`)
  const publicKey = createPublicKey(key)
  const der = publicKey.export({ type: 'spki', format: 'der' })
  return {
    sign: (text) => sign(null, Buffer.from(text), key).toString('base64'),
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }) as string,
    fingerprint: createHash('sha256').update(der).digest('hex'),
  }
}
