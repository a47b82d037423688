import { expect, test } from 'vitest'
import type { ClockState } from '../../../../gateway/contract/clock.ts'
import { failureText } from '../../../../gateway/upstream/certificate-time.ts'

const said = (code: string, state: ClockState): string =>
  failureText(Object.assign(new Error('certificate is not yet valid'), { code }), { state: () => state })

test('a certificate out of its time is the fault of the clock while nobody vouches for that', () => {
  expect(said('CERT_NOT_YET_VALID', 'never')).toBe(
    'certificate is not yet valid, as far as this hub can tell: its clock was never set; let it reach a time server (linli doctor)',
  )
  expect(said('CERT_HAS_EXPIRED', 'unsynced')).toContain('its clock is vouched for by nobody')
})

test('a clock that is trusted is not blamed, nor is any clock for another error', () => {
  expect(said('CERT_NOT_YET_VALID', 'synced')).toBe('certificate is not yet valid')
  expect(said('CERT_HAS_EXPIRED', 'holdover')).toBe('certificate is not yet valid')
  expect(said('ECONNREFUSED', 'never')).toBe('certificate is not yet valid')
})
