import { expect, test } from 'vitest'
import { type Evidence, lostOf, lostReadings } from '../../../../hardware-sim/demo/account.ts'

const all: Evidence = {
  lastSeq: 100,
  pulled: 100,
  platform: { firstSeq: 1, lastSeq: 104, missing: 0 },
  meters: [{ id: 'meter-301', connection: 'line-1', answers: 60, readingsThen: 29, readings: 30, due: 30 }],
}

test('nothing is lost when both sides have every place, and the platform some that came later', () => {
  expect(lostOf(all)).toBe(0)
})

test.each([
  ['the first five places', { firstSeq: 6, lastSeq: 104, missing: 0 }, 5],
  ['three in the middle', { firstSeq: 1, lastSeq: 104, missing: 3 }, 3],
  ['the last ten', { firstSeq: 1, lastSeq: 90, missing: 0 }, 10],
  ['everything', { firstSeq: undefined, lastSeq: undefined, missing: 0 }, 100],
])('the platform never got %s', (_what, platform, lost) => {
  expect(lostOf({ ...all, platform })).toBe(lost)
})

test('a hole in the log is a loss, though the platform has what was there', () => {
  expect(lostOf({ ...all, pulled: 98 })).toBe(2)
})

test('what is neither in the log nor at the platform is counted once', () => {
  expect(lostOf({ ...all, pulled: 98, platform: { firstSeq: 1, lastSeq: 104, missing: 2 } })).toBe(2)
})

const meter = { id: 'meter-301', connection: 'line-1', answers: 0, readingsThen: 0, readings: 0, due: 60 }

test('a meter that never answered owes nothing', () => {
  expect(lostReadings([meter])).toBe(0)
})

test.each([
  ['one frame a reading, the last one on its way', 61, 60, 0],
  ['one frame a reading, four answers nobody kept', 65, 60, 4],
  ['three frames a reading, one of the next', 181, 60, 0],
  ['three frames a reading, two whole readings nobody kept besides the one on its way', 189, 60, 2],
])('%s', (_what, answers, readings, lost) => {
  expect(lostReadings([{ ...meter, answers, readingsThen: 60, readings }])).toBe(lost)
})

test('readings that came after the answers were counted make no loss', () => {
  // Two frames a reading; the fifteenth reading was answered after the 28 frames were counted.
  expect(lostReadings([{ ...meter, due: 12, answers: 28, readingsThen: 14, readings: 15 }])).toBe(0)
})

test('on one line the meter that lost least shows how many frames a reading takes', () => {
  // Three frames a reading: five readings each were answered, of which the second kept two.
  const line = [5, 2].map((kept) => ({ ...meter, due: 0, answers: 15, readingsThen: kept, readings: kept }))
  expect(lostReadings(line)).toBe(2)
  // Nothing of the kind is known of a meter on another line.
  expect(lostReadings([line[0]!, { ...line[1]!, connection: 'line-2' }])).toBe(0)
})

test('answers that never became a reading are a loss', () => {
  expect(lostReadings([{ ...meter, due: 0, answers: 9 }])).toBe(1)
})

test('every other reading lost looks like two frames a reading, but not to the clock', () => {
  // Of 60 due 54 would do, 2 less for the ends of the run; 30 came.
  expect(lostReadings([{ ...meter, answers: 60, readingsThen: 30, readings: 30 }])).toBe(22)
})

test('a few late readings on a busy machine are no loss', () => {
  expect(lostReadings([{ ...meter, answers: 52, readingsThen: 52, readings: 52 }])).toBe(0)
  expect(lostReadings([{ ...meter, answers: 51, readingsThen: 51, readings: 51 }])).toBe(1)
})
