import { expect, test } from 'vitest'
import { rs485 } from '../../../../drivers/rs485/rs485.ts'
import { bench, FOUR, SETTINGS } from './host.ts'

const options = (devices: readonly object[], more: object = {}) =>
  rs485.options.parse({ rs485: { port: '/dev/line', timeout: '300ms', late: '300ms', ...more }, devices })
const meter = (id: string, address: number, every = '1s', profile = 'test/four') => ({ id, profile, address, every })

function running(parts: ReturnType<typeof bench>, settings: ReturnType<typeof options>) {
  const run = rs485.run(parts.host(settings)).then(
    () => 'ended',
    (error) => `${error.reach} ${error.code}: ${error.message}`,
  )
  const end = async (): Promise<void> => {
    parts.ending.abort(new Error('over'))
    await parts.clock.advance(10)
    await run
  }
  return { run, end }
}

test('a poll is one event with all its points, in their units', async () => {
  const parts = bench()
  parts.attach('m1', 1)
  const { end } = running(parts, options([meter('meter-301', 1)]))
  await parts.clock.advance(900)
  expect(parts.seen).toHaveLength(1)
  const { monoMs, ...rest } = parts.seen[0]!
  expect(rest).toEqual({
    device: 'meter-301',
    type: 'linli.meter.reading',
    class: 'telemetry',
    privacy: 'personal',
    data: {
      points: {
        r100: { v: 100, u: 'V' },
        r200: { v: 200, u: 'V' },
        r300: { v: 300, u: 'V' },
        r400: { v: 400, u: 'V' },
      },
      quality: 'good',
    },
  })
  // When the last of its four answers was there: each takes 3.5 characters of silence, 8 of the request,
  // 5 ms of turnaround and 9 characters of the answer.
  const characterMs = 10 / 9.6
  expect(monoMs).toBeCloseTo(4 * (20.5 * characterMs + 5), 3)
  await end()
})

test('each meter has its own rhythm, and rounds stay aligned', async () => {
  const parts = bench()
  parts.attach('m1', 1)
  parts.attach('m2', 2)
  const { end } = running(parts, options([meter('fast', 1, '1s'), meter('slow', 2, '5s')]))
  await parts.clock.advance(10_900)
  const times = (id: string) =>
    parts.seen.filter(({ device }) => device === id).map(({ monoMs }) => Math.floor(monoMs / 1000))
  expect(times('fast')).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  expect(times('slow')).toEqual([0, 5, 10])
  await end()
})

test('a dead meter is backed off and said once; its neighbours keep their rate; it is read within 30 s when it is back', async () => {
  const parts = bench()
  parts.attach('m1', 1)
  parts.attach('m2', 2)
  parts.line.line.setFault('m2', { kind: 'silence' })
  const { end } = running(parts, options([meter('alive', 1), meter('dead', 2)]))
  await parts.clock.advance(600_000)
  const alive = parts.seen.filter(({ device }) => device === 'alive').length
  expect(alive).toBeGreaterThanOrEqual(0.95 * 600)
  expect(new Set(parts.marks.filter((mark) => mark.startsWith('dead')))).toEqual(new Set(['dead timeout']))
  parts.line.line.setFault('m2', undefined)
  await parts.clock.advance(31_000)
  expect(parts.marks).toContain('dead well')
  expect(parts.seen.at(-1)?.monoMs).toBeGreaterThan(600_000)
  await end()
})

test('one lost answer is no news', async () => {
  const parts = bench()
  parts.attach('m1', 1)
  parts.line.line.setFault('m1', { kind: 'wrong-check', times: 1 })
  const { end } = running(parts, options([meter('m', 1)]))
  await parts.clock.advance(5900)
  expect(new Set(parts.marks)).toEqual(new Set(['m well']))
  expect(parts.seen.length).toBeGreaterThanOrEqual(5)
  await end()
})

