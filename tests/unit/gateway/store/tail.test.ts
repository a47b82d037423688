import { expect, test } from 'vitest'
import { stored } from '../../../../gateway/store/parcel.ts'
import { TAIL_EVENTS, Tail } from '../../../../gateway/store/tail.ts'
import { newEvent } from '../../../contract/memory-store.ts'

function tailOf(count: number, lastSeq = 0, body = '{}'): Tail {
  const tail = new Tail(lastSeq, TAIL_EVENTS)
  for (let n = 1; n <= count; n++) tail.push(stored(newEvent({ body }), 'e1', lastSeq + n))
  return tail
}
const read = (tail: Tail, seq: number, limit = 10_000) =>
  tail.read({ after: { epoch: 'e1', seq }, limit, bytesMax: Number.POSITIVE_INFINITY })

test('a new tail covers the end of the log and nothing before it', () => {
  const tail = tailOf(0, 500)
  expect(tail.covers(500)).toBe(true)
  expect(tail.covers(499)).toBe(false)
  expect(read(tail, 500)).toEqual({ entries: [], next: { epoch: 'e1', seq: 500 }, more: false })
})

test('the newest events are held, so many and no more', () => {
  const tail = tailOf(3 * TAIL_EVENTS + 10)
  const last = 3 * TAIL_EVENTS + 10
  expect(tail.covers(last - TAIL_EVENTS)).toBe(true)
  expect(tail.covers(last - TAIL_EVENTS - 1)).toBe(false)
  const { entries, next, more } = read(tail, last - TAIL_EVENTS)
  expect(entries.map((entry) => entry.kind === 'event' && entry.seq)).toEqual(
    Array.from({ length: TAIL_EVENTS }, (_, n) => last - TAIL_EVENTS + 1 + n),
  )
  expect(next.seq).toBe(last)
  expect(more).toBe(false)
})

test('large events push out more small ones: the text is bounded too', () => {
  const tail = tailOf(40, 0, 'x'.repeat(100_000))
  expect(tail.covers(30)).toBe(true)
  expect(tail.covers(29)).toBe(false)
})

test('what the log let go of is not read from the tail', () => {
  const tail = tailOf(10)
  tail.trim(4)
  expect(tail.covers(3)).toBe(false)
  expect(tail.covers(4)).toBe(true)
  tail.trim(20)
  expect(tail.covers(10)).toBe(true)
  expect(read(tail, 10).entries).toEqual([])
})
