import { expect, test } from 'vitest'
import { modbusProfile } from '../../../../drivers/rs485/modbus/modbus-profile.ts'
import { profilePatch } from '../../../../drivers/rs485/profile-patch.ts'
import { rs485 } from '../../../../drivers/rs485/rs485.ts'
import type { Json } from '../../../../gateway/contract/event.ts'
import { loadProfile } from '../../../../hardware-sim/profile.ts'
import { bench, FOUR } from './host.ts'

const EVERY = '1s'
const never = new AbortController().signal

function running(parts: ReturnType<typeof bench>, ids: readonly string[]) {
  const devices = ids.map((id, at) => ({ id, profile: 'test/four', address: at + 1, every: EVERY }))
  const settings = rs485.options.parse({ rs485: { port: '/dev/line', timeout: '300ms', late: '300ms' }, devices })
  const live = (): Promise<string> =>
    rs485.run(parts.host(settings)).then(
      () => 'ended',
      (error) => error.code,
    )
  const view = (name: string, asked: object = {}) => {
    const { parameters, look } = parts.views.get(name)!
    return look(parameters.parse(asked), never)
  }
  return { live, view, run: live() }
}

/** What is looked at here of a trace. */
interface Trace {
  readonly incidents: readonly {
    readonly words: string
    readonly device?: string
    readonly at: number
    readonly exchanges: readonly { readonly device?: string; readonly words: string; readonly monoUs: number }[]
  }[]
  readonly lately: readonly Json[]
}

const traceOf = (shown: unknown): Trace => shown as Trace

test.each([
  [{ kind: 'wrong-check', times: 1 } as const, 'wrong check'],
  [{ kind: 'silence', times: 1 } as const, 'no answer'],
  [{ kind: 'late', byMs: 350, times: 1 } as const, 'the answer came after its time'],
  [{ kind: 'wrong-unit', unit: 9, times: 1 } as const, 'no answer, but another device spoke'],
])('%o of one meter is an incident with the frames around it', async (fault, words) => {
  const parts = bench()
  parts.attach('m1', 1)
  parts.attach('m2', 2)
  const { view, run } = running(parts, ['meter-1', 'meter-2'])
  await parts.clock.advance(1900)
  expect(traceOf(view('trace')).incidents).toEqual([])
  parts.line.line.setFault('m2', fault)
  await parts.clock.advance(5000)
  const { incidents, lately } = traceOf(view('trace'))
  expect(incidents.map((each) => `${each.device} ${each.words}`)).toEqual([`meter-2 ${words}`])
  const [{ exchanges, at }] = incidents as [Trace['incidents'][0]]
  expect(exchanges.map(({ device }) => device)).toHaveLength(10)
  expect([exchanges[at]!.device, exchanges[at]!.words]).toEqual(['meter-2', words])
  expect(lately).toHaveLength(16)
  parts.ending.abort(new Error('over'))
  await parts.clock.advance(1000)
  await run
})

test('an exchange is told in bytes, words and microseconds', async () => {
  const parts = bench()
  parts.attach('m1', 1)
  const { view, run } = running(parts, ['meter-1'])
  await parts.clock.advance(900)
  expect(traceOf(view('trace')).lately[0]).toEqual({
    device: 'meter-1',
    // Behind 3.5 characters of silence, of which each takes 1.041667 ms.
    time: expect.stringMatching(/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/),
    monoUs: 3646,
    asked: { hex: '01 03 00 64 00 02 85 D4', words: ['unit 1: read holding registers 100 to 101'] },
    heard: {
      // 8 characters, 5 ms of thinking, 9 characters.
      pieces: [{ monoUs: 3646 + 8333 + 5000 + 9375, hex: '01 03 04 42 C8 00 00 6F B5' }],
      words: ['unit 1 answers: 2 holding registers'],
    },
    ending: 'answered',
    words: 'answered',
  })
  parts.ending.abort(new Error('over'))
  await parts.clock.advance(1000)
  await run
})

test('what was on a line that jams, or whose port goes, is there in its next life, and while there is none', async () => {
  const parts = bench()
  parts.attach('m1', 1)
  const { view, run, live } = running(parts, ['meter-1'])
  await parts.clock.advance(900)
  parts.line.line.setFault('m1', { kind: 'babble' })
  await parts.clock.advance(8000)
  expect(await run).toBe('jammed')
  const jam = traceOf(view('trace')).incidents.at(-1)!
  expect(jam.words).toBe('the line failed: jammed')
  expect(jam.exchanges.at(-1)).toMatchObject({ words: 'nobody had asked', droppedBytes: expect.any(Number) })
  parts.line.line.setFault('m1', undefined)
  const again = live()
  await parts.clock.advance(3000)
  expect(traceOf(view('trace')).incidents.map(({ words }) => words)).toContain('the line failed: jammed')
  parts.ending.abort(new Error('over'))
  await parts.clock.advance(1000)
  await again
  // That we stop is no incident.
  expect(traceOf(view('trace')).incidents.at(-1)!.words).toBe('the line failed: jammed')
})

