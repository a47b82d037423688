import { expect, test } from 'vitest'
import { Fault } from '../../../../gateway/contract/fault.ts'
import { createHubRecord } from '../../../../gateway/core/hub-record.ts'
import { coreParts } from './parts.ts'

test('what the hub did is an audit event of the hub itself; where nothing can be kept, its own log has it', async () => {
  const { recorder, stored, store, lines, parts } = coreParts()
  const record = createHubRecord({ recorder, clock: parts.clock, log: parts.log })
  await record('linli.hub.started', { version: '1.2.3' })
  expect(stored).toMatchObject([
    { type: 'linli.hub.started', class: 'audit', privacy: 'public', source: '', body: '{"version":"1.2.3"}' },
  ])
  store.broken = new Fault('connection', 'disk I/O error', { code: 'store' })
  await record('linli.hub.stopped', {})
  expect(lines).toEqual(['warn not kept in the event log: linli.hub.stopped'])
  store.broken = new Error('a bug')
  await expect(record('linli.hub.stopped', {})).rejects.toThrow('a bug')
})
