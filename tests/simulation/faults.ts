import { crc32 } from 'node:zlib'
import { seededRandom } from '../../hardware-sim/random.ts'
import { backup, fixClock, trim, trimAll } from './deeds.ts'
import type { DiskFault } from './disk.ts'
import type { World } from './world.ts'

export const STEP_MS = 45_000
export const HOUR_STEPS = 3_600_000 / STEP_MS
const DAY_MS = 86_400_000
const YEAR_MS = 365 * DAY_MS

/** What goes wrong, at which step. The order in which they are drawn is the seed's. */
export interface Fault {
  readonly step: number
  readonly kind: FaultKind
  /** By how much, where that is asked. */
  readonly amount: number
}
export type FaultKind = DiskFault | Drawn | Ending

/** How likely a run has them at all, how much rarer than others they come, and what ends them. */
const DRAWN = {
  crash: {},
  'crash-failing': { rarer: 2 },
  'power-cut': {},
  'io-write': {},
  'io-fsync': {},
  'io-read': {},
  'io-open': {},
  'writer-deaf': {},
  'disk-full': { rarer: 3, ends: 'disk-room' },
  'broker-down': { ends: 'broker-up' },
  'broker-lossy': { ends: 'broker-up' },
  'broker-refusing': { ends: 'broker-up' },
  'broker-poison': { rarer: 2 },
  'clock-step': {},
  'clock-lost': { rarer: 2, ends: 'clock-found' },
  trim: {},
  'trim-all': { rarer: 4 },
  backup: { rarer: 3 },
  damage: { chance: 0.2, rarer: 8 },
} satisfies Record<string, { readonly chance?: number; readonly rarer?: number; readonly ends?: string }>
type Drawn = keyof typeof DRAWN
type Ending = 'disk-room' | 'broker-up' | 'clock-found'

/** What has to have happened in a run that is long enough to prove something. */
export const KINDS: readonly string[] = Object.keys(DRAWN)

/** The faults of a seed: each run has its own kinds and rates, and some have none of a kind (swarm testing). */
export function faultsOf(seed: number, hours: number): Fault[] {
  const faults: Fault[] = []
  for (const [kind, how] of Object.entries(DRAWN) as [Drawn, { chance?: number; rarer?: number; ends?: Ending }][]) {
    const { chance = 0.7, rarer = 1, ends } = how
    // Of its own for each kind: how long a run is, and what else there is, changes nothing about it.
    const random = seededRandom(seed * 7919 + crc32(kind))
    const drawn = random.next() < chance
    const everySteps = rarer * (30 + random.next() * HOUR_STEPS)
    if (!drawn) continue
    for (
      let step = random.next() * everySteps;
      step < hours * HOUR_STEPS;
      step += everySteps * (0.2 + 1.6 * random.next())
    ) {
      const at = Math.floor(step)
      faults.push({ step: at, kind, amount: random.next() })
      if (ends !== undefined) faults.push({ step: at + 1 + Math.floor(random.next() * 120), kind: ends, amount: 0 })
    }
  }
  return faults.sort((a, b) => a.step - b.step)
}

/** These count when the disk or the writer meets them, or when they are done. */
const COUNT_THEMSELVES: ReadonlySet<FaultKind> = new Set<FaultKind>([
  'power-cut',
  'io-write',
  'io-fsync',
  'io-read',
  'io-open',
  'writer-deaf',
  'disk-full',
  'disk-room',
  'backup',
])

export async function strike(world: World, { kind, amount }: Fault): Promise<void> {
  if (!COUNT_THEMSELVES.has(kind)) world.strike(kind)
  await DEEDS[kind](world, amount)
}

const DEEDS: Readonly<Record<FaultKind, (world: World, amount: number) => void | Promise<void>>> = {
  crash: (world) => world.crash(),
  'crash-failing': (world, amount) => {
    // The one that comes meets a disk that is not well yet.
    world.disk.arm('io-write', amount)
    return world.crash()
  },
  damage: (world) => world.crash(true),
  'power-cut': (world, amount) => world.disk.arm('power-cut', amount),
  'io-write': (world, amount) => world.disk.arm('io-write', amount),
  'io-fsync': (world, amount) => world.disk.arm('io-fsync', amount),
  'io-read': (world, amount) => world.disk.arm('io-read', amount),
  'io-open': (world, amount) => world.disk.arm('io-open', amount),
  'writer-deaf': (world) => {
    world.deaf = true
  },
  'disk-full': ({ disk }) => {
    disk.full = true
  },
  'disk-room': ({ disk }) => {
    disk.full = false
  },
  'broker-down': ({ broker }) => {
    broker.down = true
  },
  'broker-lossy': ({ broker }, amount) => {
    broker.manners.lostPerMille = 100 * amount
  },
  'broker-refusing': ({ broker }, amount) => {
    broker.manners.refusedPerMille = 300 * amount
  },
  'broker-poison': ({ load, broker }, amount) => {
    load.poisoned(1 + Math.floor(amount * 3))
    broker.manners.poison = amount < 0.7 ? 'refuse' : 'close'
  },
  'broker-up': ({ broker }) => {
    broker.down = false
    Object.assign(broker.manners, { lostPerMille: 0, refusedPerMille: 0 })
  },
  trim,
  'trim-all': trimAll,
  backup,
  'clock-step': (world, amount) => stepClock(world, (amount - 0.5) * 2),
  'clock-lost': ({ machine }, amount) => machine.lose((amount - 0.5) * 20 * YEAR_MS),
  'clock-found': (world) => {
    world.machine.find()
    return fixClock(world)
  },
}

/** A time source that is wrong by up to a day; by minutes, where things go by their age, for it is believed. */
async function stepClock(world: World, part: number): Promise<void> {
  const small = world.model.goesByAge ? DAY_MS / 24 / 60 / 60 : DAY_MS
  world.clock.jumpWall(part * small)
  if (world.machine.isTrusted) await fixClock(world)
}
