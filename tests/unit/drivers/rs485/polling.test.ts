import { expect, test } from 'vitest'
import type { Meter, Poll } from '../../../../drivers/rs485/meter.ts'
import { Polling } from '../../../../drivers/rs485/polling.ts'
import type { Clock } from '../../../../gateway/contract/clock.ts'
import type { Host } from '../../../../gateway/contract/driver.ts'
import type { Seen } from '../../../../gateway/contract/event.ts'
import { Fault } from '../../../../gateway/contract/fault.ts'
import { VirtualClock } from '../../../../hardware-sim/clock.ts'

interface Play {
  readonly lanes?: number
  readonly everyMs?: number
  /** What a read of this meter brings, and how long it takes. */
  readonly read?: (id: string, turn: number) => { tookMs: number; fault?: Fault; poll?: Partial<Poll> }
  readonly emit?: (batch: readonly Seen[]) => Promise<void>
  readonly lastReading?: Host<unknown>['lastReading']
}

function polling(
  ids: readonly string[],
  { lanes = 1, everyMs = 1000, read = () => ({ tookMs: 5 }), emit, lastReading = () => undefined }: Play = {},
  waited = (_ms: number): unknown => undefined,
) {
  const clock = new VirtualClock()
  const watched: Clock = {
    wallMs: () => clock.wallMs(),
    monoMs: () => clock.monoMs(),
    state: () => clock.state(),
    sleep: (ms, signal) => clock.sleep(ms, signal),
    after(ms, run) {
      waited(ms)
      return clock.after(ms, run)
    },
  }
  const ending = new AbortController()
  const batches: { readonly atMs: number; readonly devices: (string | undefined)[] }[] = []
  const marks: string[] = []
  const attempts = new Map<string, number[]>()
  const turns = new Map<string, number>()
  let figures: Readonly<Record<string, number>> = {}
  const meterOf = (id: string): Meter => ({
    id,
    counters: new Map([['energy', 1000]]),
    async read(count) {
      attempts.set(id, [...(attempts.get(id) ?? []), count])
      const turn = (turns.get(id) ?? 0) + 1
      turns.set(id, turn)
      const { tookMs, fault, poll } = read(id, turn)
      await clock.sleep(tookMs)
      if (fault !== undefined) throw fault
      return {
        points: { power: { v: turn, u: 'W' } },
        monoMs: clock.monoMs(),
        complete: true,
        trouble: undefined,
        ...poll,
      }
    },
  })
  const host = {
    clock: watched,
    signal: ending.signal,
    emit: async (batch: readonly Seen[]) => {
      batches.push({ atMs: clock.monoMs(), devices: batch.map(({ device }) => device) })
      await emit?.(batch)
    },
    mark: (id: string, fault: Fault | undefined) => void marks.push(`${id} ${fault?.code ?? 'well'}`),
    lastReading,
    figures: (values: Readonly<Record<string, number>>) => {
      figures = values
    },
  }
  const meters = ids.map((id) => ({ meter: meterOf(id), everyMs }))
  const done = new Polling({ host, meters, lanes, retries: 2, account: () => ({ requests: 7 }) }).run().then(
    () => 'ended',
    (error) => error.message,
  )
  return { clock, ending, batches, marks, attempts, done, figures: () => figures }
}
const silent = new Fault('device', 'no answer', { code: 'timeout' })

test('a round is one batch, handed on when it is over', async () => {
  const { clock, batches } = polling(['a', 'b', 'c'], { lanes: 8 })
  await clock.advance(2900)
  expect(batches).toEqual([0, 1000, 2000].map((atMs) => ({ atMs: atMs + 5, devices: ['a', 'b', 'c'] })))
})

