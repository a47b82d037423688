import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type GapRun, Gaps, joined, runsOf } from '../../../../gateway/store/gaps.ts'
import type { RowHead } from '../../../../gateway/store/row.ts'
import { createTables } from '../../../../gateway/store/schema.ts'
import { openSqlite } from '../../../../gateway/store/sqlite.ts'
import { storeRig } from './rig.ts'

const run = (fromSeq: number, toSeq: number, reason: GapRun['reason'] = 'evicted'): GapRun => ({
  fromSeq,
  toSeq,
  reason,
  counts: { telemetry: toSeq - fromSeq + 1 },
})

test('neighbours for the same reason become one run; a place between them, or another reason, keeps them apart', () => {
  expect(joined([run(5, 9), run(1, 4)])).toEqual([run(1, 9)])
  expect(joined([run(1, 4), run(6, 9)])).toEqual([run(1, 4), run(6, 9)])
  expect(joined([run(1, 4), run(5, 9, 'corrupt')])).toEqual([run(1, 4), run(5, 9, 'corrupt')])
  const alarm: GapRun = { fromSeq: 5, toSeq: 5, reason: 'evicted', counts: { alarm: 1 }, firstMs: 70, lastMs: 70 }
  expect(joined([run(1, 4), alarm, run(6, 6)])).toEqual([
    { fromSeq: 1, toSeq: 6, reason: 'evicted', counts: { telemetry: 5, alarm: 1 }, firstMs: 70, lastMs: 70 },
  ])
})

test('the runs of a row leave out what belongs to others', () => {
  const head = {
    class: 'telemetry',
    firstSeq: 3,
    lastSeq: 12,
    holes: [
      [2, 1],
      [3, 2],
    ],
    wallMinMs: 1,
    wallMaxMs: 9,
  }
  const runs = runsOf(head as unknown as RowHead, 'evicted')
  expect(runs.map(({ fromSeq, toSeq, counts }) => [fromSeq, toSeq, counts.telemetry])).toEqual([
    [3, 4, 2],
    [6, 8, 3],
    [11, 12, 2],
  ])
})

test('in whatever order places are let go of, they are kept as the fewest runs that say the same', () => {
  fc.assert(
    fc.property(fc.shuffledSubarray(Array.from({ length: 40 }, (_, n) => n + 1)), (places) => {
      const rig = storeRig()
      const db = openSqlite(rig.path)
      createTables(db)
      const gaps = new Gaps(db)
      for (let at = 0; at < places.length; at += 3) gaps.add(places.slice(at, at + 3).map((place) => run(place, place)))
      const found: GapRun[] = []
      for (let next = gaps.behind(0); next !== undefined; next = gaps.behind(next.toSeq)) found.push(next)
      db.close()
      const sorted = places.toSorted((a, b) => a - b)
      const wanted = sorted
        .filter((place) => !sorted.includes(place - 1))
        .map((first) => {
          let last = first
          while (sorted.includes(last + 1)) last += 1
          return run(first, last)
        })
      expect(found).toEqual(wanted)
    }),
    { numRuns: 25 },
  )
})

test('what was thinned before readings that are evicted goes into their record, what was thinned behind them does not', () => {
  const rig = storeRig()
  const db = openSqlite(rig.path)
  createTables(db)
  const gaps = new Gaps(db)
  gaps.add([run(1, 4, 'thinned'), run(6, 9, 'thinned'), run(11, 14, 'thinned')])
  gaps.add([run(5, 5)])
  gaps.add([run(10, 10)])
  gaps.add([{ fromSeq: 15, toSeq: 15, reason: 'evicted', counts: { status: 1 } }])
  const found: GapRun[] = []
  for (let next = gaps.behind(0); next !== undefined; next = gaps.behind(next.toSeq)) found.push(next)
  db.close()
  expect(found).toEqual([
    run(1, 10),
    run(11, 14, 'thinned'),
    { fromSeq: 15, toSeq: 15, reason: 'evicted', counts: { status: 1 } },
  ])
})
