import { expect, test } from 'vitest'
import { Schedule } from '../../../../drivers/rs485/schedule.ts'

/** A line of its own time: each exchange takes as long as it is told, and the schedule says who is next. */
function play(
  devices: readonly { id: string; everyMs: number }[],
  forMs: number,
  exchange: (id: string, repeat: boolean, nowMs: number) => { tookMs: number; ok: boolean },
  startMs = 0,
) {
  const schedule = new Schedule(devices, startMs)
  const asked: { id: string; atMs: number }[] = []
  for (let nowMs = startMs; nowMs < startMs + forMs; ) {
    const turn = schedule.take(nowMs)
    if (turn === undefined) {
      nowMs = Math.max(nowMs + 0.001, schedule.nextDueMs() ?? Number.POSITIVE_INFINITY)
      continue
    }
    asked.push({ id: turn.id, atMs: nowMs })
    const { tookMs, ok } = exchange(turn.id, turn.repeat, nowMs)
    nowMs += tookMs
    if (ok) schedule.answered(turn.id, nowMs)
    else schedule.failed(turn.id, nowMs, tookMs)
  }
  return { asked, times: (id: string) => asked.filter((one) => one.id === id).map(({ atMs }) => atMs) }
}
const well = (tookMs: number) => () => ({ tookMs, ok: true })
const counts = (asked: readonly { id: string }[]): Record<string, number> =>
  Object.fromEntries(
    [...new Set(asked.map(({ id }) => id))].sort().map((id) => [id, asked.filter((one) => one.id === id).length]),
  )

test('all are asked at once at the start, then each at its own ticks of the one clock', () => {
  const devices = [
    { id: 'fast', everyMs: 1000 },
    { id: 'slow', everyMs: 5000 },
  ]
  const { times } = play(devices, 11_000, well(10), 12_345)
  expect(times('fast').slice(0, 4)).toEqual([12_345, 13_000, 14_000, 15_000])
  // Both at 15000 and 20000: on this connection and on every other one.
  expect(times('slow')).toEqual([12_355, 15_010, 20_010])
})

test('a line with too much to do reads everybody less often, and nobody never', () => {
  const devices = Array.from({ length: 10 }, (_, at) => ({ id: `m${at}`, everyMs: at === 0 ? 100 : 1000 }))
  const { asked } = play(devices, 100_000, well(200))
  const each = Object.values(counts(asked))
  // 500 turns for ten devices: 50 each, though one wants 1000 and the others 100.
  expect(Math.min(...each)).toBeGreaterThanOrEqual(48)
})

test('a round that ends a little too late does not cost the next one', () => {
  // Six exchanges of 335 ms take 2010 of the 2000 ms: every second tick would be missed by a schedule that forgets it.
  const devices = Array.from({ length: 6 }, (_, at) => ({ id: `m${at}`, everyMs: 2000 }))
  const { asked } = play(devices, 100_000, well(335))
  expect(asked.length).toBeGreaterThan(0.98 * (100_000 / 335))
})

test('a long pause of the machine is not made up for by a burst', () => {
  const { times } = play([{ id: 'm', everyMs: 1000 }], 20_000, (_id, _repeat, nowMs) => ({
    tookMs: nowMs === 2000 ? 7500 : 5,
    ok: true,
  }))
  expect(times('m')).toEqual([
    0, 1000, 2000, 9500, 10_000, 11_000, 12_000, 13_000, 14_000, 15_000, 16_000, 17_000, 18_000, 19_000,
  ])
})

test('who does not answer is asked again at once, after 0.5 s, 1 s, 2 s ... and then every 30 s, whatever its interval', () => {
  const { times } = play([{ id: 'dead', everyMs: 900_000 }], 200_000, () => ({ tookMs: 1, ok: false }))
  const pauses = times('dead')
    .slice(1)
    .map((atMs, at) => Math.round(atMs - times('dead')[at]! - 1))
  expect(pauses.slice(0, 10)).toEqual([0, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000])
})