test.each([
  ['each in a request of its own', [100, 200, 300, 400]],
  ['all in one request, which is parted', [100, 102, 104, 106]],
])('registers that the meter does not have are left out, the others are read: %s', async (_name, addresses) => {
  const asked = { ...FOUR, points: FOUR.points.map((point, at) => ({ ...point, address: addresses[at]! })) }
  const there = { ...asked, points: asked.points.filter(({ point }) => point !== 'r300') }
  const parts = bench({ 'test/four': asked })
  parts.attach('m1', 1, there, true)
  const { end } = running(parts, options([meter('m', 1)]))
  await parts.clock.advance(2900)
  const points = { r100: { v: 100, u: 'V' }, r200: { v: 200, u: 'V' }, r400: { v: 400, u: 'V' } }
  expect(parts.seen.map(({ data }) => data)).toEqual(Array(3).fill({ points, quality: 'partial' }))
  const before = parts.line.line.statistics().requests
  await parts.clock.advance(1000)
  // The lesson is kept: only what is there is asked for from now on.
  expect(parts.line.line.statistics().requests - before).toBe(addresses[1] === 102 ? 2 : 3)
  await end()
})

test('a profile that is not there parks the connection', async () => {
  const parts = bench({})
  const { run } = running(parts, options([meter('m', 1, '1s', 'eastron/sdm99')]))
  expect(await run).toMatch(/^setup profile: profile `eastron\/sdm99` has mistakes/)
})

test('a port that is not there is a fault of the connection', async () => {
  const parts = bench()
  const { run } = running(parts, options([meter('m', 1)], { port: '/dev/nowhere' }))
  await parts.clock.advance(10)
  expect(await run).toBe('connection absent: no serial port /dev/nowhere')
})

test('an unplugged adapter ends the run with a fault of the connection', async () => {
  const parts = bench()
  parts.attach('m1', 1)
  const { run } = running(parts, options([meter('m', 1)]))
  await parts.clock.advance(1500)
  parts.line.unplug()
  await parts.clock.advance(1500)
  expect(await run).toMatch(/^connection gone/)
})

test('what linli check finds: an address given twice, a profile that is not there', async () => {
  const { host } = bench({ 'test/four': FOUR })
  const settings = options([meter('a', 1), meter('b', 1), meter('c', 2, '1s', 'eastron/sdm99')])
  const problems = await rs485.check!(settings, host(settings).io)
  expect(problems.map(({ path, message }) => `${path.join('.')}: ${message}`)).toEqual([
    'devices.2.profile: profile `eastron/sdm99` has mistakes: the top: Invalid input: expected object, received undefined',
    'devices.1.address: a has this address already, on the same connection',
  ])
})

test('devices of three speeds share one line: it is set to each before it is asked, and back', async () => {
  const parts = bench()
  const even = { baud: 2400, dataBits: 8, parity: 'even', stopBits: 1 } as const
  parts.attach('m1', 1, FOUR, false, SETTINGS)
  parts.attach('m2', 2, FOUR, false, even)
  parts.attach('m3', 3, FOUR, false, { ...SETTINGS, baud: 19_200 })
  const { end } = running(
    parts,
    options([
      meter('as-it-comes', 1),
      { ...meter('slow', 2), serial: { baud: 2400, parity: 'even' } },
      { ...meter('fast', 3), serial: { baud: 19_200 } },
    ]),
  )
  await parts.clock.advance(4900)
  const times = (id: string) => parts.seen.filter(({ device }) => device === id).length
  expect([times('as-it-comes'), times('slow'), times('fast')]).toEqual([5, 5, 5])
  expect(parts.line.line.statistics().gapViolations).toBe(0)
  await end()
})

test('what the line says holds for all its devices, unless one says otherwise for itself', async () => {
  const parts = bench()
  const even = { baud: 2400, dataBits: 8, parity: 'even', stopBits: 1 } as const
  parts.attach('m1', 1, FOUR, false, even)
  parts.attach('m2', 2, FOUR, false, { ...even, baud: 4800 })
  const settings = options([meter('a', 1), { ...meter('b', 2), serial: { baud: 4800 } }], {
    baud: 2400,
    parity: 'even',
  })
  const { end } = running(parts, settings)
  await parts.clock.advance(1900)
  expect(parts.seen.map(({ device }) => device).sort()).toEqual(['a', 'a', 'b', 'b'])
  await end()
})
