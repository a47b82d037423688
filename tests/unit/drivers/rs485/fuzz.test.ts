import { expect, test } from 'vitest'
import { mbapFrame, mbapFrames } from '../../../../drivers/rs485/codec/mbap.ts'
import { seededRandom } from '../../../../hardware-sim/random.ts'
import { fuzzLine } from './fuzz.ts'

const LINE_BYTES = 100_000

test('100 kB of damaged, late, doubled, foreign and chance bytes: no value from nowhere, no answer lost', async () => {
  const { bytes, exchanges, answers, coincidences } = await fuzzLine(20_261_123, LINE_BYTES)
  expect(bytes).toBeGreaterThanOrEqual(LINE_BYTES)
  // Five of the fifteen ways bring the right answer.
  expect(answers / exchanges).toBeGreaterThan(0.25)
  expect(coincidences).toBeGreaterThan(0)
}, 60_000)

test('a Modbus TCP stream torn anywhere is the same frames', () => {
  const random = seededRandom(7)
  const below = (most: number): number => Math.floor(random.next() * most)
  for (let turn = 0; turn < 300; turn++) {
    const sent = Array.from({ length: 1 + below(6) }, () => ({
      transaction: below(65_536),
      unit: below(256),
      pdu: random.bytes(1 + below(253)),
    }))
    const stream = Buffer.concat(sent.map(({ transaction, unit, pdu }) => mbapFrame(transaction, unit, pdu)))
    const heard: unknown[] = []
    let rest: Uint8Array = new Uint8Array(0)
    for (let at = 0; at < stream.length; ) {
      const piece = stream.subarray(at, at + 1 + below(400))
      at += piece.length
      const found = mbapFrames(Buffer.concat([rest, piece]))
      expect(found.lost).toBeUndefined()
      heard.push(
        ...found.frames.map(({ transaction, unit, pdu }) => ({ transaction, unit, pdu: Uint8Array.from(pdu) })),
      )
      rest = found.rest
    }
    expect(heard).toEqual(sent.map((frame) => ({ ...frame, pdu: Uint8Array.from(frame.pdu) })))
    expect(rest).toHaveLength(0)
  }
})