test('fifty devices over eight places are still one batch a round', async () => {
  const ids = Array.from({ length: 50 }, (_, at) => `m${at}`)
  const { clock, batches } = polling(ids, { lanes: 8 })
  await clock.advance(2900)
  // Seven turns of 5 ms.
  expect(batches.map(({ atMs, devices }) => [atMs, devices.length])).toEqual([
    [35, 50],
    [1035, 50],
    [2035, 50],
  ])
})

test('who holds up a round does not hold up the readings of the others for long', async () => {
  const { clock, batches } = polling(['a', 'b'], { lanes: 2, read: (id) => ({ tookMs: id === 'b' ? 900 : 5 }) })
  await clock.advance(1200)
  expect(batches).toEqual([
    { atMs: 255, devices: ['a'] },
    // The next round is due 100 ms later: its readings go along.
    { atMs: 1150, devices: ['b', 'a'] },
  ])
})

test('one silent device: marked once, asked with fewer attempts, the others untouched; marked well when it is back', async () => {
  const { clock, marks, attempts, batches } = polling(['a', 'b'], {
    read: (id, turn) => (id === 'b' && turn <= 5 ? { tookMs: 100, fault: silent } : { tookMs: 5 }),
  })
  await clock.advance(10_000)
  expect(marks).toEqual(['a well', 'b timeout', 'b well'])
  expect(attempts.get('b')!.slice(0, 7)).toEqual([3, 1, 1, 1, 1, 1, 3])
  expect(batches.filter(({ devices }) => devices.includes('a'))).toHaveLength(10)
})

test('a device that answers but lacks something is in trouble, and its readings say so', async () => {
  const lacking = new Fault('point', 'left out: voltage', { code: 'point' })
  const seen: Seen[] = []
  const { clock, marks } = polling(['a'], {
    read: () => ({ tookMs: 5, poll: { complete: false, trouble: lacking } }),
    emit: async (batch) => void seen.push(...batch),
  })
  await clock.advance(1900)
  expect(marks).toEqual(['a point'])
  expect(seen.map(({ data }) => data.quality)).toEqual(['partial', 'partial'])
})

test('readings that come all the time go on four times a second', async () => {
  const { clock, batches, attempts } = polling(['a'], { everyMs: 20 })
  await clock.advance(9_990)
  expect(attempts.get('a')!.length).toBe(500)
  // The first reading is there after 5 ms; its batch waits 250 ms, and the next one begins with the reading after that.
  expect(batches.length).toBeGreaterThanOrEqual(36)
  expect(batches.length).toBeLessThanOrEqual(40)
})

test('the disk may take its time; when too much is on its way to it, polling waits', async () => {
  const { clock, batches } = polling(['a'], { everyMs: 5, emit: () => new Promise(() => undefined) })
  await clock.advance(10_000)
  expect(batches).toHaveLength(8)
})

test('when the disk is back, polling goes on', async () => {
  let release: () => void = () => undefined
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  const { clock, batches, attempts } = polling(['a'], { everyMs: 10, emit: () => released })
  await clock.advance(10_000)
  expect(batches).toHaveLength(8)
  const before = attempts.get('a')!.length
  release()
  await clock.advance(1000)
  expect(attempts.get('a')!.length - before).toBeGreaterThanOrEqual(100)
  expect(batches.length).toBeGreaterThan(10)
})

test('a wire that is gone ends it, and so does a bug', async () => {
  const gone = polling(['a'], {
    read: (_id, turn) => (turn < 3 ? { tookMs: 5 } : { tookMs: 5, fault: new Fault('connection', 'unplugged') }),
  })
  await gone.clock.advance(5000)
  expect(await gone.done).toBe('unplugged')
  const bug = polling(['a'], { emit: async () => Promise.reject(new TypeError('a bug')) })
  await bug.clock.advance(5000)
  expect(await bug.done).toBe('a bug')
})

