import { expect, test } from 'vitest'
import { Fault } from '../../../../gateway/contract/fault.ts'
import { AuditHeads } from '../../../../gateway/core/audit-heads.ts'
import { coreParts } from './parts.ts'

/** Heads on virtual time, of a chain whose end a test moves. */
function headsRig(seq = 7) {
  const { clock, recorder, stored, store, ending } = coreParts()
  const key = { sign: (text: string) => `signed ${text}`, fingerprint: 'f' }
  const chain = { epoch: 'e1', seq, hash: Uint8Array.of(1, 255), events: 3 }
  // The heads are in the chain themselves.
  const auditHead = async () => ({ ...chain, events: chain.events + stored.length })
  const heads = new AuditHeads({ hub: 'hub-01', store: { auditHead }, recorder, clock, key, signal: ending.signal })
  const stop = async (): Promise<void> => {
    ending.abort(new Error('over'))
    await heads.done
  }
  return { clock, stored, store, chain, heads, stop }
}

test('a head soon behind the start and then each hour; where the storage takes none, a minute later', async () => {
  const { clock, stored, store, stop } = headsRig()
  await clock.advance(9999)
  expect(stored).toEqual([])
  await clock.advance(1)
  expect(stored).toMatchObject([{ type: 'linli.audit.head', class: 'audit', privacy: 'public', source: '' }])
  expect(JSON.parse(stored[0]!.body)).toEqual({
    hub: 'hub-01',
    epoch: 'e1',
    seq: 7,
    hash: '01ff',
    signature: 'signed linli-audit-head-2\nhub-01\ne1\n7\n01ff\n',
    key: 'f',
  })
  await clock.advance(2 * 3_600_000)
  expect(stored).toHaveLength(3)
  store.broken = new Fault('connection', 'disk I/O error', { code: 'store' })
  await clock.advance(3_600_000)
  store.broken = undefined
  expect(stored).toHaveLength(3)
  await clock.advance(60_000)
  expect(stored).toHaveLength(4)
  await stop()
})

test('a thousand events more are a head of their own, within ten seconds', async () => {
  const { clock, stored, chain, stop } = headsRig()
  await clock.advance(10_000)
  chain.events = 3 + 999
  await clock.advance(60_000)
  expect(stored).toHaveLength(1)
  chain.events += 1
  await clock.advance(10_000)
  expect(stored).toHaveLength(2)
  await clock.advance(600_000)
  expect(stored).toHaveLength(2)
  await stop()
})

test('a log that was opened anew counts from nothing: a thousand events in it are a head', async () => {
  const { clock, stored, chain, stop } = headsRig()
  chain.events = 5000
  await clock.advance(10_000)
  chain.events = 1
  await clock.advance(10_000)
  chain.events = 998
  await clock.advance(10_000)
  expect(stored).toHaveLength(1)
  chain.events = 999
  await clock.advance(10_000)
  expect(stored).toHaveLength(2)
  await stop()
})

test('a hub that stops tells a last head of all there is; where the storage does not take it, it stops all the same', async () => {
  const { clock, stored, store, chain, heads, stop } = headsRig()
  await clock.advance(10_000)
  await stop()
  chain.seq = 9
  await heads.last()
  expect(stored.map(({ body }) => (JSON.parse(body) as { seq: number }).seq)).toEqual([7, 9])
  store.broken = new Fault('connection', 'disk I/O error', { code: 'store' })
  await heads.last()
  expect(stored).toHaveLength(2)
})

test('a log without an audit event has no head', async () => {
  const { clock, stored, heads, stop } = headsRig(0)
  await clock.advance(3_700_000)
  await stop()
  await heads.last()
  expect(stored).toEqual([])
})
