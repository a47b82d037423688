import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cloudEventJson, isoTime } from '../../../../gateway/contract/cloud-event.ts'
import type { Gap, StoredEvent } from '../../../../gateway/contract/event.ts'

const reading: StoredEvent = {
  kind: 'event',
  epoch: '3f9c',
  seq: 184223,
  class: 'telemetry',
  type: 'linli.meter.reading',
  source: 'devices/meter-301',
  privacy: 'personal',
  monoMs: 12,
  wallMs: Date.UTC(2026, 10, 23, 8, 0, 1, 120),
  clock: 'synced',
  body: '{"points":{"energy_import":{"v":230.5,"u":"kWh"},"power":{"v":70,"u":"W"}},"quality":"good"}',
}

test('an event leaves the hub as design.md, section 6, shows it', () => {
  expect(cloudEventJson('hub-01', reading)).toBe(
    '{"specversion":"1.0","id":"hub-01/3f9c/184223","source":"/hubs/hub-01/devices/meter-301","type":"linli.meter.reading",' +
      '"time":"2026-11-23T08:00:01.120Z","linliseq":184223,"linliclock":"synced","linliclass":"telemetry","linliprivacy":"personal",' +
      '"data":{"points":{"energy_import":{"v":230.5,"u":"kWh"},"power":{"v":70,"u":"W"}},"quality":"good"}}',
  )
})

test('an event of the hub itself has the hub as its source', () => {
  expect(JSON.parse(cloudEventJson('hub-01', { ...reading, source: '' })).source).toBe('/hubs/hub-01')
})

test('the body passes through as it is: no number is rounded, no key reordered', () => {
  const body = '{"b":1.10,"a":12345678901234567890}'
  expect(cloudEventJson('hub-01', { ...reading, body })).toContain(`"data":${body}}`)
})

test('a gap says what is missing, from where to where, and why', () => {
  const gap: Gap = {
    kind: 'gap',
    epoch: '3f9c',
    fromSeq: 10,
    toSeq: 99,
    reason: 'evicted',
    counts: { telemetry: 88 },
    lastMs: 0,
  }
  expect(JSON.parse(cloudEventJson('hub-01', gap))).toEqual({
    specversion: '1.0',
    id: 'hub-01/3f9c/gap-evicted-10-99',
    source: '/hubs/hub-01',
    type: 'linli.log.gap',
    time: '1970-01-01T00:00:00.000Z',
    linliclass: 'audit',
    linliprivacy: 'public',
    data: {
      epoch: '3f9c',
      fromSeq: 10,
      toSeq: 99,
      reason: 'evicted',
      counts: { telemetry: 88 },
      last: '1970-01-01T00:00:00.000Z',
    },
  })
})

test('a time is written as Date writes it, on any day that there is', () => {
  const anyMs = fc.integer({ min: -8_640_000_000_000_000, max: 8_640_000_000_000_000 })
  fc.assert(
    fc.property(anyMs, (ms) => {
      expect(isoTime(ms)).toBe(new Date(ms).toISOString())
    }),
    { numRuns: 2000 },
  )
})

test('names with quotes, backslashes or Chinese are escaped as JSON wants it', () => {
  for (const type of ['a"b', 'a\\b', '门.开', 'tab\there', 'plain.name']) {
    expect(JSON.parse(cloudEventJson('hub-01', { ...reading, type })).type).toBe(type)
  }
})
