import { expect, test } from 'vitest'
import { type Ending, type Exchange, FlightRecorder } from '../../../../drivers/rs485/flight-recorder.ts'

const FRAME = Uint8Array.of(1, 3, 0, 100, 0, 2)

/** A recorder that is told what becomes of one question after the other, one each millisecond. */
function recording() {
  const recorder = new FlightRecorder()
  let nowMs = 0
  const ask = (device: string, ending: Ending, heardBytes = 9, frame = FRAME): Exchange => {
    nowMs += 1
    const exchange = recorder.begin(device, frame, nowMs)
    if (heardBytes > 0) recorder.heard(exchange, new Uint8Array(heardBytes), nowMs + 0.5)
    recorder.end(exchange, ending, nowMs + 0.75)
    return exchange
  }
  const asks = (count: number, device = 'well'): void => {
    for (let at = 0; at < count; at++) ask(device, 'answered')
  }
  return { recorder, ask, asks, nowMs: () => nowMs }
}

const told = ({ incidents }: FlightRecorder): string[] =>
  incidents.map(({ number, kind, device, times }) => `${number} ${kind} ${device} ${times}`)

test('around a fault stand the six exchanges before it and the three after it, with their times', () => {
  const { recorder, ask, asks } = recording()
  asks(20)
  const sick = ask('sick', 'damaged')
  asks(20)
  const [incident] = recorder.incidents
  expect(incident).toMatchObject({ number: 1, kind: 'damaged', device: 'sick', monoMs: 21.75, at: 6 })
  expect(incident!.exchanges.map(({ sentMs }) => sentMs)).toEqual([15, 16, 17, 18, 19, 20, 21, 22, 23, 24])
  expect(incident!.exchanges[incident!.at]).toBe(sick)
  expect(sick.pieces).toEqual([{ monoMs: 21.5, bytes: new Uint8Array(9) }])
})

test('a device that is silent for days is one incident, and pushes nobody else out', () => {
  const { recorder, ask, asks } = recording()
  ask('sick', 'damaged')
  for (let at = 0; at < 1000; at++) {
    asks(2)
    ask('dead', 'nothing', 0)
  }
  expect(told(recorder)).toEqual(['1 damaged sick 1', '2 nothing dead 1000'])
  expect(recorder.incidents[1]!.lastMs).toBe(3001.75)
  // It answered in between: that is another one. So is another fault of it.
  ask('dead', 'answered')
  ask('dead', 'nothing', 0)
  ask('dead', 'noise')
  expect(told(recorder).slice(2)).toEqual(['3 nothing dead 1', '4 noise dead 1'])
  expect(recorder.forgotten).toBe(0)
})

test('what is kept is bounded in number: 256 exchanges, 32 incidents, and what gave way is counted', () => {
  const { recorder, ask, asks } = recording()
  for (let at = 0; at < 100; at++) {
    asks(10)
    ask('sick', at % 2 === 0 ? 'damaged' : 'noise')
  }
  expect(recorder.recent).toHaveLength(256)
  expect(recorder.incidents).toHaveLength(32)
  expect([recorder.incidents[0]!.number, recorder.forgotten]).toEqual([69, 68])
})

test('and in bytes, whatever a device says', () => {
  const { recorder, ask } = recording()
  for (let at = 0; at < 300; at++) ask('sick', at % 2 === 0 ? 'damaged' : 'noise', 5000, new Uint8Array(256))
  const kept = (exchanges: readonly Exchange[]): number =>
    exchanges.reduce((sum, { frame, heardBytes }) => sum + frame.length + heardBytes, 0)
  expect(kept(recorder.recent)).toBeLessThanOrEqual(64 * 1024)
  expect(recorder.incidents.reduce((sum, { exchanges }) => sum + kept(exchanges), 0)).toBeLessThanOrEqual(128 * 1024)
  expect(recorder.recent.at(-1)).toMatchObject({ heardBytes: 1024, droppedBytes: 5000 - 1024 })
  expect(recorder.incidents.at(-1)!.number).toBe(300)
})

test('a device that babbles byte by byte fills no memory', () => {
  const { recorder } = recording()
  const exchange = recorder.begin('sick', FRAME, 1)
  for (let at = 0; at < 10_000; at++) recorder.heard(exchange, Uint8Array.of(0xff), 1 + at)
  expect([exchange.pieces.length, exchange.heardBytes, exchange.droppedBytes]).toEqual([64, 64, 9936])
  for (let at = 0; at < 10_000; at++) recorder.stray(Uint8Array.of(0xff), 1 + at)
  expect(recorder.recent.at(-1)).toMatchObject({ device: '', heardBytes: 64, droppedBytes: 9936 })
})

test('bytes of a pool are copied out of it, others are held as they are', () => {
  const { recorder } = recording()
  const exchange = recorder.begin('m', FRAME, 1)
  const pool = new Uint8Array(8192)
  const whole = Uint8Array.of(1, 2, 3)
  recorder.heard(exchange, pool.subarray(10, 20), 2)
  recorder.heard(exchange, whole, 3)
  expect(exchange.pieces[0]!.bytes.buffer.byteLength).toBe(10)
  expect(exchange.pieces[1]!.bytes).toBe(whole)
})

test('a line that fails is an incident of the line, behind what was under way', () => {
  const { recorder, asks } = recording()
  asks(3)
  recorder.begin('m', FRAME, 10)
  recorder.stray(Uint8Array.of(0xff), 11)
  recorder.broken('jammed', 12)
  recorder.broken('jammed', 13)
  expect(told(recorder)).toEqual(['1 jammed  2'])
  const { exchanges, at } = recorder.incidents[0]!
  expect(exchanges.map(({ device, ending }) => `${device} ${ending}`)).toEqual([
    'well answered',
    'well answered',
    'well answered',
    'm asked',
    ' asked',
  ])
  expect(at).toBe(5)
  // Somebody answers: the line is well, and the next time is another one.
  asks(1)
  recorder.broken('jammed', 14)
  expect(recorder.incidents).toHaveLength(2)
})

test('who follows hears of each exchange once it is over, until it has heard enough', () => {
  const { recorder, ask, asks } = recording()
  const heard: string[] = []
  const stop = recorder.follow(({ device, ending }) => void heard.push(`${device} ${ending}`))
  asks(1)
  ask('dead', 'nothing', 0)
  recorder.stray(Uint8Array.of(1), 5)
  asks(1)
  stop()
  asks(1)
  expect(heard).toEqual(['well answered', 'dead nothing', ' asked', 'well answered'])
})
