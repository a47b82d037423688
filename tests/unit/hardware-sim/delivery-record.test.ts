import { expect, test } from 'vitest'
import { cloudEventJson } from '../../../gateway/contract/cloud-event.ts'
import type { Entry } from '../../../gateway/contract/event.ts'
import { DeliveryRecord } from '../../../hardware-sim/delivery-record.ts'

function event(seq: number, epoch = '3f9c'): string {
  const entry: Entry = {
    kind: 'event',
    epoch,
    seq,
    class: 'telemetry',
    type: 'linli.meter.reading',
    source: 'devices/meter-301',
    privacy: 'personal',
    monoMs: 1,
    wallMs: Date.UTC(2026, 10, 23),
    clock: 'synced',
    // A body may hold an id of its own; the event's stands before it.
    body: '{"id":"somebody-else/1/1"}',
  }
  return cloudEventJson('hub-01', entry)
}

function recordOf(...payloads: readonly string[]): DeliveryRecord {
  const record = new DeliveryRecord()
  for (const payload of payloads) record.add('linli/hub-01/events/telemetry', Buffer.from(payload))
  return record
}

test('first arrivals, repetitions and holes', () => {
  const record = recordOf(event(5), event(6), event(6), event(9), event(5), event(12))
  expect(record.report()).toMatchObject({
    received: 6,
    unique: 4,
    duplicates: 2,
    epoch: '3f9c',
    firstSeq: 5,
    lastSeq: 12,
    perClass: { telemetry: 4 },
    perTopic: { 'linli/hub-01/events/telemetry': 6 },
    missing: 4,
    missingSeqs: [
      { hub: 'hub-01', epoch: '3f9c', from: 7, to: 8 },
      { hub: 'hub-01', epoch: '3f9c', from: 10, to: 11 },
    ],
  })
  expect(record.has('hub-01', '3f9c', 9)).toBe(true)
  expect(record.has('hub-01', '3f9c', 10)).toBe(false)
})

test('a hole that a gap record announces is no loss; what the record does not cover is', () => {
  const gap: Entry = { kind: 'gap', epoch: '3f9c', fromSeq: 2, toSeq: 7, reason: 'evicted', counts: { telemetry: 6 } }
  const report = recordOf(event(1), event(10), cloudEventJson('hub-01', gap)).report()
  expect(report).toMatchObject({ received: 2, gapsAnnounced: 1, missing: 2, missingSeqs: [{ from: 8, to: 9 }] })
})

test('two logs are counted apart', () => {
  const report = recordOf(event(1), event(3), event(1, 'b2b2'), event(2, 'b2b2')).report()
  expect(report).toMatchObject({ unique: 4, duplicates: 0, epoch: 'b2b2', firstSeq: 1, lastSeq: 2, missing: 1 })
})

test('a batch is as many events; a status is none, and is remembered', () => {
  const record = recordOf(`[${event(1)},${event(2)}]`)
  record.add('linli/hub-01/status', Buffer.from('{"online":true}'))
  record.add('linli/hub-01/status', Buffer.from('{"online":false}'))
  record.add('spBv1.0/g/NDATA/n', Uint8Array.of(0x5b, 1, 2))
  expect(record.report()).toMatchObject({ unique: 2, others: 3 })
  expect(record.lastOn('linli/hub-01/status')).toBe('{"online":false}')
})

test('a million events take a bit each', () => {
  const record = new DeliveryRecord()
  for (let seq = 1; seq <= 1_000_000; seq++) {
    record.add('t/telemetry', Buffer.from(`{"specversion":"1.0","id":"hub-01/e/${seq}"}`))
  }
  expect(record.report()).toMatchObject({ unique: 1_000_000, missing: 0 })
})
