import type { Route } from '../route.ts'

/** What the hub is, for who has a token. */
export interface HubFacts {
  readonly id: string
  readonly version: string
  /** Of the log; another one after each restart from a backup or from a damaged file. */
  readonly epoch: () => string
  /** The key that signs the heads of the audit chain. */
  readonly auditKey: {
    /** PEM, SubjectPublicKeyInfo. */
    readonly publicKey: string
    /** SHA-256 of it in DER, in hexadecimal. */
    readonly fingerprint: string
  }
}

/** `GET /v1/hub`: name, version, epoch, and the public key of the audit chain. */
export function hubRoute({ id, version, epoch, auditKey }: HubFacts): Route {
  return {
    method: 'GET',
    path: '/v1/hub',
    async handle() {
      const { publicKey, fingerprint } = auditKey
      const body = JSON.stringify({ id, version, epoch: epoch(), auditKey: { publicKey, fingerprint } })
      return { status: 200, type: 'application/json; charset=utf-8', body }
    },
  }
}
