import { expect, test } from 'vitest'
import type { Clock } from '../../../gateway/contract/clock.ts'
import { VirtualClock } from '../../../hardware-sim/clock.ts'
import { Line } from '../../../hardware-sim/line.ts'
import { seededRandom } from '../../../hardware-sim/random.ts'
import { SimulatedLine } from '../../../hardware-sim/simulated-line.ts'
import { CHARACTER_MS, hex, lineWith, meterOn, SETTINGS_9600 } from './parts.ts'

/** Unit 1, holding registers 100 and 101. */
const ASK_1 = hex('01 03 00 64 00 02 85 D4')
const ANSWER_1 = '010304006400657bc7'
const ANSWER_BYTES = 9
const TURNAROUND_MS = 5

test('the answer is over exactly when the wire says so: request, turnaround, answer', async () => {
  const { clock, simulated } = lineWith(1)
  const wire = simulated.open()
  await wire.write(ASK_1)
  let overMs = 0
  const reading = wire.read(ANSWER_BYTES, 1000).then((bytes) => {
    overMs = clock.monoMs()
    return Buffer.from(bytes).toString('hex')
  })
  await clock.advance(100)
  expect(await reading).toBe(ANSWER_1)
  expect(overMs).toBeCloseTo(8 * CHARACTER_MS + TURNAROUND_MS + ANSWER_BYTES * CHARACTER_MS, 6)
})

test('an answer comes in pieces of eight bytes, each when its last character is over', async () => {
  const { clock, simulated } = lineWith(1)
  const wire = simulated.open()
  await wire.write(ASK_1)
  const beginMs = 8 * CHARACTER_MS + TURNAROUND_MS
  await clock.advance(beginMs + 8 * CHARACTER_MS - 0.01)
  expect((await wire.read(1, 0)).length).toBe(0)
  await clock.advance(0.02)
  expect((await wire.read(1, 0)).length).toBe(8)
  await clock.advance(CHARACTER_MS - 0.02)
  expect((await wire.read(1, 0)).length).toBe(0)
  await clock.advance(0.02)
  expect((await wire.read(1, 0)).length).toBe(1)
})

test('a request written in two parts is one request; a pause longer than 3.5 characters makes two', async () => {
  const { clock, simulated } = lineWith(1)
  const wire = simulated.open()
  await wire.write(ASK_1.subarray(0, 3))
  await clock.advance(3 * CHARACTER_MS + 3)
  await wire.write(ASK_1.subarray(3))
  await clock.advance(100)
  expect((await wire.read(1, 0)).length).toBe(ANSWER_BYTES)

  await wire.write(ASK_1.subarray(0, 3))
  await clock.advance(3 * CHARACTER_MS + 4)
  await wire.write(ASK_1.subarray(3))
  await clock.advance(100)
  expect((await wire.read(1, 0)).length).toBe(0)
})

test('what is written while the wire is busy waits for its turn: two writes take as long as one', async () => {
  const { clock, simulated } = lineWith(1)
  const wire = simulated.open()
  await wire.write(ASK_1.subarray(0, 5))
  await wire.write(ASK_1.subarray(5))
  await clock.advance((8 + ANSWER_BYTES) * CHARACTER_MS + TURNAROUND_MS - 0.01)
  expect((await wire.read(1, 0)).length).toBe(8)
  await clock.advance(0.02)
  expect((await wire.read(1, 0)).length).toBe(1)
})

test('late timers never add up, and only whole pieces are handed over', async () => {
  const clock = new VirtualClock()
  const LATE_MS = 3
  const lateClock: Clock = {
    wallMs: () => clock.wallMs(),
    monoMs: () => clock.monoMs(),
    state: () => clock.state(),
    sleep: (ms, signal) => clock.sleep(ms, signal),
    after: (ms, run) => clock.after(ms + LATE_MS, run),
  }
  const pieces: number[] = []
  const line = new Line({
    clock: lateClock,
    random: seededRandom(1),
    settings: { ...SETTINGS_9600, baud: 115_200 },
    deliver: (bytes) => pieces.push(bytes.length),
  })
  line.attach(meterOn(clock, { unit: 1 }))
  // 50 registers: 105 bytes, which take 9.11 ms, three times what a timer is late.
  line.hear(hex('01 03 00 64 00 32 85 C0'))
  await clock.advance((8 + 105) * (CHARACTER_MS / 12) + TURNAROUND_MS + LATE_MS + 0.01)
  expect(pieces.reduce((sum, count) => sum + count, 0)).toBe(105)
  expect(pieces.slice(0, -1).every((count) => count % 8 === 0)).toBe(true)
  expect(pieces.length).toBeLessThan(6)
  expect(line.statistics().lateMs).toBeLessThanOrEqual(LATE_MS)
})

