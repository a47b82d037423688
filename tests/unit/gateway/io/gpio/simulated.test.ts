import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { GpioIo, GpioLines } from '../../../../../gateway/contract/io.ts'
import { createClock } from '../../../../../gateway/io/clock.ts'
import { createGpio } from '../../../../../gateway/io/gpio/gpio.ts'
import { directGpio } from '../../../../../hardware-sim/direct-gpio.ts'
import { GpioChip } from '../../../../../hardware-sim/gpio-chip.ts'
import { serveChip } from '../../../../../hardware-sim/gpio-socket.ts'

/** Both ways to a simulated chip, in this process and over a socket, keep the same promises. */
let folder = ''
let world: AbortController
let ending: AbortController
let chip: GpioChip
const clock = createClock()
const LINES = [4, 5, 6].map((offset) => ({ offset, name: `GPIO${offset}` }))
const ways: readonly (readonly [string, () => GpioIo])[] = [
  ['direct', () => directGpio(chip, clock)],
  ['socket', () => createGpio()],
]
const until = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 3000, interval: 1 })
const input = (name: string, line: number | string, more: object = {}) => ({
  ...{ name, line, activeLow: false, bias: 'none' as const, debounceUs: 0 },
  ...more,
})
const output = (name: string, line: number | string, more: object = {}) => ({
  ...{ name, line, activeLow: false, initial: 'inactive' as const },
  ...more,
})
const BOTH = { inputs: [input('button', 4), input('contact', 5)], outputs: [output('lock', 6)] }
const open = (way: () => GpioIo, lines: Parameters<GpioIo['open']>[1] = BOTH): Promise<GpioLines> =>
  way().open(`sim:${join(folder, 'chip.sock')}`, lines, ending.signal)
const fault = (doing: Promise<unknown>): Promise<string> =>
  doing.then(
    () => 'no fault',
    (error) => `${error.reach} ${error.code}: ${error.message}`,
  )

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'linli-gpio-'))
  world = new AbortController()
  ending = new AbortController()
  chip = new GpioChip(LINES, () => undefined)
  await serveChip(chip, join(folder, 'chip.sock'), world.signal)
})
afterEach(() => {
  ending.abort(new Error('over'))
  world.abort(new Error('over'))
  rmSync(folder, { recursive: true })
})

test.each(ways)(
  '%s: an output has its level from the request on, and the same again when it is let go',
  async (_, way) => {
    const active = { inputs: [], outputs: [output('lock', 6, { initial: 'active' })] }
    const lines = await open(way, active)
    expect(chip.level(6)).toBe(1)
    await lines.set('lock', 'inactive')
    await until(() => expect(chip.level(6)).toBe(0))
    await lines.release()
    await until(() => expect([chip.level(6), chip.held]).toEqual([1, 0]))
  },
)

test.each(ways)('%s: active low is the level that the application does not see', async (_, way) => {
  const lines = await open(way, {
    inputs: [input('button', 'GPIO4', { activeLow: true })],
    outputs: [output('lock', 'GPIO6', { activeLow: true })],
  })
  expect([await lines.read(), chip.level(6)]).toEqual([{ button: 'active' }, 1])
  await lines.set('lock', 'active')
  await until(() => expect(chip.level(6)).toBe(0))
  chip.drive(4, 1)
  expect((await lines.edges(ending.signal)).edges).toMatchObject([{ name: 'button', level: 'inactive' }])
})

test.each(ways)('%s: edges come in order, with the time at which they were', async (_, way) => {
  const lines = await open(way)
  const beforeMs = clock.monoMs()
  for (const level of [1, 0, 1] as const) chip.drive(4, level)
  chip.drive(5, 1)
  const seen = []
  while (seen.length < 4) seen.push(...(await lines.edges(ending.signal)).edges)
  expect(seen.map(({ name, level }) => `${name} ${level}`)).toEqual([
    'button active',
    'button inactive',
    'button active',
    'contact active',
  ])
  for (const { monoMs } of seen) {
    expect(monoMs).toBeGreaterThanOrEqual(beforeMs - 0.1)
    expect(monoMs).toBeLessThanOrEqual(clock.monoMs() + 0.1)
  }
})

