import { expect, test } from 'vitest'
import { readRequest, wordAt, writeRegisterRequest } from '../../../../drivers/rs485/codec/pdu.ts'
import { rtuFrame, rtuQuestion } from '../../../../drivers/rs485/codec/rtu.ts'
import { Line } from '../../../../drivers/rs485/line.ts'
import { VirtualClock } from '../../../../hardware-sim/clock.ts'
import { hex, show } from '../../../hex.ts'
import { bench, SETTINGS } from './host.ts'
import { type Said, ScriptedWire } from './transcript.ts'

/** 8N1 at 9600: ten bits a character. */
const CHARACTER_MS = 10 / 9.6
const GAP_MS = 3.5 * CHARACTER_MS
const TIMEOUT_MS = 300
const REQUEST_MS = 8 * CHARACTER_MS

const framed = (text: string): string => show(rtuFrame(1, hex(text)))
/** One register, whose value is its address: what a simulated memory would answer. */
const answerOf = (address: number): string => framed(`03 02 ${address.toString(16).padStart(4, '0')}`)
const ANSWER_BYTES = 7
/** The answer, as it comes from a meter that takes 5 ms to think. */
const soon = (address: number): Said => ({
  afterMs: REQUEST_MS + 5 + ANSWER_BYTES * CHARACTER_MS,
  bytes: answerOf(address),
})

function scripted(script: readonly (readonly Said[])[], lateMs = TIMEOUT_MS) {
  const clock = new VirtualClock()
  const wire = new ScriptedWire(clock, script)
  const line = new Line({ wire, clock, serial: SETTINGS, timeoutMs: TIMEOUT_MS, lateMs })
  const ask = (address: number, how: { attempts?: number; urgent?: boolean; unit?: number } = {}): Promise<string> =>
    line.ask(rtuQuestion(how.unit ?? 1, readRequest('holding', address, 1)), { attempts: 1, ...how }).then(
      ({ payload }) => String(wordAt(payload, 1)),
      (error) => error.code,
    )
  const inTurn = async (...addresses: number[]): Promise<string[]> => {
    const heard = Promise.all(addresses.map((address) => ask(address)))
    await clock.advance(20_000)
    return heard
  }
  return { clock, wire, line, ask, inTurn }
}

/** The answer to 100 begins 100 ms after its time-out. */
const LATE: Said = {
  afterMs: REQUEST_MS + ANSWER_BYTES * CHARACTER_MS + TIMEOUT_MS + 100,
  bytes: answerOf(100),
}

test('a late answer never becomes another register: asked 100, 200, 300, 400, the first answers 100 ms after its time-out', async () => {
  const { inTurn, wire, line } = scripted([[LATE], [soon(200)], [soon(300)], [soon(400)]])
  expect(await inTurn(100, 200, 300, 400)).toEqual(['timeout', '200', '300', '400'])
  expect(line.account.lateAnswers).toBe(1)
  // The late answer was over, and the gap kept, before the next request went out.
  expect(wire.written[1]!.atMs - wire.written[0]!.atMs).toBeGreaterThanOrEqual(LATE.afterMs + GAP_MS)
})

test('after a time-out nothing is sent until no late answer can come any more', async () => {
  const { inTurn, wire } = scripted([[], [soon(200)]], 700)
  expect(await inTurn(100, 200)).toEqual(['timeout', '200'])
  const waitedMs = wire.written[1]!.atMs - wire.written[0]!.atMs
  expect(waitedMs).toBeGreaterThanOrEqual(REQUEST_MS + TIMEOUT_MS + 700)
})

test('a late answer that begins at the last moment is heard out, though an adapter hands it over in pieces', async () => {
  const lastMs = REQUEST_MS + ANSWER_BYTES * CHARACTER_MS + TIMEOUT_MS + TIMEOUT_MS
  const [first, second] = [answerOf(100).slice(0, 11), answerOf(100).slice(12)]
  const { inTurn, wire } = scripted([
    [
      { afterMs: lastMs - 1, bytes: first },
      { afterMs: lastMs + 12, bytes: second },
    ],
    [soon(200)],
  ])
  expect(await inTurn(100, 200)).toEqual(['timeout', '200'])
  expect(wire.written[1]!.atMs).toBeGreaterThan(wire.written[0]!.atMs + lastMs + 12)
})