test('at its end everything that was read is handed on, and nobody is asked any more', async () => {
  const { clock, ending, batches, done, attempts } = polling(['a', 'b'], {
    lanes: 2,
    read: (id) => ({ tookMs: id === 'b' ? 500 : 5 }),
  })
  await clock.advance(100)
  expect(batches).toEqual([])
  ending.abort()
  expect(await done).toBe('ended')
  expect(batches).toEqual([{ atMs: 100, devices: ['a'] }])
  await clock.advance(5000)
  expect(attempts.get('a')).toHaveLength(1)
  expect(clock.pending).toBe(0)
})

test('what happened is counted', async () => {
  const { clock, figures } = polling(['a', 'b'], {
    read: (id) => (id === 'b' ? { tookMs: 5, fault: silent } : { tookMs: 5 }),
  })
  await clock.advance(900)
  expect(figures()).toEqual({ requests: 7, polls: 1, pollsFailed: 3 })
})

test('a device that is read once a month sets no timer that overflows', async () => {
  const longest: number[] = []
  const { clock, batches } = polling(['a'], { everyMs: 30 * 86_400_000, lanes: 1 }, (ms) => longest.push(ms))
  await clock.advance(61 * 86_400_000)
  expect(Math.max(...longest)).toBeLessThan(2 ** 31)
  expect(batches.map(({ atMs }) => Math.floor(atMs / 86_400_000))).toEqual([0, 30, 60])
})

test('no timer is set for a part of a millisecond', async () => {
  const waits: number[] = []
  const { clock } = polling(['a'], { everyMs: 100, read: () => ({ tookMs: 5.3 }) }, (ms) => waits.push(ms))
  await clock.advance(1000)
  expect(waits.length).toBeGreaterThan(9)
  expect(waits.every((ms) => Number.isInteger(ms))).toBe(true)
})

test('a counter that goes back is an alarm before its reading, one that rolls over a word; what the log knew counts', async () => {
  const seen: Seen[] = []
  const energy = [3, 999, 2]
  const { clock } = polling(['a'], {
    read: (_id, turn) => ({ tookMs: 5, poll: { points: { energy: { v: energy[turn - 1] ?? 2, u: 'kWh' } } } }),
    emit: async (batch) => void seen.push(...batch),
    lastReading: (device) =>
      device === 'a' ? { points: { energy: { v: 40, u: 'kWh' } }, quality: 'good' } : undefined,
  })
  await clock.advance(2900)
  expect(seen.map(({ type, class: name, data }) => [type, name, type === 'linli.meter.counter' ? data : 0])).toEqual([
    ['linli.meter.counter', 'alarm', { point: 'energy', change: 'went-back', before: 40, after: 3, u: 'kWh' }],
    ['linli.meter.reading', 'telemetry', 0],
    ['linli.meter.reading', 'telemetry', 0],
    [
      'linli.meter.counter',
      'status',
      { point: 'energy', change: 'rolled-over', before: 999, after: 2, gain: 3, u: 'kWh' },
    ],
    ['linli.meter.reading', 'telemetry', 0],
  ])
})

test.each([[{}], [{ points: null }], [{ points: 'text' }], [{ points: { energy: 7, power: null } }]])(
  'a last reading of another shape (%j) is none',
  async (data) => {
    const { clock, batches } = polling(['a'], { lastReading: () => data })
    await clock.advance(100)
    expect(batches).toEqual([{ atMs: 5, devices: ['a'] }])
  },
)

test('a frozen meter is marked, and its readings say so', async () => {
  const qualities: unknown[] = []
  const { clock, marks } = polling(['a'], {
    everyMs: 30_000,
    read: () => ({ tookMs: 5, poll: { points: { voltage: { v: 230.1, u: 'V' } } } }),
    emit: async (batch) => void qualities.push(...batch.map(({ data }) => data.quality)),
  })
  await clock.advance(16 * 60_000)
  expect(marks).toEqual(['a well', 'a frozen'])
  expect([qualities[0], qualities.at(-1)]).toEqual(['good', 'frozen'])
})
