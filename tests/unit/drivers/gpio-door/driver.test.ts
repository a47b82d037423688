import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { gpioDoor } from '../../../../drivers/gpio-door/gpio-door.ts'
import type { Command, Outcome } from '../../../../gateway/contract/command.ts'
import type { Host } from '../../../../gateway/contract/driver.ts'
import type { Seen } from '../../../../gateway/contract/event.ts'
import type { Io } from '../../../../gateway/contract/io.ts'
import type { Log } from '../../../../gateway/contract/log.ts'
import { createClock } from '../../../../gateway/io/clock.ts'
import { createGpio } from '../../../../gateway/io/gpio/gpio.ts'
import { type DoorPanel, startDoorPanel } from '../../../../hardware-sim/door-panel.ts'
import { seededRandom } from '../../../../hardware-sim/random.ts'

/** The driver on a simulated chip behind a real socket, in real time: what it does takes milliseconds. */
const silent: Log = { debug() {}, info() {}, warn() {}, error() {}, with: () => silent }
let folder = ''
let panel: DoorPanel
let world: AbortController
let ending: AbortController
let seen: Seen[]
let run: Promise<string>
let handlers: Map<string, (command: Command) => Promise<Outcome>>
const clock = createClock()

function start(more: object = {}): void {
  const chip = `sim:${join(folder, 'door.sock')}`
  const lines = { lock: 17, contact: 27, exitButton: 22, fire: 23, tamper: 24 }
  const options = gpioDoor.options.parse({
    gpioDoor: { chip, ...lines, unlockFor: '300ms', heldAfter: '1s', debounce: '5ms', ...more },
  })
  const host: Host<typeof options> = {
    connection: 'gate',
    options,
    signal: ending.signal,
    clock,
    log: silent,
    io: { gpio: createGpio() } as unknown as Io,
    emit: async (batch) => void seen.push(...batch),
    mark() {},
    serve: (verb, handler) => void handlers.set(verb, handler),
    figures() {},
  }
  run = gpioDoor.run(host).then(
    () => 'ended',
    (error) => `${error.reach ?? error.name} ${error.code ?? ''}`,
  )
}
const types = (): string[] =>
  seen.map(({ type, data }) => `${type} ${(data.state ?? data.cause ?? '') as string}`.trim())
const until = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 3000, interval: 2 })
const working = (): Promise<void> => until(() => expect(seen.length).toBeGreaterThan(0))

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'linli-door-'))
  world = new AbortController()
  ending = new AbortController()
  seen = []
  handlers = new Map()
  panel = await startDoorPanel({
    socketPath: join(folder, 'door.sock'),
    clock,
    random: seededRandom(3),
    signal: world.signal,
  })
})
afterEach(async () => {
  ending.abort(new Error('over'))
  await run
  world.abort(new Error('over'))
  rmSync(folder, { recursive: true })
})

test('who presses the exit button gets out; bounces of the contact are one opening', async () => {
  start()
  await working()
  await panel.pressExit()
  expect(panel.state().pulses).toBe(1)
  await until(() => expect(types()).toContain('linli.door.unlocked exit-button'))
  const after = panel.pressExit()
  await until(() => expect(panel.state().released).toBe(true))
  expect(await panel.openDoor()).toBe(true)
  await until(() => expect(types()).toContain('linli.door.state open'))
  await panel.shutDoor()
  await until(() => expect(types().at(-1)).toBe('linli.door.state locked'))
  await after
  expect(types().filter((type) => type === 'linli.door.state open')).toHaveLength(1)
  expect(types()).not.toContain('linli.door.forced')
})

test('a door that is opened by force is an alarm, one that stays open another', async () => {
  start()
  await working()
  expect(await panel.openDoor()).toBe(false)
  await panel.force()
  await until(() => expect(types()).toContain('linli.door.forced'))
  expect(seen.find(({ type }) => type === 'linli.door.forced')?.class).toBe('alarm')
})

test('the fire panel releases the door, and no command locks it meanwhile', async () => {
  start()
  await working()
  panel.fire(true)
  await until(() => expect(panel.state().released).toBe(true))
  const command = {
    id: 'c',
    device: 'gate',
    verb: 'lock',
    arguments: {},
    deadlineMonoMs: clock.monoMs() + 1000,
    by: 'property',
  }
  expect(await handlers.get('lock')!(command)).toEqual({
    result: 'rejected',
    reason: 'the fire panel holds the door released',
  })
  panel.fire(false)
  await until(() => expect(panel.state().released).toBe(false))
  expect(types()).toContain('linli.fire.active')
  expect(types()).toContain('linli.fire.cleared')
})

test('a command opens the door and tells whether somebody went through; after its deadline it does nothing', async () => {
  start()
  await working()
  const command = {
    id: 'c',
    device: 'gate',
    verb: 'unlock',
    arguments: {},
    deadlineMonoMs: clock.monoMs() + 1000,
    by: 'property',
  }
  const outcome = handlers.get('unlock')!(command)
  await until(() => expect(panel.state().released).toBe(true))
  await panel.openDoor()
  expect(await outcome).toEqual({ result: 'executed', effect: { opened: true } })
  const pulses = panel.state().pulses
  expect(await handlers.get('unlock')!({ ...command, deadlineMonoMs: clock.monoMs() - 1 })).toEqual({
    result: 'expired',
  })
  expect(panel.state().pulses).toBe(pulses)
})

test('neither start nor stop gives an edge; a stop in the middle of a pulse ends it', async () => {
  start()
  await working()
  ending.abort(new Error('over'))
  await run
  expect(panel.history).toEqual([])
  await until(() => expect(panel.state().held).toBe(false))
  ending = new AbortController()
  seen = []
  start({ unlockFor: '60s' })
  await working()
  const pressing = panel.pressExit()
  await until(() => expect(panel.state().released).toBe(true))
  ending.abort(new Error('over'))
  await run
  await until(() => expect(panel.state().released).toBe(false))
  await pressing
})

test('from the exit button to the lock it takes milliseconds', async () => {
  start({ unlockFor: '200ms' })
  await working()
  const tookMs: number[] = []
  for (let press = 0; press < 10; press++) {
    const startMs = clock.monoMs()
    const pressing = panel.pressExit()
    await until(() => expect(panel.history.length).toBe(2 * press + 1))
    tookMs.push(panel.history[2 * press]!.monoMs - startMs)
    await pressing
    await until(() => expect(panel.state().released).toBe(false))
  }
  // A bound that a machine under load keeps; the benchmark measures the time itself.
  expect(Math.min(...tookMs)).toBeLessThan(50)
})

test('a chip that is not there, or is held by somebody else, is a fault of the connection', async () => {
  start()
  await working()
  const first = run
  const firstEnding = ending
  ending = new AbortController()
  start()
  expect(await run).toBe('connection gpio-busy')
  firstEnding.abort(new Error('over'))
  await first
  world.abort(new Error('over'))
  await until(() => expect(panel.state().held).toBe(false))
  ending = new AbortController()
  start()
  expect(await run).toBe('connection gpio-missing')
})

test('two functions on one line are refused by name', () => {
  const wired = gpioDoor.options.safeParse({ gpioDoor: { chip: 'sim:x', lock: 17, contact: 17 } })
  expect(wired.error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)).toEqual([
    'gpioDoor.contact: lock is on line 17 already: give each its own',
  ])
})
