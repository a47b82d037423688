import { expect, test } from 'vitest'
import { encodeJpeg, hall } from '../../../../hardware-sim/camera/jpeg.ts'

/** A reader of grey baseline JPEGs whose blocks are of one brightness (ITU-T T.81, annexes B, C and F). */
function decode(jpeg: Buffer): { columns: number; rows: number; blocks: number[] } {
  expect(jpeg.readUInt16BE(0)).toBe(0xffd8)
  const segments = new Map<string, Buffer>()
  let at = 2
  for (let marker = 0; marker !== 0xffda; ) {
    marker = jpeg.readUInt16BE(at)
    const length = jpeg.readUInt16BE(at + 2)
    const content = jpeg.subarray(at + 4, at + 2 + length)
    segments.set(marker === 0xffc4 ? `dht${content[0]}` : marker.toString(16), content)
    at += 2 + length
  }
  expect(jpeg.subarray(-2).toString('hex')).toBe('ffd9')
  const frame = segments.get('ffc0')!
  expect([frame[0], frame[5], frame[7]]).toEqual([8, 1, 0x11])
  const [rows, columns] = [frame.readUInt16BE(1) / 8, frame.readUInt16BE(3) / 8]
  const step = segments.get('ffdb')![1]!

  const scan = [...jpeg.subarray(at, -2)].filter((byte, index, all) => !(byte === 0 && all[index - 1] === 0xff))
  let bits = scan.map((byte) => byte.toString(2).padStart(8, '0')).join('')
  const take = (count: number): string => {
    const taken = bits.slice(0, count)
    bits = bits.slice(count)
    return taken
  }
  const symbol = (table: Buffer): number => {
    let code = 0
    let first = 0
    let index = 17
    for (let length = 1; length <= 16; length++) {
      code = code * 2 + Number(take(1))
      const count = table[length]!
      if (code - first < count) return table[index + code - first]!
      index += count
      first = (first + count) * 2
    }
    throw new Error('no such code')
  }
  let brightness = 0
  const blocks = Array.from({ length: rows * columns }, () => {
    const category = symbol(segments.get('dht0')!)
    const value = category === 0 ? 0 : Number.parseInt(take(category), 2)
    brightness += category > 0 && value < 2 ** (category - 1) ? value - 2 ** category + 1 : value
    expect(symbol(segments.get('dht16')!)).toBe(0)
    return 128 + (brightness * step) / 8
  })
  // What is left is padding.
  expect(bits).toMatch(/^1{0,7}$/)
  return { columns, rows, blocks }
}

test.each([0, 1, 7, 500, 65_535])('picture %i can be decoded, and shows what the lens saw', (frame) => {
  const seen = hall(frame, frame % 2 === 1)
  const { columns, rows, blocks } = decode(encodeJpeg(seen))
  expect([columns, rows]).toEqual([20, 15])
  expect(blocks).toEqual([...seen.blocks])
})

test('black beside white can be decoded as well', () => {
  const blocks = Uint8Array.from({ length: 300 }, (_, at) => (at % 2) * 255)
  expect(decode(encodeJpeg({ columns: 20, rows: 15, blocks })).blocks).toEqual([...blocks])
})

test('no two pictures in a row are the same, and somebody who walks is in them', () => {
  const pictures = Array.from({ length: 50 }, (_, frame) => encodeJpeg(hall(frame, false)).toString('base64'))
  expect(new Set(pictures).size).toBe(50)
  expect(encodeJpeg(hall(3, true)).equals(encodeJpeg(hall(3, false)))).toBe(false)
})
