import { expect, test } from 'vitest'
import { bcdCapacity, registerCapacity } from '../../../../drivers/rs485/capacity.ts'
import type { PointValue } from '../../../../drivers/rs485/meter.ts'
import { PointWatch } from '../../../../drivers/rs485/point-watch.ts'

const kwh = (v: number, more: Readonly<Record<string, PointValue>> = {}) => ({ energy: { v, u: 'kWh' }, ...more })
const watching = (endsAt?: number) => new PointWatch(new Map([['energy', endsAt]]))

test('a counter that goes on, or stands, is nothing new', () => {
  const watch = watching(1_000_000)
  expect([1, 1, 2.5, 2.5, 900_000].flatMap((v) => watch.look(kwh(v)))).toEqual([])
})

test('one that comes to its end begins anew, and what went through is told', () => {
  const watch = watching(1_000_000)
  watch.look(kwh(999_999.5))
  expect(watch.look(kwh(1.25))).toEqual([
    { point: 'energy', change: 'rolled-over', before: 999_999.5, after: 1.25, gain: 1.75, u: 'kWh' },
  ])
  expect(watch.look(kwh(2))).toEqual([])
})

test.each([
  [500, 1_000_000],
  [999_999, undefined],
])('a counter at %s of one that ends at %s did not roll over: it was set back', (before, endsAt) => {
  const watch = watching(endsAt)
  watch.look(kwh(before))
  expect(watch.look(kwh(3))).toEqual([{ point: 'energy', change: 'went-back', before, after: 3, u: 'kWh' }])
  // The new value is where it goes on from: it is told once.
  expect(watch.look(kwh(4))).toEqual([])
})

test('the last digit of a float that trembles is no step back', () => {
  const watch = watching()
  watch.look(kwh(123_456.79))
  expect(watch.look(kwh(123_456.78))).toEqual([])
  expect(watch.look(kwh(123_450))).toHaveLength(1)
})

test('a meter with another number was replaced, whichever way its counter went', () => {
  const numbered = (v: number, number: string) => kwh(v, { meter_number: { v: number } })
  const watch = watching(1_000_000)
  watch.look(numbered(50, '000000000161'))
  expect(watch.look(numbered(7000, '000000000162'))).toEqual([
    { point: 'energy', change: 'replaced', before: 50, after: 7000, u: 'kWh' },
  ])
  expect(watch.look(numbered(7001, '000000000162'))).toEqual([])
})

test('what was read before the hub was started counts', () => {
  const watch = watching()
  watch.remember(kwh(800))
  expect(watch.look(kwh(2))).toMatchObject([{ change: 'went-back', before: 800, after: 2 }])
})

test('a poll without the counter, or without a value, changes nothing', () => {
  const watch = watching()
  watch.look(kwh(800))
  expect(watch.look({})).toEqual([])
  expect(watch.look({ energy: { v: null } })).toEqual([])
  expect(watch.look(kwh(2))).toHaveLength(1)
})

test('a voltage that does not move for a quarter of an hour and twenty polls is frozen', () => {
  const watch = watching()
  const at = (minute: number, volts: number) => watch.stillness({ voltage: { v: volts, u: 'V' } }, minute * 60_000)
  for (let minute = 0; minute < 20; minute++) expect(at(minute, 230.1)).toBe(undefined)
  expect(at(20, 230.1)).toMatchObject({ reach: 'point', code: 'frozen' })
  expect(at(21, 230.2)).toBe(undefined)
})

test('twenty polls of two seconds are too little to say so, and so is an hour with few', () => {
  const quick = watching()
  for (let n = 0; n < 400; n++) expect(quick.stillness({ frequency: { v: 50 } }, n * 2000)).toBe(undefined)
  const slow = watching()
  for (let n = 0; n < 20; n++) expect(slow.stillness({ frequency: { v: 50 } }, n * 3_600_000)).toBe(undefined)
})

test('a water meter at night stands still and is well, and so is a phase without a load', () => {
  const watch = watching()
  for (let minute = 0; minute < 100; minute++) {
    expect(watch.stillness({ flow: { v: 0 }, temperature: { v: 8.5 }, voltage: { v: 0 } }, minute * 60_000)).toBe(
      undefined,
    )
  }
})

test('where a counter ends: integers and BCD by their size, floats nowhere', () => {
  expect(registerCapacity({ as: 'uint32', scale: 0.01, offset: 0 })).toBe(42_949_672.96)
  expect(registerCapacity({ as: 'int32', scale: 1, offset: 0 })).toBe(2 ** 31)
  expect(registerCapacity({ as: 'bcd32', scale: 0.1, offset: 0 })).toBe(10_000_000)
  expect(registerCapacity({ as: 'float32', scale: 1, offset: 0 })).toBe(undefined)
  // XXXXXX.XX kWh.
  expect(bcdCapacity({ as: 'bcd', bytes: 4, decimals: 2, scale: 1 })).toBe(1_000_000)
  expect(bcdCapacity({ as: 'bcd', bytes: 4, decimals: 2, scale: 1, unitAt: 4 })).toBe(undefined)
})
