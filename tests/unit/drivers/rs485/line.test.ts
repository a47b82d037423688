import { expect, test } from 'vitest'
import { Line } from '../../../../drivers/rs485/line.ts'
import { bench, SETTINGS } from './host.ts'

const OPTIONS = { settings: SETTINGS, timeoutMs: 300, lateMs: 300 }
/** A register holds the first half of a float; the second tells nothing here. */
const FIRST_WORD: Readonly<Record<number, number>> = { 100: 0x42c8, 200: 0x4348, 300: 0x4396, 400: 0x43c8 }

function asking(timing: Partial<typeof OPTIONS> = {}) {
  const parts = bench()
  parts.attach('m1', 1)
  const line = new Line(parts.line.open(), { ...OPTIONS, ...timing }, parts.clock, parts.ending.signal)
  const ask = async (address: number, count = 2): Promise<string> => {
    const asked = line.read(1, { table: 'holding', address, count }).then(
      ({ values }) => (values[0] === FIRST_WORD[address] ? String(address) : `WRONG: ${values}`),
      (error) => error.code,
    )
    await parts.clock.advance(2000)
    return asked
  }
  return { ...parts, wire: line, ask }
}

test('a late answer never becomes another register: asked 100, 200, 300, 400, the first answers 100 ms after its time-out', async () => {
  const { line, ask, wire } = asking()
  line.line.setFault('m1', { kind: 'late', byMs: 400, times: 1 })
  expect([await ask(100), await ask(200), await ask(300), await ask(400)]).toEqual(['timeout', '200', '300', '400'])
  expect(wire.counts.lateBytes).toBeGreaterThan(0)
})

test.each([
  ['a wrong check sum', { kind: 'wrong-check', times: 1 }],
  ['silence', { kind: 'silence', times: 1 }],
  ['half a frame, its rest after the time-out', { kind: 'half', restAfterMs: 500, times: 1 }],
  ['half a frame for ever', { kind: 'half', times: 1 }],
  ['another unit answering', { kind: 'wrong-unit', unit: 9, times: 1 }],
] as const)('%s is a time-out, and the next answer is right', async (_name, fault) => {
  const { line, ask } = asking()
  line.line.setFault('m1', fault)
  expect([await ask(100), await ask(200), await ask(300)]).toEqual(['timeout', '200', '300'])
})

test.each([
  ['noise before the frame', { kind: 'noise', before: 7, after: 0, times: 1 }],
  ['noise behind the frame', { kind: 'noise', before: 0, after: 9, times: 1 }],
] as const)('%s does not hide the answer, nor spoil the next', async (_name, fault) => {
  const { line, ask } = asking()
  line.line.setFault('m1', fault)
  expect([await ask(100), await ask(200), await ask(300)]).toEqual(['100', '200', '300'])
})

test('an adapter that echoes is seen through, and counted', async () => {
  const { line, ask, wire } = asking()
  line.line.setFault(undefined, { kind: 'echo' })
  expect([await ask(100), await ask(200)]).toEqual(['100', '200'])
  expect(wire.counts.echoes).toBe(2)
})

test('an exception comes at once, not at the time-out', async () => {
  const { clock, wire, ending } = asking()
  const startMs = clock.monoMs()
  const asked = wire
    .read(1, { table: 'holding', address: 5000, count: 2 })
    .catch((error) => `${error.code} after ${clock.monoMs() - startMs} ms`)
  await clock.advance(2000)
  // 8 characters of request, 3.5 of silence, 5 ms of turnaround and 9 characters of the normal answer are 26 ms.
  expect(await asked).toMatch(/^exception-2 after 2\d(\.\d+)? ms$/)
  ending.abort()
})

test('no request begins within 3.5 characters of the last byte', async () => {
  const { clock, line, wire } = asking()
  for (let n = 0; n < 50; n++) {
    const asked = wire.read(1, { table: 'holding', address: 100, count: 2 })
    await clock.advance(40)
    await asked
  }
  const { requests, gapViolations } = line.line.statistics()
  expect([requests, gapViolations]).toEqual([50, 0])
})

test('a device that babbles without an end jams the line, and that is said', async () => {
  const { clock, line, wire } = asking()
  line.line.setFault('m1', { kind: 'babble' })
  const asked = wire
    .read(1, { table: 'holding', address: 100, count: 2 })
    .catch((error) => `${error.reach} ${error.code}`)
  await clock.advance(5000)
  expect(await asked).toBe('connection jammed')
})

test('an unplugged adapter ends the line with a fault of the connection', async () => {
  const { line, ask, clock, wire } = asking()
  expect(await ask(100)).toBe('100')
  line.unplug()
  const asked = wire.read(1, { table: 'holding', address: 100, count: 2 }).catch((error) => error.reach)
  await clock.advance(1000)
  expect(await asked).toBe('connection')
})
