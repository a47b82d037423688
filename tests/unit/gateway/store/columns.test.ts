import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ByteReader, ByteWriter } from '../../../../gateway/store/bytes.ts'
import { COLUMN_MAX, readColumn, writeColumn } from '../../../../gateway/store/columns.ts'

function written(values: readonly number[]): Buffer {
  const writer = new ByteWriter(1)
  writeColumn(writer, values)
  return writer.view()
}

test('every column comes back as it was', () => {
  const any = fc.oneof(fc.integer({ min: -COLUMN_MAX, max: COLUMN_MAX }), fc.integer({ min: -300, max: 300 }))
  fc.assert(
    fc.property(fc.array(any, { maxLength: 200 }), (values) => {
      const bytes = written(values)
      const reader = new ByteReader(bytes)
      expect([...readColumn(reader, values.length)]).toEqual(values.map((value) => value + 0))
      expect(reader.at).toBe(bytes.length)
    }),
  )
})

test('what is all the same, and what rises evenly, takes no bits', () => {
  expect(written(new Array(1000).fill(50_01)).length).toBeLessThanOrEqual(3)
  expect(written(Array.from({ length: 1000 }, (_, n) => 7_000_000 + 10 * n)).length).toBeLessThanOrEqual(6)
})

test('numbers from 0 to 7 take three bits each', () => {
  const values = Array.from({ length: 800 }, (_, n) => (n * 5) % 8)
  expect(written(values).length).toBeLessThanOrEqual((800 * 3) / 8 + 3)
})

test('bytes that end too early are noticed', () => {
  const bytes = written([1, 2000, 3])
  expect(() => readColumn(new ByteReader(bytes.subarray(0, bytes.length - 1)), 3)).toThrow(RangeError)
})
