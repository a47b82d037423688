import fc from 'fast-check'
import { expect, test } from 'vitest'
import { EVENT_CLASSES, type EventClass } from '../../../../gateway/contract/event.ts'
import {
  type ClassState,
  EVICTION_ORDER,
  fittingBytes,
  type LogState,
  nextTrim,
  RESERVED_PARTS,
  roomOf,
} from '../../../../gateway/store/retention.ts'

const ROOM = { startBytes: 950, stopBytes: 900 }
const NONE: ClassState = {
  rows: 0,
  bytes: 0,
  confirmedSeq: 0,
  expiredSeq: 0,
  oldestSeq: Number.POSITIVE_INFINITY,
}

/** A log that holds what is named, one row a byte and nothing confirmed, and takes as much of the disk as its rows. */
function logOf(classes: Partial<Record<EventClass, Partial<ClassState>>>, changes: Partial<LogState> = {}): LogState {
  const each = EVENT_CLASSES.map((name): [EventClass, ClassState] => {
    const own = classes[name]
    return [name, own === undefined ? NONE : { ...NONE, rows: own.bytes ?? 1, oldestSeq: 1, ...own }]
  })
  const usedBytes = each.reduce((sum, [, { bytes }]) => sum + bytes, 0)
  return {
    usedBytes,
    classes: Object.fromEntries(each) as Record<EventClass, ClassState>,
    making: false,
    ...changes,
  }
}

test('nothing goes while there is room, confirmed or not', () => {
  expect(nextTrim(ROOM, logOf({ telemetry: { bytes: 950, confirmedSeq: 99 } }))).toBeUndefined()
})

test('trimming begins above the one mark and ends at the lower one', () => {
  const log = { telemetry: { bytes: 920 } }
  expect(nextTrim(ROOM, logOf(log))).toBeUndefined()
  expect(nextTrim(ROOM, logOf(log, { making: true }))).toEqual({
    class: 'telemetry',
    why: 'size',
    untilSeq: Number.POSITIVE_INFINITY,
    bytes: 20,
  })
  expect(nextTrim(ROOM, logOf({ telemetry: { bytes: 900 } }, { making: true }))).toBeUndefined()
})

test('readings give back what they use of the free room, however many alarms crowd in, down to their own', () => {
  const flood = nextTrim(ROOM, logOf({ telemetry: { bytes: 400 }, alarm: { bytes: 600 } }))
  expect(flood).toMatchObject({ class: 'telemetry', why: 'size' })
  expect(flood?.bytes).toBeCloseTo(400 - 0.4 * 900)
  expect(nextTrim(ROOM, logOf({ telemetry: { bytes: 359 }, alarm: { bytes: 641 } }))?.class).toBe('alarm')
})

test('readings never push out an alarm, a change of state or a record of who did what', () => {
  const own = { status: { bytes: 150 }, alarm: { bytes: 200 }, audit: { bytes: 150 } }
  expect(nextTrim(ROOM, logOf({ ...own, telemetry: { bytes: 5000 } }))?.class).toBe('telemetry')
})

test('what is out of its age and confirmed goes, without need of room; what is not confirmed stays', () => {
  const old = { bytes: 5, expiredSeq: 70, confirmedSeq: 50, oldestSeq: 3 }
  expect(nextTrim(ROOM, logOf({ alarm: old }))).toEqual({
    class: 'alarm',
    why: 'age',
    untilSeq: 50,
    bytes: Number.POSITIVE_INFINITY,
  })
  expect(nextTrim(ROOM, logOf({ alarm: { ...old, confirmedSeq: 2 } }))).toBeUndefined()
  expect(nextTrim(ROOM, logOf({ alarm: { ...old, expiredSeq: 0 } }))).toBeUndefined()
})