test('who looks live gets each exchange as it ends; who is too slow is told what was missed; a fifth is refused', async () => {
  const parts = bench()
  parts.attach('m1', 1)
  const { run } = running(parts, ['meter-1'])
  await parts.clock.advance(1)
  const { parameters, look } = parts.views.get('trace')!
  const leaving = new AbortController()
  const streams = [1, 2, 3, 4].map(() => {
    const stream = look(parameters.parse({ live: 'true' }), leaving.signal) as AsyncIterable<Json>
    return stream[Symbol.asyncIterator]()
  })
  const firsts = streams.map((stream) => stream.next())
  await parts.clock.advance(900)
  expect((await firsts[0])!.value).toMatchObject({ device: 'meter-1', words: 'answered' })
  expect(() => look(parameters.parse({ live: 'true' }), leaving.signal)).toThrow('4 follow this line already')
  // Four a second, of which 256 wait.
  await parts.clock.advance(100_000)
  const told: Json[] = []
  for (let at = 0; at < 257; at++) told.push((await streams[0]!.next()).value)
  expect(told.filter((each) => !('dropped' in (each as object)))).toHaveLength(256)
  expect(told.at(-1)).toEqual({ dropped: expect.any(Number) })
  const last = streams.map((stream) => stream.next())
  leaving.abort()
  for (const stream of streams) await stream.return?.()
  await Promise.all(last)
  expect((await streams[0]!.next()).done).toBe(true)
  parts.ending.abort(new Error('over'))
  await parts.clock.advance(1000)
  await run
})

test('the plan says what is asked for, what was refused, and the airtime of each, computed and measured', async () => {
  const there = { ...FOUR, points: FOUR.points.filter(({ point }) => point !== 'r300') }
  const parts = bench()
  parts.attach('m1', 1)
  parts.attach('m2', 2, there, true)
  const { view, run } = running(parts, ['meter-1', 'meter-2'])
  await parts.clock.advance(60_000)
  const plan = view('plan') as unknown as {
    computed: object
    measured: { forMs: number; airtimeMs: number; share: number }
    devices: readonly {
      requests: readonly { what: string; points: readonly string[]; airtimeMs: number }[]
      refused: Json
      computed: { airtimeMs: number; share: number }
      measured: { requests: number; answers: number; airtimeMs: number; share: number }
    }[]
    patches: Json
  }
  const [one, two] = plan.devices
  // 8 + 9 characters, 3.5 of silence, and 10 ms that a meter may take: those here take 5.
  const exchangeMs = 20.5 * (10 / 9.6)
  expect(one!.requests).toHaveLength(4)
  expect(one!.requests[0]).toEqual({
    what: 'holding 100 to 101',
    points: ['r100'],
    airtimeMs: Math.round((exchangeMs + 10) * 1000) / 1000,
  })
  expect(two!.requests.map(({ points }) => points.join())).toEqual(['r100', 'r200', 'r400'])
  expect(two!.refused).toEqual([{ point: 'r300', why: 'illegal data address' }])
  expect(one!.measured.share).toBeCloseTo((4 * (exchangeMs + 5)) / 1000, 2)
  expect(one!.computed.share).toBeCloseTo((4 * (exchangeMs + 10)) / 1000, 3)
  expect(one!.measured.airtimeMs + two!.measured.airtimeMs).toBeCloseTo(plan.measured.airtimeMs, 2)
  expect(plan.computed).toMatchObject({ cycleMs: 1000, neededMs: expect.closeTo(7 * (exchangeMs + 10), 1) })
  expect(plan.patches).toEqual([
    { profile: 'test/four', devices: ['meter-2'], points: ['r300'], patch: [{ op: 'remove', path: '/points/2' }] },
  ])
  parts.ending.abort(new Error('over'))
  await parts.clock.advance(1000)
  await run
})

test('a lesson is kept when the port was gone and comes back', async () => {
  const there = { ...FOUR, points: FOUR.points.filter(({ point }) => point !== 'r300') }
  const parts = bench()
  parts.attach('m1', 1, there, true)
  const { run, live, view } = running(parts, ['meter-1'])
  await parts.clock.advance(1900)
  parts.line.unplug()
  await parts.clock.advance(1500)
  expect(await run).toBe('gone')
  parts.line.plug()
  const before = parts.line.line.statistics().requests
  const again = live()
  await parts.clock.advance(400)
  expect(parts.line.line.statistics().requests - before).toBe(3)
  expect(view('plan')).toMatchObject({ devices: [{ refused: [{ point: 'r300' }] }] })
  parts.ending.abort(new Error('over'))
  await parts.clock.advance(1000)
  await again
})

/** RFC 6902, as far as it takes things out. */
function applied(document: object, patch: readonly Json[]): unknown {
  const copy = structuredClone(document)
  for (const { op, path } of patch as { op: string; path: string }[]) {
    expect(op).toBe('remove')
    const names = path.split('/').slice(1)
    const last = names.pop()!
    let holder: unknown = copy
    for (const name of names) holder = (holder as Record<string, unknown>)[name]
    if (Array.isArray(holder)) holder.splice(Number(last), 1)
    else delete (holder as Record<string, unknown>)[last]
  }
  return copy
}

test('a patch takes points and what samples expect of them out of the file, and what is left is a profile', () => {
  const file = loadProfile('eastron/sdm630') as object
  const profile = modbusProfile.parse(file)
  const refused = new Set(profile.points.slice(3, 9).map(({ point }) => point))
  const left = modbusProfile.parse(applied(file, profilePatch(profile, refused)))
  expect(left.points.map(({ point }) => point)).toEqual(
    profile.points.map(({ point }) => point).filter((point) => !refused.has(point)),
  )
})

test('a sample that expects nothing any more goes as a whole, and the indices still fit', () => {
  const samples = [
    { words: { '100': '42c8 0000' }, expect: { r100: 100 } },
    { words: { '200': '4348 0000' }, expect: { r200: 200, r300: 300 } },
    { words: { '300': '4396 0000' }, expect: { r300: 300 } },
  ]
  const profile = { ...FOUR, samples }
  const patch = profilePatch(modbusProfile.parse(profile), new Set(['r100', 'r300']))
  expect(applied(profile, patch)).toEqual({
    ...FOUR,
    points: [FOUR.points[1], FOUR.points[3]],
    samples: [{ words: { '200': '4348 0000' }, expect: { r200: 200 } }],
  })
})