test('who answers again is back at its ticks', () => {
  const { times } = play([{ id: 'm', everyMs: 1000 }], 130_000, (_id, _repeat, nowMs) => ({
    tookMs: 1,
    ok: nowMs > 100_000,
  }))
  const back = times('m').findIndex((atMs) => atMs > 100_000)
  expect(
    times('m')
      .slice(back + 1, back + 4)
      .map((atMs) => atMs % 1000),
  ).toEqual([0, 0, 0])
  expect(times('m')[back]).toBeLessThanOrEqual(100_000 + 30_002)
})

test('whoever answered last time is worth a repetition; who did not is asked once', () => {
  const repeats: boolean[] = []
  play([{ id: 'm', everyMs: 1000 }], 12_000, (_id, repeat) => {
    repeats.push(repeat)
    return { tookMs: 1, ok: ![0, 3, 4].includes(repeats.length - 1) }
  })
  expect(repeats.slice(0, 7)).toEqual([true, false, true, true, false, false, true])
})

test('one failure is a disturbance: beside dead devices on a busy line too it is asked again in its turn', () => {
  const devices = Array.from({ length: 10 }, (_, at) => ({ id: `m${at}`, everyMs: 1000 }))
  let failed = 0
  const { times } = play(devices, 60_000, (id, _repeat, nowMs) => {
    const disturbed = id === 'm5' && nowMs > 40_000 && failed === 0
    if (disturbed) failed = nowMs
    return { tookMs: 200, ok: !disturbed && id !== 'm0' && id !== 'm1' }
  })
  const again = times('m5').find((atMs) => atMs > failed)
  // A round of eight, and a look after each of the dead ones at the most.
  expect(again! - failed).toBeLessThanOrEqual(200 + 8 * 200 + 2 * 200)
})

test('32 devices on a line without time to spare, 4 of them dead: the others keep 95 % of their rate', () => {
  const devices = Array.from({ length: 32 }, (_, at) => ({ id: `m${at}`, everyMs: 1000 }))
  const dead = new Set(['m3', 'm11', 'm19', 'm27'])
  // 50 registers at 9600 baud are 126 ms; silence is the time-out, and as long again for a late answer.
  const all = play(devices, 3_600_000, (id, repeat) =>
    dead.has(id) ? { tookMs: repeat ? 2240 : 1120, ok: false } : { tookMs: 126, ok: true },
  )
  const alone = play(
    devices.filter(({ id }) => !dead.has(id)),
    3_600_000,
    well(126),
  )
  const rate = (played: typeof all): number => played.asked.filter(({ id }) => !dead.has(id)).length
  expect(rate(all) / rate(alone)).toBeGreaterThan(0.95)
  // And the dead are not forgotten: each within some minutes.
  const longest = (id: string): number =>
    Math.max(
      ...all
        .times(id)
        .slice(1)
        .map((atMs, at) => atMs - all.times(id)[at]!),
    )
  for (const id of dead) expect(longest(id)).toBeLessThan(240_000)
})

test('on a line with time to spare the dead cost nobody anything, and are looked after every 30 s', () => {
  const devices = Array.from({ length: 6 }, (_, at) => ({ id: `m${at}`, everyMs: 10_000 }))
  const { times } = play(devices, 3_600_000, (id) =>
    id === 'm0' ? { tookMs: 1120, ok: false } : { tookMs: 300, ok: true },
  )
  expect(times('m1').length).toBe(360)
  const gaps = times('m0')
    .slice(10, 100)
    .map((atMs, at) => atMs - times('m0')[at + 9]!)
  expect(Math.max(...gaps)).toBeLessThan(35_000)
})

test('several are asked at a time, and nobody twice', () => {
  const schedule = new Schedule(
    [
      { id: 'a', everyMs: 1000 },
      { id: 'b', everyMs: 1000 },
    ],
    0,
  )
  expect([schedule.take(0)?.id, schedule.take(0)?.id, schedule.take(0)]).toEqual(['a', 'b', undefined])
  expect(schedule.nextDueMs()).toBeUndefined()
  schedule.answered('a', 20)
  expect(schedule.nextDueMs()).toBe(1000)
})
