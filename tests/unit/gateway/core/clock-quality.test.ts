import { expect, test } from 'vitest'
import type { ClockState, MachineTime } from '../../../../gateway/contract/clock.ts'
import { ClockQuality } from '../../../../gateway/core/clock-quality.ts'

const NOW_MS = Date.UTC(2026, 10, 27)
const SECOND = 1000
const DAY = 86_400_000

/** A machine whose clocks a test sets; it was switched on when `monoS` was 0. */
function machine(quality = new ClockQuality(), notBeforeMs?: number) {
  if (notBeforeMs !== undefined) quality.notBefore(notBeforeMs)
  return {
    quality,
    at(monoMs: number, now: Partial<MachineTime> & { setByMs?: number } = {}): ClockState {
      const { setByMs = 0, ...others } = now
      return quality.judge({ monoMs, wallMs: NOW_MS + monoMs + setByMs, vouched: false, errorMaxMs: 16_000, ...others })
    },
  }
}
const vouched = { vouched: true, errorMaxMs: 30 }

test('a clock before the first hub was built was never set, whoever vouches for it', () => {
  const { at } = machine()
  expect(at(0, { wallMs: 5000 })).toBe('never')
  expect(at(1, { wallMs: Date.UTC(2026, 9, 31, 23, 59, 59), ...vouched })).toBe('never')
})

test('a clock behind what the log has seen was lost with the power, until a time source speaks', () => {
  const { at } = machine(new ClockQuality(), NOW_MS + DAY)
  expect(at(0)).toBe('never')
  expect(at(DAY - 1)).toBe('never')
  expect(at(DAY)).toBe('unsynced')
  // A wrong time source put a later time into the log: the right one is believed all the same.
  expect(machine(new ClockQuality(), NOW_MS + 3650 * DAY).at(0, vouched)).toBe('synced')
})

test('a time that was heard first is not forgotten for an earlier one', () => {
  const quality = new ClockQuality()
  quality.notBefore(NOW_MS + DAY)
  quality.notBefore(NOW_MS - DAY)
  expect(machine(quality).at(0)).toBe('never')
})

test('in step, then the source goes away: holdover for seven days, and no longer', () => {
  const { at, quality } = machine()
  expect(at(0)).toBe('unsynced')
  expect(quality.sinceSyncMs(0)).toBeUndefined()
  expect(at(SECOND, vouched)).toBe('synced')
  expect(at(2 * SECOND, { vouched: true, errorMaxMs: 2000 })).toBe('synced')
  expect(at(5 * SECOND, { vouched: true, errorMaxMs: 2001 })).toBe('holdover')
  expect(quality.sinceSyncMs(5 * SECOND)).toBe(3 * SECOND)
  expect(at(DAY)).toBe('holdover')
  expect(at(7 * DAY + 2 * SECOND)).toBe('holdover')
  expect(at(7 * DAY + 2 * SECOND + 1)).toBe('unsynced')
  expect(at(8 * DAY, vouched)).toBe('synced')
})

test('a clock that somebody set while no source vouched for it is trusted no more', () => {
  const { at } = machine()
  at(0, vouched)
  expect(at(SECOND, { setByMs: 1000 })).toBe('holdover')
  expect(at(2 * SECOND, { setByMs: 2001 })).toBe('unsynced')
  expect(at(3 * SECOND, { setByMs: 2001 })).toBe('unsynced')
})

test('a clock that its source sets stays trusted', () => {
  const { at } = machine()
  at(0, vouched)
  expect(at(SECOND, { setByMs: -3600 * SECOND, ...vouched })).toBe('synced')
  expect(at(2 * SECOND, { setByMs: -3600 * SECOND })).toBe('holdover')
})

test('a hub that starts while the source is away for hours already trusts the word of the kernel', () => {
  expect(machine().at(0, { vouched: true, errorMaxMs: 9000 })).toBe('holdover')
})
