import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createClock } from '../../../../gateway/io/clock.ts'
import { createGpio } from '../../../../gateway/io/gpio/gpio.ts'
import { type DoorPanel, startDoorPanel } from '../../../../hardware-sim/door-panel.ts'
import { seededRandom } from '../../../../hardware-sim/random.ts'
import { Life, WIRING } from './rig.ts'

/** The driver on a simulated chip behind a real socket, in real time. */
const clock = createClock()
let folder = ''
let panel: DoorPanel
let world: AbortController

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'linli-door-'))
  world = new AbortController()
  const socketPath = join(folder, 'door.sock')
  panel = await startDoorPanel({ socketPath, clock, random: seededRandom(3), signal: world.signal })
})
afterEach(() => {
  world.abort(new Error('over'))
  rmSync(folder, { recursive: true })
})

const until = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 5000, interval: 1 })

async function start(more: object = {}): Promise<Life> {
  const life = new Life(clock, createGpio(), { ...WIRING, chip: `sim:${join(folder, 'door.sock')}`, ...more })
  await until(() => expect(life.marks).toEqual([undefined]))
  return life
}

test('somebody goes out, and the door is locked again behind them', async () => {
  const life = await start({ debounce: '5ms' })
  expect(await panel.visit()).toBe(true)
  await until(() => expect(life.told.at(-1)).toBe('door.state locked'))
  expect(life.told).toEqual([
    'door.state locked',
    'door.unlocked exit-button',
    'door.state unlocked',
    'door.state open',
    'door.state locked',
  ])
  await life.stop()
  await until(() => expect(panel.state()).toMatchObject({ held: false, released: false, pulses: 1 }))
})

test('from the exit button to the lock it takes milliseconds, there and back through two sockets', async () => {
  const life = await start()
  // Nothing that is said becomes durable: the way out does not wait for it.
  life.stuck = new Promise(() => undefined)
  const tookMs: number[] = []
  for (let press = 0; press < 200; press++) {
    const startMs = clock.monoMs()
    panel.chip.drive(22, 1)
    await until(() => expect(panel.state().released).toBe(true))
    tookMs.push(panel.history.at(-1)!.monoMs - startMs)
    panel.chip.drive(22, 0)
    await vi.waitFor(async () => expect((await life.command('lock')).result).toBe('executed'), { interval: 1 })
    await until(() => expect(panel.state().released).toBe(false))
  }
  tookMs.sort((a, b) => a - b)
  // Half of them within the bound that the benchmark holds p99 to: this machine may be busy with other tests.
  expect(tookMs[100]).toBeLessThan(5)
  if (process.env.LINLI_FIGURES !== undefined) process.stdout.write(`door.exit ${JSON.stringify(tookMs)}\n`)
  await life.stop()
})