test('every meter hears a request and only the one it is for answers', async () => {
  const { clock, simulated } = lineWith(1, 2, 3)
  const wire = simulated.open()
  await wire.write(hex('02 03 00 64 00 01 C5 E6'))
  await clock.advance(100)
  expect(Buffer.from(await wire.read(1, 0)).toString('hex')).toBe('0203020064fdaf')
  expect(simulated.line.statistics().answersByMeter).toEqual({ 'meter-2': 1 })
})

test('two meters with one address garble each other', async () => {
  const { clock, simulated } = lineWith(1)
  simulated.line.attach(meterOn(clock, { unit: 1, id: 'twin' }))
  const wire = simulated.open()
  await wire.write(ASK_1)
  await clock.advance(100)
  const heard = Buffer.from(await wire.read(1, 0))
  expect(heard.length).toBe(2 * ANSWER_BYTES)
  expect(heard.toString('hex')).not.toContain(ANSWER_1)
})

test('the account: ideal time over elapsed time, and requests that broke the silence', async () => {
  const { clock, simulated } = lineWith(1)
  const wire = simulated.open()
  const idealMs = (8 + ANSWER_BYTES + 3.5) * CHARACTER_MS + TURNAROUND_MS
  const exchangeMs = idealMs - 3.5 * CHARACTER_MS
  await wire.write(ASK_1)
  await clock.advance(exchangeMs + 3.5 * CHARACTER_MS + 0.01)
  await wire.write(ASK_1)
  await clock.advance(exchangeMs + 3.5 * CHARACTER_MS - 0.01)
  expect(simulated.line.statistics()).toMatchObject({ requests: 2, answers: 2, gapViolations: 0 })
  expect(simulated.line.statistics().efficiency).toBeCloseTo(1, 3)
  expect(simulated.line.statistics().idealMs).toBeCloseTo(2 * idealMs, 6)
  await wire.write(ASK_1)
  await clock.advance(100)
  expect(simulated.line.statistics({ reset: true })).toMatchObject({ requests: 3, answers: 3, gapViolations: 1 })
  expect(simulated.line.statistics()).toMatchObject({ requests: 0, answers: 0, gapViolations: 0, efficiency: 0 })
})

test('an exchange that began before a reset is not in the account', async () => {
  const { clock, simulated } = lineWith(1)
  const wire = simulated.open()
  await wire.write(ASK_1)
  await clock.advance(10)
  simulated.line.statistics({ reset: true })
  await clock.advance(90)
  await wire.write(ASK_1)
  await clock.advance(100)
  const { requests, answers, efficiency } = simulated.line.statistics()
  expect([requests, answers]).toEqual([1, 1])
  expect(efficiency).toBeCloseTo(1, 6)
})

test.each([
  { strict: false, answers: 2 },
  { strict: true, answers: 1 },
])('a request that breaks the silence: strict $strict, answers $answers', async ({ strict, answers }) => {
  const { clock } = lineWith()
  const simulated = new SimulatedLine({ clock, random: seededRandom(1), settings: SETTINGS_9600, strict })
  simulated.line.attach(meterOn(clock, { unit: 1 }))
  const wire = simulated.open()
  await wire.write(ASK_1)
  await clock.advance((8 + ANSWER_BYTES) * CHARACTER_MS + TURNAROUND_MS + 1)
  await wire.write(ASK_1)
  await clock.advance(200)
  expect(simulated.line.statistics()).toMatchObject({ answers, gapViolations: 1 })
})

test('who asks while a meter speaks is not heard and garbles the answer', async () => {
  const { clock, simulated } = lineWith(1)
  const wire = simulated.open()
  await wire.write(ASK_1)
  await clock.advance(8 * CHARACTER_MS + TURNAROUND_MS + 2)
  await wire.write(ASK_1)
  await clock.advance(200)
  const heard = Buffer.from(await wire.read(1, 0))
  expect(heard.length).toBe(ANSWER_BYTES)
  expect(heard.toString('hex')).not.toBe(ANSWER_1)
  expect(simulated.line.statistics().collisions).toBe(1)
})

test('a second master is heard by the hub, and meters answer it', async () => {
  const { clock, simulated } = lineWith(1)
  const wire = simulated.open()
  simulated.line.inject(ASK_1)
  await clock.advance(100)
  const heard = Buffer.from(await wire.read(1, 0)).toString('hex')
  expect(heard).toBe(Buffer.from(ASK_1).toString('hex') + ANSWER_1)
})

test('a closed line is silent and leaves no timer', async () => {
  const { clock, simulated } = lineWith(1)
  const wire = simulated.open()
  await wire.write(ASK_1)
  await clock.advance(8 * CHARACTER_MS + TURNAROUND_MS + 1)
  simulated.line.setFault(undefined, { kind: 'babble' })
  simulated.line.close()
  await clock.advance(100)
  expect((await wire.read(1, 0)).length).toBe(0)
  expect(clock.pending).toBe(0)
})