test.each(ways)('%s: what bounces for less than the debounce time is one edge, or none', async (_, way) => {
  const lines = await open(way, { inputs: [input('contact', 5, { debounceUs: 20_000 })], outputs: [] })
  for (const level of [1, 0, 1, 0, 1] as const) chip.drive(5, level)
  expect((await lines.edges(ending.signal)).edges).toMatchObject([{ name: 'contact', level: 'active' }])
  for (const level of [0, 1] as const) chip.drive(5, level)
  const silence = clock.sleep(60).then(() => 'nothing')
  expect(await Promise.race([lines.edges(ending.signal), silence])).toBe('nothing')
})

test.each(ways)('%s: dropped edges are counted, and a read tells how the lines are', async (_, way) => {
  const lines = await open(way)
  chip.loseEdges(2)
  chip.drive(4, 1)
  chip.drive(5, 1)
  expect(await lines.edges(ending.signal)).toEqual({ edges: [], lost: 2 })
  expect(await lines.read()).toEqual({ button: 'active', contact: 'active' })
})

test.each(ways)('%s: nobody listened for long: the newest edges are kept, the others counted', async (_, way) => {
  const lines = await open(way)
  for (let edge = 0; edge < 1500; edge++) chip.drive(4, edge % 2 === 0 ? 1 : 0)
  chip.drive(5, 1)
  const all: string[] = []
  let lost = 0
  await clock.sleep(500)
  while (all.at(-1) !== 'contact') {
    const seen = await lines.edges(ending.signal)
    all.push(...seen.edges.map(({ name }) => name))
    lost += seen.lost
  }
  expect([all.length, lost]).toEqual([1024, 477])
})

test.each(ways)('%s: a line that is held, a line that is not there, a chip that goes', async (_, way) => {
  const lines = await open(way)
  expect(await fault(open(way))).toMatch(/^connection gpio-busy: .*line 4 is held by somebody else/)
  const nowhere = { inputs: [input('button', 'GPIO99')], outputs: [] }
  expect(await fault(open(way, nowhere))).toMatch(/^connection gpio-.*: .*there is no line GPIO99/)
  const waiting = fault(lines.edges(ending.signal))
  chip.unplug()
  expect(await waiting).toMatch(/^connection gpio-gone/)
  expect(await fault(lines.set('lock', 'active'))).toMatch(/^connection gpio-gone/)
  expect(await fault(lines.read())).toMatch(/^connection gpio-gone/)
  await lines.release()
})

test.each(ways)('%s: who is told to stop stops waiting, with the reason', async (_, way) => {
  const lines = await open(way)
  const waiting = lines.edges(ending.signal)
  const reason = new Error('enough')
  ending.abort(reason)
  await expect(waiting).rejects.toBe(reason)
  await lines.release()
  await until(() => expect(chip.held).toBe(0))
  await expect(open(way)).rejects.toBe(reason)
})

test('a socket that is not there is a fault with a way out', async () => {
  rmSync(join(folder, 'chip.sock'))
  expect(await fault(open(() => createGpio()))).toMatch(/^connection gpio-missing: .*chip\.sock is not there/)
})

/** A program on the other end that is no chip. */
async function impostor(answer: (socket: Socket) => void): Promise<string> {
  const path = join(folder, 'impostor.sock')
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', () => answer(socket))
  })
  world.signal.addEventListener('abort', () => server.close())
  await new Promise<void>((listening) => server.listen(path, listening))
  return path
}

test.each([
  ['no JSON', 'HTTP/1.1 400 Bad Request\r\n\r\n'],
  ['a bare number', '17\n'],
  ['null', 'null\n'],
  ['a time that is none', '{"edge":4,"level":1,"ns":"soon"}\n'],
  ['a line without an end', 'x'.repeat(20_000)],
])('what is no chip is a fault, not the end of the hub: %s', async (_, bytes) => {
  const path = await impostor((socket) => socket.write(bytes))
  const doing = createGpio().open(`sim:${path}`, BOTH, ending.signal)
  expect(await fault(doing)).toMatch(/^connection gpio-gone: .*it sends/)
})