const anyClass: fc.Arbitrary<ClassState> = fc.record({
  rows: fc.nat(1000),
  bytes: fc.nat(5000),
  confirmedSeq: fc.oneof(fc.nat(1000), fc.constant(Number.POSITIVE_INFINITY)),
  expiredSeq: fc.nat(1000),
  oldestSeq: fc.integer({ min: 1, max: 1000 }),
})
const anyLog: fc.Arbitrary<LogState> = fc
  .record({
    telemetry: anyClass,
    status: anyClass,
    alarm: anyClass,
    audit: anyClass,
    more: fc.nat(500),
    making: fc.boolean(),
  })
  .map(({ more, making, ...found }) => {
    const classes = Object.fromEntries(
      EVENT_CLASSES.map((name) => [name, found[name].rows === 0 ? NONE : found[name]]),
    ) as Record<EventClass, ClassState>
    return { usedBytes: more + EVENT_CLASSES.reduce((sum, name) => sum + classes[name].bytes, 0), classes, making }
  })

test('in any log: room is made while there is too little of it, and from the first class that has more than its own', () => {
  fc.assert(
    fc.property(anyLog, (log) => {
      const trim = nextTrim(ROOM, log)
      const held = EVENT_CLASSES.filter((name) => log.classes[name].rows > 0)
      if (trim === undefined) {
        expect(held.length === 0 || log.usedBytes <= (log.making ? ROOM.stopBytes : ROOM.startBytes)).toBe(true)
        return
      }
      const { rows, confirmedSeq, expiredSeq, oldestSeq } = log.classes[trim.class]
      expect(rows).toBeGreaterThan(0)
      if (trim.why === 'age') {
        expect(oldestSeq).toBeLessThanOrEqual(trim.untilSeq)
        expect(trim.untilSeq).toBeLessThanOrEqual(confirmedSeq)
        expect(trim.untilSeq).toBeLessThanOrEqual(expiredSeq)
        return
      }
      expect(log.usedBytes).toBeGreaterThan(ROOM.stopBytes)
      expect(trim.bytes).toBeGreaterThan(0)
      // Whoever gives way before this class has no more than its reserved part of what there is.
      const all = held.reduce((sum, name) => sum + log.classes[name].bytes, 0)
      for (const name of EVICTION_ORDER.slice(0, EVICTION_ORDER.indexOf(trim.class))) {
        if (all === 0 || log.classes[name].rows === 0) continue
        const part = (log.classes[name].bytes / all) * log.usedBytes
        expect(part).toBeLessThanOrEqual(RESERVED_PARTS[name] * ROOM.stopBytes + 1e-6)
      }
    }),
    { numRuns: 500 },
  )
})

test('the parts of the files of a log are never more than the whole, from the smallest size that is allowed', () => {
  fc.assert(
    fc.property(fc.integer({ min: 16_000_000, max: 1e12 }), (maxBytes) => {
      const { databaseBytes, startBytes, stopBytes, walFrames, walBytes, ballastBytes } = roomOf(maxBytes)
      expect(databaseBytes + walBytes + ballastBytes + 128 * 1024).toBeLessThanOrEqual(maxBytes)
      expect(2 * walFrames * 4120).toBeLessThanOrEqual(walBytes)
      // What the WAL holds may all be new pages of the database.
      expect(walFrames * 4096).toBeLessThanOrEqual(ballastBytes)
      expect(databaseBytes).toBeGreaterThan(maxBytes / 2)
      expect(stopBytes).toBeLessThan(startBytes)
      expect(startBytes).toBeLessThan(databaseBytes)
      expect(walFrames).toBeGreaterThanOrEqual(240)
      expect(walFrames).toBeLessThanOrEqual(4000)
    }),
  )
})

test('the reserved parts leave something for who comes first', () => {
  const sum = EVENT_CLASSES.reduce((whole, name) => whole + RESERVED_PARTS[name], 0)
  expect(sum).toBeLessThan(1)
})

test('a log keeps to its disk where the settings allow more than that has, and leaves a tenth of it to others', () => {
  expect(fittingBytes(4e9, 100e9)).toBe(4e9)
  expect(fittingBytes(4e9, undefined)).toBe(4e9)
  expect(fittingBytes(4e9, 2e9)).toBe(1.8e9)
})
