import { type Clock, isTrusted } from '../contract/clock.ts'

/** What OpenSSL says of a certificate whose time is not now (openssl-verification-options(1)), and nothing else does. */
const OUT_OF_TIME: ReadonlySet<unknown> = new Set(['CERT_NOT_YET_VALID', 'CERT_HAS_EXPIRED'])

/**
 * Why a connection failed, in words. A hub without a battery clock finds every certificate out of time until the time is
 * found: whoever reads that must not look for the fault in the certificate. It says the same each time, so that it is logged once.
 */
export function failureText(error: Error & { code?: unknown }, clock: Pick<Clock, 'state'>): string {
  const state = clock.state()
  if (!OUT_OF_TIME.has(error.code) || isTrusted(state)) return error.message
  const why = state === 'never' ? 'was never set' : 'is vouched for by nobody'
  return `${error.message}, as far as this hub can tell: its clock ${why}; let it reach a time server (linli doctor)`
}
