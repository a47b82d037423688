import { expect, test } from 'vitest'
import { duration, name, size } from '../../../../gateway/contract/units.ts'

test.each([
  ['500ms', 500],
  ['10s', 10_000],
  ['1.5h', 5_400_000],
  ['30d', 2_592_000_000],
  ['1y', 31_536_000_000],
])('%s is %d ms', (text, ms) => {
  expect(duration.parse(text)).toBe(ms)
})

test.each(['10', '10 s', '-1s', 's', '1e3s', ''])('%j is refused as a duration', (text) => {
  expect(duration.safeParse(text).error?.issues[0]?.message).toContain('a duration with its unit is wanted')
})

test('a number is refused as a duration, because nobody knows its unit', () => {
  expect(duration.safeParse(10).error?.issues[0]?.message).toContain('such as 500ms')
})

test.each([
  ['4GB', 4e9],
  ['16MiB', 16_777_216],
  ['512B', 512],
])('%s is %d bytes', (text, bytes) => {
  expect(size.parse(text)).toBe(bytes)
})

test.each(['Meter', 'a/b', '', '-a', '门', 'a'.repeat(64)])('%j is no name', (text) => {
  expect(name.safeParse(text).success).toBe(false)
})
