import { expect, test } from 'vitest'
import { Fault } from '../../../../gateway/contract/fault.ts'
import { ClockWatch } from '../../../../gateway/core/clock-watch.ts'
import { VirtualClock } from '../../../../hardware-sim/clock.ts'
import { coreParts } from './parts.ts'

function watched(state: 'never' | 'unsynced' | 'synced') {
  const { recorder, stored, parts, ending } = coreParts()
  const clock = new VirtualClock(5000, state)
  const fixes: number[] = []
  const storage: { broken: Fault | undefined } = { broken: undefined }
  const store = {
    fixClock: async (offsetMs: number) => {
      if (storage.broken !== undefined) throw storage.broken
      fixes.push(offsetMs)
    },
  }
  const watch = new ClockWatch({ clock, store, recorder, log: parts.log, signal: ending.signal })
  const told = (): string[] => stored.map(({ type, source, body }) => `${source}${type} ${body}`)
  return { clock, watch, fixes, told, storage, ending }
}

const NOON = Date.UTC(2026, 10, 27, 12)

test('a clock that is found corrects what was before, once, and tells from when to when', async () => {
  const { clock, fixes, told, watch, ending } = watched('never')
  await clock.advance(3000)
  expect([fixes, told()]).toEqual([[], []])
  clock.jumpWall(NOON - clock.wallMs(), 'synced')
  await clock.advance(5000)
  expect(fixes).toEqual([NOON - 3000])
  expect(told()).toEqual([
    'linli.clock.set {"from":"1970-01-01T00:00:09.000Z","to":"2026-11-27T12:00:01.000Z","bySeconds":1795780792,"before":"never","after":"synced"}',
  ])
  expect(watch.figures().map(({ value }) => value)).toEqual([1, 1_795_780_792])
  ending.abort(new Error('over'))
  await watch.done
})

test('a step is told and corrects nothing; slewing is no step', async () => {
  const { clock, fixes, told } = watched('synced')
  await clock.advance(2000)
  clock.jumpWall(900)
  await clock.advance(1000)
  expect(told()).toEqual([])
  clock.jumpWall(-3_600_000)
  await clock.advance(2000)
  expect(fixes).toEqual([])
  expect(told()).toEqual([
    'linli.clock.step {"from":"1970-01-01T00:00:09.900Z","to":"1969-12-31T23:00:09.900Z","bySeconds":-3600,"before":"synced","after":"synced"}',
  ])
})

test('somebody who sets it by hand is no source to trust: told, and found later', async () => {
  const { clock, fixes, told } = watched('never')
  clock.jumpWall(NOON, 'unsynced')
  await clock.advance(1000)
  expect([fixes.length, told().length]).toEqual([0, 1])
  clock.jumpWall(0, 'synced')
  await clock.advance(1000)
  expect(fixes).toHaveLength(1)
  expect(told()[1]).toContain('linli.clock.set')
})

test('while the storage takes nothing it is tried again', async () => {
  const { clock, fixes, told, storage } = watched('never')
  storage.broken = new Fault('connection', 'disk I/O error', { code: 'store' })
  clock.jumpWall(NOON, 'synced')
  await clock.advance(5000)
  expect([fixes, told()]).toEqual([[], []])
  storage.broken = undefined
  await clock.advance(1000)
  expect([fixes.length, told().length]).toEqual([1, 1])
})
