import { expect, test } from 'vitest'
import { type Disk, DiskWatch } from '../../../../gateway/store/disk-watch.ts'

const MB = 1024 * 1024

/** A disk with so many free bytes, of which the ballast takes its own. */
interface SimulatedDisk extends Disk {
  free: number
  ballast: number
  written: number
}

function disk(freeBytes: number): SimulatedDisk {
  const there: SimulatedDisk = {
    free: freeBytes,
    ballast: 0,
    freeBytes: () => there.free,
    totalBytes: () => undefined,
    writtenBytes: () => there.written,
    written: 0,
    ballastBytes: () => there.ballast,
    growBallast: (bytes: number): void => {
      there.free -= bytes
      there.ballast += bytes
    },
    dropBallast: (): void => {
      there.free += there.ballast
      there.ballast = 0
    },
  }
  return there
}

function settled(watch: DiskWatch, mayMake = true): string {
  while (watch.step(0, mayMake)) expect(watch.report().ballastBytes).toBeGreaterThan(0)
  return watch.report().state
}

test('the ballast is made piece by piece where there is plenty, and not before it may be', () => {
  const under = disk(100 * MB)
  const watch = new DiskWatch(under, 2 * MB)
  expect(watch.step(0, false)).toBe(false)
  expect(under.ballast).toBe(0)
  expect(watch.step(0, true)).toBe(true)
  expect(under.ballast).toBe(256 * 1024)
  expect(settled(watch)).toBe('well')
  expect(under.ballast).toBe(2 * MB)
})

test('almost full, full and well again are told apart, and between the marks it stays what it was', () => {
  const under = disk(100 * MB)
  const watch = new DiskWatch(under, 2 * MB)
  settled(watch)
  under.free = 5 * MB
  expect(settled(watch)).toBe('almost-full')
  under.free = 7 * MB
  expect(settled(watch)).toBe('almost-full')
  under.free = 0
  expect(watch.nothingLeft()).toBe(true)
  expect(watch.giveUp()).toBe(true)
  expect(watch.news).toBe(true)
  expect(under.free).toBe(2 * MB)
  expect(settled(watch)).toBe('full')
  expect(watch.news).toBe(false)
  under.free = 7 * MB
  expect(settled(watch)).toBe('full')
  expect(under.ballast).toBe(0)
  under.free = 10 * MB
  expect(settled(watch)).toBe('well')
  expect(under.ballast).toBe(2 * MB)
})

test('where there is no ballast to give up there is no room to be had', () => {
  expect(new DiskWatch(disk(0), MB).giveUp()).toBe(false)
})

test('a ballast that is larger than wanted is made anew in the right size', () => {
  const under = disk(100 * MB)
  under.growBallast(5 * MB)
  settled(new DiskWatch(under, MB))
  expect(under.ballast).toBe(MB)
})

test('what a day writes is told when the run has lasted for ten minutes', () => {
  const under = disk(100 * MB)
  const watch = new DiskWatch(under, MB)
  under.written = 5 * MB
  watch.step(1000, false)
  under.written = 6 * MB
  watch.step(301_000, false)
  expect(watch.report()).toMatchObject({ writtenBytes: 6 * MB, writtenADay: undefined })
  under.written = 7 * MB
  watch.step(601_000, false)
  expect(watch.report().writtenADay).toBe(2 * MB * 144)
})