test.each([
  ['nobody answers', [], 'timeout'],
  ['the check is wrong', [{ afterMs: 30, bytes: '01 03 02 00 64 b9 ae' }], 'crc'],
  ['another unit answers', [{ afterMs: 30, bytes: show(rtuFrame(9, hex('03 02 00 64'))) }], 'foreign'],
  ['chance bytes come', [{ afterMs: 30, bytes: '11 22 33 44' }], 'noise'],
  ['only half of it comes', [{ afterMs: 30, bytes: '01 03 02' }], 'noise'],
] as const)('%s: told as what it is, and the next answer is right', async (_name, said, code) => {
  const { inTurn, line } = scripted([said, [soon(200)]])
  expect(await inTurn(100, 200)).toEqual([code, '200'])
  expect([line.account.timeouts, line.account.answers]).toEqual([1, 1])
})

test.each([
  ['noise before the answer', [{ afterMs: 20, bytes: 'ff 00 a5' }, soon(100)]],
  [
    'a frame of another unit before the answer',
    [{ afterMs: 12, bytes: show(rtuFrame(2, hex('03 02 00 63'))) }, soon(100)],
  ],
  ['a damaged copy before the answer', [{ afterMs: 12, bytes: '01 03 02 00 64 b9 ae' }, soon(100)]],
  [
    'the rest of the answer 200 ms later',
    [
      { afterMs: 20, bytes: answerOf(100).slice(0, 8) },
      { afterMs: 220, bytes: answerOf(100).slice(9) },
    ],
  ],
] as const)('%s does not hide it', async (_name, said) => {
  const { inTurn } = scripted([said, [soon(200)]])
  expect(await inTurn(100, 200)).toEqual(['100', '200'])
})

test('a request is repeated as often as it is said, and no more', async () => {
  const { ask, clock, wire } = scripted([[], [soon(100)]])
  const heard = ask(100, { attempts: 2 })
  await clock.advance(5000)
  expect(await heard).toBe('100')
  const silent = ask(200, { attempts: 3 })
  await clock.advance(5000)
  expect(await silent).toBe('timeout')
  expect(wire.written).toHaveLength(5)
})

test('a command goes before everything that waits, between two attempts too', async () => {
  const { ask, clock, wire } = scripted([[], [soon(300)], [soon(100)], [soon(200)]])
  const asked = [ask(100, { attempts: 2 }), ask(200)]
  await clock.advance(100)
  asked.push(ask(300, { urgent: true }))
  await clock.advance(5000)
  expect(await Promise.all(asked)).toEqual(['100', '200', '300'])
  const addresses = wire.written.map(({ bytes }) => Number.parseInt(bytes.slice(6, 11).replace(' ', ''), 16))
  expect(addresses).toEqual([100, 300, 100, 200])
})

test('the process is woken once for the silence and once for the answer', async () => {
  const { inTurn, wire } = scripted([[soon(100)], [soon(200)], [soon(300)]])
  expect(await inTurn(100, 200, 300)).toEqual(['100', '200', '300'])
  expect(wire.reads).toBe(6)
})

test('a line that brings back what is sent is seen through: the echo of a write is not its answer', async () => {
  const write = writeRegisterRequest(1, 3)
  const echo: Said = { afterMs: REQUEST_MS, bytes: framed('06 00 01 00 03') }
  const readEcho: Said = { afterMs: REQUEST_MS, bytes: framed('03 00 64 00 01') }
  const { line, ask, clock } = scripted([[readEcho, soon(100)], [echo], [echo, { afterMs: 40, bytes: echo.bytes }]])
  const first = ask(100)
  const asked = [1, 2].map(() =>
    line.ask(rtuQuestion(1, write), { attempts: 1 }).then(
      () => 'written',
      (error) => error.code,
    ),
  )
  await clock.advance(5000)
  expect([await first, ...(await Promise.all(asked))]).toEqual(['100', 'timeout', 'written'])
  expect(line.account.echoes).toBe(1)
})

