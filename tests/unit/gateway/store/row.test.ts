import fc from 'fast-check'
import { expect, test } from 'vitest'
import { EVENT_CLASSES, type EventClass, type NewEvent, PRIVACY_LEVELS } from '../../../../gateway/contract/event.ts'
import { type Events, eventsBehind } from '../../../../gateway/store/collect.ts'
import { rowsOf } from '../../../../gateway/store/pack.ts'
import { normalized, packEvents, StreamBook, unpackEvents } from '../../../../gateway/store/parcel.ts'
import { DamagedRow, decodeBody, decodeHead, holdsSeq, RowEncoder } from '../../../../gateway/store/row.ts'
import { newEvent, newEvents } from '../../../contract/memory-store.ts'

const anyEvent = fc.record({
  class: fc.constantFrom(...EVENT_CLASSES),
  type: fc.constantFrom('linli.meter.reading', 'linli.door.opened', 't'),
  source: fc.oneof(
    fc.constant(''),
    fc.nat(300).map((n) => `devices/meter-${n}`),
    fc.string(),
  ),
  privacy: fc.constantFrom(...PRIVACY_LEVELS),
  monoMs: fc.oneof(fc.double({ min: 0, max: 1e9, noNaN: true }), fc.nat(1000)),
  wallMs: fc.oneof(fc.integer({ min: 0, max: 4e12 }), fc.constant(0), fc.integer({ min: -1e12, max: 0 })),
  clock: fc.constantFrom('never', 'unsynced', 'holdover', 'synced') as fc.Arbitrary<NewEvent['clock']>,
  body: fc.oneof(
    fc.nat().map((v) => `{"v":${v}}`),
    fc.double({ noNaN: true }).map((v) => JSON.stringify({ points: { power: { v } } })),
    fc.string({ unit: 'binary' }),
  ),
})

interface Encoded {
  readonly class: EventClass
  readonly lastSeq: number
  readonly head: Buffer
  readonly body: Buffer
}

function encoded(events: readonly NewEvent[], firstSeq: number): Encoded[] {
  const book = new StreamBook()
  const parcels = packEvents(events, book)
  const encoder = new RowEncoder()
  return rowsOf(parcels, book.takeFresh().streams, firstSeq).map(({ class: name, events: own }) => ({
    class: name,
    ...encoder.encode(own, 7),
  }))
}

function decoded(row: Encoded): Events {
  return decodeBody(decodeHead(row.class, row.lastSeq, row.head), row.body)
}

test('what went into rows comes out of them, each event at its place', () => {
  fc.assert(
    fc.property(fc.array(anyEvent, { minLength: 1, maxLength: 60 }), fc.nat(1e9), (given, start) => {
      const events = given.map(normalized)
      const firstSeq = start + 1
      const rows = encoded(events, firstSeq)
      const back = rows
        .flatMap((row) => {
          const own = decoded(row)
          return unpackEvents(own, own.streams, 'e1')
        })
        .sort((a, b) => a.seq - b.seq)
      expect(back).toEqual(events.map((event, n) => ({ ...event, kind: 'event', epoch: 'e1', seq: firstSeq + n })))
      for (const row of rows) {
        const head = decodeHead(row.class, row.lastSeq, row.head)
        expect(head.boot).toBe(7)
        const held = events.map((_, n) => holdsSeq(head, firstSeq + n))
        expect(held.filter(Boolean)).toHaveLength(head.count)
      }
    }),
  )
})

test('telemetry shares a row, every other event has its own', () => {
  const classes: EventClass[] = ['telemetry', 'alarm', 'telemetry', 'status', 'status', 'audit', 'telemetry']
  const rows = encoded(
    classes.map((name) => newEvent({ class: name })),
    1,
  )
  expect(rows.map((row) => `${row.class} ${row.lastSeq}`)).toEqual([
    'alarm 2',
    'status 4',
    'status 5',
    'audit 6',
    'telemetry 7',
  ])
  expect(decodeHead('telemetry', 7, rows[4]!.head)).toMatchObject({
    firstSeq: 1,
    count: 3,
    holes: [
      [1, 1],
      [1, 3],
    ],
  })
})

test('a long run of telemetry is cut, so that one event never costs more than one row of it', () => {
  const rows = encoded(newEvents(2500), 1)
  expect(rows.map((row) => row.lastSeq)).toEqual([1024, 2048, 2500])
  const large = encoded(newEvents(10, { body: 'x'.repeat(25_000) }), 1)
  expect(large.map((row) => row.lastSeq)).toEqual([3, 6, 9, 10])
})

test('every turned bit of a row is noticed', () => {
  for (const events of [
    newEvents(1, { class: 'alarm' }),
    newEvents(20),
    newEvents(4, { body: 'unlike '.repeat(40) }),
  ]) {
    const [row] = encoded(events, 41)
    for (const part of ['head', 'body'] as const) {
      for (let bit = 0; bit < row![part].length * 8; bit++) {
        const bytes = Buffer.from(row![part])
        bytes[bit >> 3] = bytes[bit >> 3]! ^ (1 << (bit & 7))
        expect(() => decoded({ ...row!, [part]: bytes }), `${part} bit ${bit}`).toThrow(DamagedRow)
      }
    }
  }
})

test('a row in the place of another, or in the table of another class, is noticed', () => {
  const [row] = encoded([newEvent({ class: 'alarm' })], 5)
  expect(() => decoded({ ...row!, lastSeq: 6 })).toThrow(DamagedRow)
  expect(() => decoded({ ...row!, class: 'audit' })).toThrow(DamagedRow)
  expect(() => decoded({ ...row!, head: Buffer.alloc(0) })).toThrow(DamagedRow)
  expect(() => decoded({ ...row!, body: Buffer.alloc(0) })).toThrow(DamagedRow)
})

test('the front of a row can be cut off', () => {
  const [row] = encoded(newEvents(10), 1)
  const rest = eventsBehind(decoded(row!), 7)
  const again = new RowEncoder().encode(rest, 7)
  expect(decodeHead('telemetry', again.lastSeq, again.head)).toMatchObject({ firstSeq: 8, lastSeq: 10, count: 3 })
  const own = decoded({ class: 'telemetry', ...again })
  expect(unpackEvents(own, own.streams, 'e').map(({ body }) => body)).toEqual(['{"n":8}', '{"n":9}', '{"n":10}'])
})

test('a hundred readings take less than a tenth of their text', () => {
  const events = Array.from({ length: 100 }, (_, n) =>
    newEvent({
      source: `devices/meter-${301 + n}`,
      monoMs: 5000 + n * 1.7,
      body: JSON.stringify({
        points: {
          energy_import: { v: 23_045.21 + n, u: 'kWh' },
          power: { v: ((n * 7919) % 30_000) / 10, u: 'W' },
          voltage: { v: 228 + ((n * 31) % 60) / 10, u: 'V' },
        },
        quality: 'good',
      }),
    }),
  )
  const [row] = encoded(events, 1)
  const text = events.reduce((sum, { body }) => sum + body.length, 0)
  expect(row!.head.length + row!.body.length).toBeLessThan(text / 10)
})

test('times that are no times have no place in the log', () => {
  expect(() => normalized(newEvent({ wallMs: Number.NaN }))).toThrow(RangeError)
  expect(() => normalized(newEvent({ monoMs: Number.POSITIVE_INFINITY }))).toThrow(RangeError)
  expect(normalized(newEvent({ wallMs: 12.9, monoMs: 1.23456 }))).toMatchObject({ wallMs: 12, monoMs: 1.235 })
  expect(normalized(newEvent({ body: 'a\ud800' })).body).toBe('a\ufffd')
})
