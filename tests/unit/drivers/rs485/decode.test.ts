import { expect, test } from 'vitest'
import { decodePoint } from '../../../../drivers/rs485/decode.ts'
import { modbusProfile, type Point } from '../../../../drivers/rs485/profile.ts'

const point = (part: Record<string, unknown>): Point => {
  const points = [{ point: 'value', table: 'holding', address: 0, ...part }]
  const rest = {
    maker: 'm',
    model: 'm',
    protocol: 'modbus',
    source: 'the test itself',
    samples: [{ words: {}, expect: {} }],
  }
  return modbusProfile.parse({ id: 'a/b', ...rest, points }).points[0]!
}
const words = (text: string): number[] => text.split(' ').map((word) => Number.parseInt(word, 16))

/** The vectors of libmodbus, tests/unit-test.h: 123456.0 in all four orders. */
test.each([
  ['ABCD', '47f1 2000'],
  ['CDAB', '2000 47f1'],
  ['BADC', 'f147 0020'],
  ['DCBA', '0020 f147'],
])('a float in order %s', (order, raw) => {
  expect(decodePoint(point({ as: 'float32', order }), words(raw))).toBe(123456)
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
  ['bcd32', '00ff ffff', null],
  ['float32', '7fc0 0000', null],
  ['float32', '7f80 0000', null],
  ['bit', '0001', true],
])('%s %s is %s', (as, raw, value) => {
  expect(decodePoint(point({ as }), words(raw))).toBe(value)
})

test('a float is told in its shortest form, a scaled number without the dust of doubles', () => {
  expect(decodePoint(point({ as: 'float32' }), words('4366 199a'))).toBe(230.1)
  expect(decodePoint(point({ as: 'uint16', scale: 0.1 }), words('0903'))).toBe(230.7)
  expect(decodePoint(point({ as: 'uint16', scale: 0.1, offset: -40 }), words('0000'))).toBe(-40)
})

test('what the device says for "no value" is no value', () => {
  const missing = point({ as: 'uint32', noValue: ['FFFFFFFF'] })
  expect(decodePoint(missing, words('ffff ffff'))).toBeNull()
  expect(decodePoint(missing, words('ffff fffe'))).toBe(4294967294)
})

test('a string ends at its zero', () => {
  expect(decodePoint(point({ as: 'string', length: 4 }), words('5344 4d36 3330 0041'))).toBe('SDM630')
})

test('too few registers are a bug, never a value', () => {
  expect(() => decodePoint(point({ as: 'float32' }), [1])).toThrow('value takes 2 registers, not 1')
})