test('on a line without an echo the answer of a write is what it is', async () => {
  const answer: Said = { afterMs: 40, bytes: framed('06 00 01 00 03') }
  const { line, inTurn, clock } = scripted([[soon(100)], [answer]])
  await inTurn(100)
  const written = line.ask(rtuQuestion(1, writeRegisterRequest(1, 3)), { attempts: 1 })
  await clock.advance(1000)
  expect(show((await written).payload)).toBe('06 00 01 00 03')
})

test('traffic while nobody asks is counted, and the request waits until it is over', async () => {
  const { wire, ask, clock, line } = scripted([[soon(100)]])
  await clock.advance(1000)
  wire.say('de ad be ef', 0)
  wire.say('de ad', 2)
  await clock.advance(1)
  const startMs = clock.monoMs()
  const heard = ask(100)
  await clock.advance(1000)
  expect(await heard).toBe('100')
  expect(line.account.strayBytes).toBe(6)
  expect(wire.written[0]!.atMs).toBeGreaterThanOrEqual(startMs + 1 + GAP_MS)
})

/** The same line with simulated meters on it, which have their own idea of Modbus. */
function simulated() {
  const parts = bench()
  parts.attach('m1', 1)
  const line = new Line({
    wire: parts.line.open(),
    clock: parts.clock,
    serial: SETTINGS,
    timeoutMs: TIMEOUT_MS,
    lateMs: TIMEOUT_MS,
  })
  const ask = async (address: number): Promise<string> => {
    const question = rtuQuestion(1, readRequest('holding', address, 2))
    const heard = line.ask(question, { attempts: 1 }).then(
      ({ payload }) => (payload[0] === 3 ? String(Buffer.from(payload).readFloatBE(2)) : `exception ${payload[1]}`),
      (error) => `${error.reach} ${error.code}`,
    )
    await parts.clock.advance(6000)
    return heard
  }
  return { ...parts, wire: line, ask }
}

test('an exception comes at its own time, not at the time-out', async () => {
  const { wire, clock } = simulated()
  const startMs = clock.monoMs()
  const heard = wire.ask(rtuQuestion(1, readRequest('holding', 5000, 2)), { attempts: 1 })
  await clock.advance(3000)
  const { payload, monoMs } = await heard
  expect(show(payload)).toBe('83 02')
  // Silence, request, 60 ms of patience and the 9 characters of the answer that was expected.
  expect(monoMs - startMs).toBeLessThan(GAP_MS + REQUEST_MS + 9 * CHARACTER_MS + 61)
})

test('no request begins within 3.5 characters of the last byte', async () => {
  const { wire, line, clock } = simulated()
  const asked = Array.from({ length: 50 }, () =>
    wire.ask(rtuQuestion(1, readRequest('holding', 100, 2)), { attempts: 1 }),
  )
  await clock.advance(5000)
  await Promise.all(asked)
  const { requests, gapViolations, efficiency } = line.line.statistics()
  expect([requests, gapViolations]).toEqual([50, 0])
  // And not a moment later than that.
  expect(efficiency).toBeGreaterThan(0.999)
})

test('a device that babbles without an end jams the line, and that is said', async () => {
  const { line, ask } = simulated()
  line.line.setFault('m1', { kind: 'babble' })
  expect(await ask(100)).toBe('connection jammed')
})

test('an unplugged adapter is a fault of the connection for everybody who waits', async () => {
  const { line, wire, clock, ask } = simulated()
  expect(await ask(100)).toBe('100')
  const waiting = [100, 200].map((address) =>
    wire.ask(rtuQuestion(1, readRequest('holding', address, 2)), { attempts: 2 }).catch((error) => error.reach),
  )
  line.unplug()
  await clock.advance(1000)
  expect(await Promise.all(waiting)).toEqual(['connection', 'connection'])
})
