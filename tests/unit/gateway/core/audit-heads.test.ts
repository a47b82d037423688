import { expect, test } from 'vitest'
import { Fault } from '../../../../gateway/contract/fault.ts'
import { AuditHeads } from '../../../../gateway/core/audit-heads.ts'
import { coreParts } from './parts.ts'

test('a head soon behind the start and then each hour; where the storage takes none, a minute later', async () => {
  const { clock, recorder, stored, store, ending } = coreParts()
  const key = { sign: (text: string) => `signed ${text.length}`, fingerprint: 'f' }
  const auditHead = async () => ({ seq: 7, hash: Uint8Array.of(1, 255) })
  const heads = new AuditHeads({ hub: 'hub-01', store: { auditHead }, recorder, clock, key, signal: ending.signal })
  await clock.advance(9999)
  expect(stored).toEqual([])
  await clock.advance(1)
  expect(stored).toMatchObject([{ type: 'linli.audit.head', class: 'audit', privacy: 'public', source: '' }])
  expect(JSON.parse(stored[0]!.body)).toMatchObject({ hub: 'hub-01', seq: 7, hash: '01ff', key: 'f' })
  await clock.advance(2 * 3_600_000)
  expect(stored).toHaveLength(3)
  store.broken = new Fault('connection', 'disk I/O error', { code: 'store' })
  await clock.advance(3_600_000)
  store.broken = undefined
  expect(stored).toHaveLength(3)
  await clock.advance(60_000)
  expect(stored).toHaveLength(4)
  ending.abort(new Error('over'))
  await heads.done
})

test('a log without an audit event has no head', async () => {
  const { clock, recorder, stored, ending } = coreParts()
  const key = { sign: () => '', fingerprint: '' }
  const auditHead = async () => ({ seq: 0, hash: new Uint8Array(32) })
  const heads = new AuditHeads({ hub: 'hub-01', store: { auditHead }, recorder, clock, key, signal: ending.signal })
  await clock.advance(3_700_000)
  expect(stored).toEqual([])
  ending.abort(new Error('over'))
  await heads.done
})
