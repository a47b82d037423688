import { expect, test } from 'vitest'
import { type Coding, decodeValue } from '../../../../drivers/rs485/codec/value.ts'
import { hex } from '../../../hex.ts'

const coding = (part: Partial<Coding>): Coding => ({ as: 'uint16', order: 'ABCD', scale: 1, offset: 0, ...part })

/** The vectors of libmodbus, tests/unit-test.h: 123456.0 in all four orders. */
test.each([
  ['ABCD', '47f1 2000'],
  ['CDAB', '2000 47f1'],
  ['BADC', 'f147 0020'],
  ['DCBA', '0020 f147'],
] as const)('a float in order %s', (order, raw) => {
  expect(decodeValue(hex(raw), coding({ as: 'float32', order }))).toBe(123456)
})

/** The number 0102 0304 0506 0708 hex, its words and bytes moved by hand. */
test.each([
  ['ABCD', '0102 0304 0506 0708'],
  ['CDAB', '0708 0506 0304 0102'],
  ['BADC', '0201 0403 0605 0807'],
  ['DCBA', '0807 0605 0403 0201'],
] as const)('64 bits in order %s', (order, raw) => {
  expect(decodeValue(hex(raw), coding({ as: 'uint64', order }))).toBe(Number(0x0102030405060708n))
})

test.each([
  ['int16', 'ff85', -123],
  ['uint16', 'ff85', 65413],
  ['int32', 'ffff ff85', -123],
  ['uint32', 'ffff ff85', 4294967173],
  ['int64', 'ffff ffff ffff ff85', -123],
  ['uint64', '0000 0001 0000 0000', 4294967296],
  ['float64', '405e dd2f 1a9f be77', 123.456],
  ['bcd16', '1234', 1234],
  ['bcd32', '0012 3456', 123456],
  ['bcd64', '0000 1234 5678 9012', 123456789012],
  ['bcd32', '00ff ffff', null],
  ['float32', '7fc0 0000', null],
  ['float32', '7f80 0000', null],
  ['float64', 'fff0 0000 0000 0000', null],
] as const)('%s %s is %s', (as, raw, value) => {
  expect(decodeValue(hex(raw), coding({ as }))).toBe(value)
})

test('a bit of a register', () => {
  expect([0, 1, 2, 3, 15].map((bit) => decodeValue(hex('8005'), coding({ as: 'bit', bit })))).toEqual([
    true,
    false,
    true,
    false,
    true,
  ])
})

test('a float is told in its shortest form, a scaled number without the dust of doubles', () => {
  expect(decodeValue(hex('4366 3333'), coding({ as: 'float32' }))).toBe(230.2)
  expect(decodeValue(hex('0929'), coding({ scale: 0.1 }))).toBe(234.5)
  expect(decodeValue(hex('0000'), coding({ scale: 0.1, offset: -40 }))).toBe(-40)
  expect(decodeValue(hex('0000 0000 0001 e240'), coding({ as: 'uint64', scale: 0.01 }))).toBe(1234.56)
})

test('what the device says for "no value" is no value, in the bytes of the wire', () => {
  const missing = coding({ as: 'uint32', order: 'CDAB', noValue: ['0000ffff'] })
  expect(decodeValue(hex('0000 ffff'), missing)).toBeNull()
  expect(decodeValue(hex('ffff 0000'), missing)).toBe(65535)
})

test('a string ends at its zero', () => {
  expect(decodeValue(hex('5344 4d36 3330 0041'), coding({ as: 'string', length: 4 }))).toBe('SDM630')
  expect(decodeValue(hex('4142 2020'), coding({ as: 'string', length: 2 }))).toBe('AB')
})

test('too few registers are a bug, never a value', () => {
  expect(() => decodeValue(hex('4366'), coding({ as: 'float32' }))).toThrow(RangeError)
})
