import { expect, test } from 'vitest'
import type { StoredEvent } from '../../../../gateway/contract/event.ts'
import { ALL_RIGHTS, matches, maySee, type Rights } from '../../../../gateway/contract/rights.ts'

const event = (part: Partial<StoredEvent>): StoredEvent => ({
  kind: 'event',
  epoch: 'e',
  seq: 1,
  class: 'telemetry',
  type: 'linli.meter.reading',
  source: 'devices/meter-301',
  privacy: 'personal',
  monoMs: 0,
  wallMs: 0,
  clock: 'synced',
  body: '{}',
  ...part,
})

test.each([
  ['everything', {}, {}, true],
  ['type by prefix', { types: ['linli.meter.*'] }, {}, true],
  ['another type', { types: ['linli.door.*'] }, {}, false],
  ['device by name', { devices: ['meter-301'] }, {}, true],
  ['another device', { devices: ['meter-30'] }, {}, false],
  ['class left out', { classes: ['alarm'] }, {}, false],
  ['privacy too high', { privacy: 'public' }, {}, false],
  ['privacy just enough', { privacy: 'personal' }, {}, true],
  ['sensitive is above personal', { privacy: 'personal' }, { privacy: 'sensitive' }, false],
  ['a connection is no device of that name', { devices: ['line-1'] }, { source: 'connections/line-1' }, false],
] as const)('%s', (_name, rights, part, expected) => {
  expect(maySee({ ...ALL_RIGHTS, ...rights } as Rights, event(part))).toBe(expected)
})

test('a gap is told to whoever could have seen something of it', () => {
  const gap = { kind: 'gap', epoch: 'e', fromSeq: 1, toSeq: 9, reason: 'evicted', counts: { telemetry: 9 } } as const
  expect(maySee({ ...ALL_RIGHTS, classes: ['telemetry'] }, gap)).toBe(true)
  expect(maySee({ ...ALL_RIGHTS, classes: ['alarm'] }, gap)).toBe(false)
  expect(maySee({ ...ALL_RIGHTS, classes: ['alarm'] }, { ...gap, reason: 'epoch-change', counts: {} })).toBe(true)
})

test('a pattern without a star matches only itself', () => {
  expect(matches('linli.meter', 'linli.meter.reading')).toBe(false)
  expect(matches('linli.meter.*', 'linli.meterx')).toBe(false)
})
