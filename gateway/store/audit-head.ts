import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto'

/** A signed head of the chain, as `linli.audit.head` says it: what the chain was up to a place. */
export interface SignedHead {
  readonly hub: string
  /** The epoch of the log; heads of the first form have none. */
  readonly epoch?: string
  readonly seq: number
  /** The link of that place, in hexadecimal. */
  readonly hash: string
  /** Ed25519 over `headText`, in base64. */
  readonly signature: string
}

/** The event that tells a head. */
export const HEAD_TYPE = 'linli.audit.head'

/** What is signed. */
export function headText({ hub, epoch, seq, hash }: Omit<SignedHead, 'signature'>): string {
  if (epoch === undefined) return `linli-audit-head-1\n${hub}\n${seq}\n${hash}\n`
  return `linli-audit-head-2\n${hub}\n${epoch}\n${seq}\n${hash}\n`
}

/** Undefined for what is no head. @param value anything that was JSON */
export function headIn(value: unknown): SignedHead | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { hub, epoch, seq, hash, signature } = value as Record<string, unknown>
  const whole = typeof hub === 'string' && typeof hash === 'string' && typeof signature === 'string'
  if (!whole || typeof seq !== 'number' || !Number.isSafeInteger(seq) || seq < 1) return undefined
  if (epoch !== undefined && typeof epoch !== 'string') return undefined
  return { hub, seq, hash, signature, ...(epoch === undefined ? {} : { epoch }) }
}

/** @param pem a public key @throws where it is none of Ed25519 */
export function headKey(pem: string): KeyObject {
  const key = createPublicKey(pem)
  if (key.asymmetricKeyType !== 'ed25519') throw new Error(`it is a key of type ${key.asymmetricKeyType}, not Ed25519`)
  return key
}

/** SHA-256 of a public key in DER, in hexadecimal: what a head calls it by. */
export function fingerprintOf(key: KeyObject): string {
  return createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('hex')
}

export function isSignedBy(key: KeyObject, head: SignedHead): boolean {
  return verify(null, Buffer.from(headText(head)), key, Buffer.from(head.signature, 'base64'))
}
