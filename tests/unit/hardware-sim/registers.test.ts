import { expect, test } from 'vitest'
import type { ModbusPoint } from '../../../hardware-sim/profile.ts'
import { encodePoint } from '../../../hardware-sim/registers.ts'

function words(value: number, point: Partial<ModbusPoint>): string {
  const whole: ModbusPoint = { point: 'p', unit: '', table: 'input', address: 0, as: 'uint16', ...point }
  return encodePoint(whole, value)
    .map((word) => word.toString(16).toUpperCase().padStart(4, '0'))
    .join(' ')
}

// libmodbus, tests/unit-test.h: 123456.0 in the four orders.
test.each([
  ['ABCD', '47F1 2000'],
  ['CDAB', '2000 47F1'],
  ['BADC', 'F147 0020'],
  ['DCBA', '0020 F147'],
])('a float in order %s', (order, expected) => {
  expect(words(123456, { as: 'float32', order })).toBe(expected)
})

test('the float of the SDM72 sample', () => {
  expect(words(230.5, { as: 'float32' })).toBe('4366 8000')
})

test('integers: scale and offset undone, two’s complement, full registers', () => {
  expect(words(230.1, { as: 'uint16', scale: 0.1 })).toBe('08FD')
  expect(words(-12.5, { as: 'int16', scale: 0.1 })).toBe('FF83')
  expect(words(25, { as: 'int16', offset: -40 })).toBe('0041')
  expect(words(70_000, { as: 'uint16' })).toBe('FFFF')
  expect(words(-1, { as: 'uint32' })).toBe('0000 0000')
  expect(words(-1, { as: 'int32' })).toBe('FFFF FFFF')
  expect(words(100_000, { as: 'uint32', order: 'CDAB' })).toBe('86A0 0001')
  expect(words(2 ** 40 + 1, { as: 'uint64' })).toBe('0000 0100 0000 0001')
  expect(words(1.5, { as: 'float64' })).toBe('3FF8 0000 0000 0000')
})

test('binary coded decimals', () => {
  expect(words(1234.56, { as: 'bcd32', scale: 0.01 })).toBe('0012 3456')
})

test('a way of writing that no simulator has is named', () => {
  expect(() => words(1, { as: 'sexagesimal' })).toThrow('point p: no simulator for "sexagesimal"')
})
