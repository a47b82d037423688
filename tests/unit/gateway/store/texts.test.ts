import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ByteReader, ByteWriter } from '../../../../gateway/store/bytes.ts'
import { readTexts, TextPacker } from '../../../../gateway/store/texts.ts'

/** @returns the texts read back and the bytes they took; undefined where they were refused */
function through(texts: readonly string[], packer = new TextPacker()) {
  const writer = new ByteWriter(1)
  const fits = packer.write(
    writer,
    texts.join(''),
    texts.map(({ length }) => length),
  )
  if (!fits) {
    expect(writer.length).toBe(0)
    return undefined
  }
  const { text, lengths } = readTexts(new ByteReader(writer.view()), texts.length)
  let at = 0
  const back = [...lengths].map((length) => {
    at += length
    return text.slice(at - length, at)
  })
  return { back, bytes: writer.length }
}

test('texts come back to the letter, whatever stands in them', () => {
  const number = fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
    fc.integer().map(String),
    fc.constantFrom(
      '-0',
      '00',
      '007',
      '1.50',
      '-1.0',
      '.5',
      '5.',
      '1e5',
      '1E-7',
      '0.0000001',
      '123456789012345678901234',
      '-',
      '--5',
      '1.2.3',
      '0.1234567890123456789',
      '999999999999999',
      '0.000000000000001',
    ),
  )
  const word = fc.oneof(
    fc.string(),
    fc.string({ unit: 'binary' }),
    fc.constantFrom('{"v":', '阳光', '\u0000', '-', '.'),
  )
  const texts = fc.array(
    fc.array(fc.oneof(number, word), { maxLength: 6 }).map((parts) => parts.join('').toWellFormed()),
    { maxLength: 3 },
  )
  const packer = new TextPacker()
  let packed = 0
  fc.assert(
    fc.property(texts, (some) => {
      const found = through([...some, ...some, ...some, ...some], packer)
      if (found === undefined) return
      packed += 1
      expect(found.back).toEqual([...some, ...some, ...some, ...some])
    }),
    { numRuns: 1000 },
  )
  expect(packed).toBeGreaterThan(500)
})

test('every number that JSON prints comes back in one column with others', () => {
  const plain = fc
    .double({ noNaN: true, noDefaultInfinity: true, min: -1e9, max: 1e9 })
    .map((value) => Number(value.toFixed(3)))
  fc.assert(
    fc.property(fc.array(plain, { minLength: 4, maxLength: 50 }), (values) => {
      const texts = values.map((v) => JSON.stringify({ v }))
      expect(through(texts)?.back).toEqual(texts)
    }),
  )
})

test('a round of readings takes a twentieth of its text', () => {
  const texts = Array.from({ length: 100 }, (_, n) =>
    JSON.stringify({
      points: {
        energy_import: { v: 23_045.21 + n / 7, u: 'kWh' },
        power: { v: (n * 7919) % 3000, u: 'W' },
        voltage: { v: 230 + (n % 50) / 10, u: 'V' },
      },
      quality: 'good',
    }),
  ).map((text) => text.replace(/(\.\d\d)\d+/, '$1'))
  const found = through(texts)
  expect(found?.back).toEqual(texts)
  expect(found?.bytes).toBeLessThan(texts.join('').length / 20)
})

test('texts with nothing in common are refused', () => {
  expect(through(['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight'])).toBeUndefined()
})

test('a text that is not what it was is noticed, wherever a bit was turned', () => {
  const writer = new ByteWriter()
  new TextPacker().write(writer, '{"v":1.5}{"v":22}{"v":-3.25}', [9, 8, 11])
  for (let bit = 0; bit < writer.length * 8; bit++) {
    const bytes = Buffer.from(writer.view())
    bytes[bit >> 3] = bytes[bit >> 3]! ^ (1 << (bit & 7))
    let told: unknown
    try {
      told = readTexts(new ByteReader(bytes), 3).text === '{"v":1.5}{"v":22}{"v":-3.25}' ? 'same' : 'other'
    } catch (error) {
      told = error
    }
    expect(told).not.toBe('other')
  }
})
