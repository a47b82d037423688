import { expect, test } from 'vitest'
import type { ClockState } from '../../../../gateway/contract/clock.ts'
import type { NewEvent } from '../../../../gateway/contract/event.ts'
import { Fault } from '../../../../gateway/contract/fault.ts'
import { ClockWatch, type ClockWatchParts } from '../../../../gateway/core/clock-watch.ts'
import { VirtualClock } from '../../../../hardware-sim/clock.ts'
import { coreParts } from './parts.ts'

function watched(state: ClockState, known: ClockWatchParts['known'] = { unfound: false, offsetMs: undefined }) {
  const { store: log, stored, parts, ending } = coreParts()
  const clock = new VirtualClock(5000, state)
  const fixes: number[] = []
  const sync: { agoMs: number | undefined } = { agoMs: undefined }
  const store = {
    append: log.append,
    fixClock: async (offsetMs: number, event: NewEvent) => {
      await log.append([event])
      fixes.push(offsetMs)
    },
  }
  const quality = { sinceSyncMs: () => sync.agoMs }
  const watch = new ClockWatch({ clock, quality, store, known, log: parts.log, signal: ending.signal })
  const told = (): string[] => stored.map((event) => `${event.class} ${event.type} ${event.body}`)
  return { clock, watch, fixes, told, stored, storage: log, ending, sync }
}

const NOON = Date.UTC(2026, 10, 27, 12)
const types = (events: readonly NewEvent[]): string[] => events.map(({ type }) => type)

test('a clock that is found corrects what was before, once, and tells from when to when', async () => {
  const { clock, fixes, told, stored, watch, ending } = watched('never')
  await clock.advance(3000)
  expect([fixes, told()]).toEqual([[], []])
  clock.jumpWall(NOON - clock.wallMs(), 'synced')
  await clock.advance(5000)
  expect(fixes).toEqual([NOON - 3000])
  expect(told()).toEqual([
    'audit linli.clock.set {"from":"1970-01-01T00:00:09.000Z","to":"2026-11-27T12:00:01.000Z","bySeconds":1795780792,"before":"never","after":"synced"}',
  ])
  expect(stored[0]).toMatchObject({ monoMs: 4000, wallMs: NOON + 1000, clock: 'synced', source: '' })
  expect(watch.health()).toEqual({ lastStepSeconds: 1_795_780_792 })
  ending.abort(new Error('over'))
  await watch.done
})

test('a source that sets a trusted clock anew is believed for what was corrected before, too; slewing is no step', async () => {
  const { clock, fixes, told } = watched('synced')
  await clock.advance(2000)
  clock.jumpWall(1000)
  await clock.advance(1000)
  expect(told()).toEqual([])
  clock.jumpWall(-3_599_999)
  await clock.advance(2000)
  expect(fixes).toEqual([5000 + 1000 - 3_599_999])
  expect(told()).toEqual([
    'audit linli.clock.step {"from":"1970-01-01T00:00:10.000Z","to":"1969-12-31T23:00:10.001Z","bySeconds":-3599.999,"before":"synced","after":"synced"}',
  ])
})

test('a step of an hour and more is an alarm, too', async () => {
  const { clock, told } = watched('synced')
  clock.jumpWall(10 * 365 * 86_400_000)
  await clock.advance(1000)
  const words = told().map((each) => each.split(' ').slice(0, 2).join(' '))
  expect(words).toEqual(['audit linli.clock.step', 'alarm linli.clock.jump'])
  expect(told()[1]).toContain('"bySeconds":315360000,')
})

test('somebody who sets it by hand is no source to trust: told, and found later', async () => {
  const { clock, fixes, stored, told } = watched('never')
  clock.jumpWall(NOON, 'unsynced')
  await clock.advance(1000)
  expect([fixes.length, types(stored)]).toEqual([0, ['linli.clock.step', 'linli.clock.jump']])
  clock.jumpWall(0, 'synced')
  await clock.advance(1000)
  expect(fixes).toEqual([NOON + 5000])
  // By what was recorded until now is wrong, also where somebody set it by hand in between.
  expect(told()[2]).toMatch(/^audit linli.clock.set .*"bySeconds":1795780800,"before":"never"/)
})

test('a clock that was lost for a while is found again, from the moment when it was lost', async () => {
  const { clock, fixes, stored, told } = watched('synced')
  await clock.advance(1000)
  clock.jumpWall(60_000, 'unsynced')
  await clock.advance(2000)
  clock.jumpWall(-57_000, 'synced')
  await clock.advance(2000)
  expect(types(stored)).toEqual(['linli.clock.step', 'linli.clock.set'])
  expect(told()[1]).toContain('"bySeconds":-57,"before":"unsynced","after":"synced"')
  expect(fixes).toEqual([8000])
})

test('a hub that was started again behind the moment when the time was found corrects what the run before recorded', async () => {
  const { clock, fixes, told } = watched('synced', { unfound: true, offsetMs: undefined })
  await clock.advance(3000)
  expect(fixes).toEqual([5000])
  expect(told()).toEqual([expect.stringContaining('"bySeconds":0,"before":"unsynced","after":"synced"')])
})

test('a clock that was set while no hub ran is told by the next one, and corrects what was recorded before', async () => {
  const { clock, fixes, told } = watched('synced', { unfound: false, offsetMs: 5000 + 60_000 })
  await clock.advance(3000)
  expect(fixes).toEqual([5000])
  expect(told()).toEqual([expect.stringMatching(/^audit linli.clock.step .*"bySeconds":-60,/)])
})

test.each(['found', 'stepped', 'stepped by hand'])(
  'while the storage takes nothing it is tried again: %s',
  async (how) => {
    const { clock, fixes, stored, storage } = watched(how === 'found' ? 'never' : 'synced')
    storage.broken = new Fault('connection', 'disk I/O error', { code: 'store' })
    clock.jumpWall(NOON, how === 'stepped by hand' ? 'unsynced' : 'synced')
    await clock.advance(5000)
    expect([fixes, stored]).toEqual([[], []])
    storage.broken = undefined
    await clock.advance(3000)
    expect(types(stored)).toEqual(how === 'found' ? ['linli.clock.set'] : ['linli.clock.step', 'linli.clock.jump'])
  },
)

test('figures: the state that holds, the last step, and how long ago a source spoke, where one did', async () => {
  const { clock, watch, sync } = watched('unsynced')
  const figures = () => watch.figures().map(({ name, labels, value }) => `${name}${labels?.state ?? ''} ${value}`)
  const states = (is: ClockState) =>
    ['never', 'unsynced', 'holdover', 'synced'].map((each) => `linli_clock_state${each} ${each === is ? 1 : 0}`)
  expect(figures()).toEqual([...states('unsynced'), 'linli_clock_step_seconds 0'])
  clock.jumpWall(-2500, 'holdover')
  await clock.advance(1000)
  sync.agoMs = 61_999
  expect(figures()).toEqual([
    ...states('holdover'),
    'linli_clock_step_seconds -2.5',
    'linli_clock_since_sync_seconds 61.999',
  ])
  expect(watch.health()).toEqual({ lastStepSeconds: -2.5, sinceSyncSeconds: 61 })
})
