import type { Random } from '../../gateway/contract/io.ts'
import { seededRandom } from '../../hardware-sim/random.ts'
import { World } from './world.ts'

const STEP_MS = 30_000
const HOUR_STEPS = 3_600_000 / STEP_MS
/** After each step what is new is looked at; after each fault, and once an hour, the whole log. */
const WHOLE_STEPS = HOUR_STEPS

/** What goes wrong, at which step. The order in which they are drawn is the seed's. */
export interface Fault {
  readonly step: number
  readonly kind:
    | 'crash'
    | 'disk-before'
    | 'disk-behind'
    | 'broker-down'
    | 'broker-up'
    | 'broker-lossy'
    | 'broker-refusing'
    | 'clock'
    | 'trim'
  /** By how much, where that is asked. */
  readonly amount: number
}

export interface RunResult {
  readonly seed: number
  readonly hours: number
  readonly digest: string
  readonly counts: World['counts']
  readonly deliveries: number
  readonly duplicates: number
  readonly faults: number
  /** What broke, if anything did. */
  readonly broken?: string
}

/** The faults of a seed: each run has its own kinds and rates, and some have none of a kind (swarm testing). */
export function faultsOf(seed: number, hours: number): Fault[] {
  const random = seededRandom(seed * 7919 + 17)
  const kinds = (
    ['crash', 'disk-before', 'disk-behind', 'broker-down', 'broker-lossy', 'broker-refusing', 'clock', 'trim'] as const
  ).filter(() => random.next() < 0.7)
  const faults: Fault[] = []
  for (const kind of kinds) {
    const everySteps = 30 + random.next() * HOUR_STEPS
    for (
      let step = random.next() * everySteps;
      step < hours * HOUR_STEPS;
      step += everySteps * (0.2 + 1.6 * random.next())
    ) {
      const at = Math.floor(step)
      faults.push({ step: at, kind, amount: random.next() })
      if (kind.startsWith('broker-'))
        faults.push({ step: at + 1 + Math.floor(random.next() * 120), kind: 'broker-up', amount: 0 })
    }
  }
  return faults.sort((a, b) => a.step - b.step)
}

/** Run a seed with its faults, or with fewer of them. */
export async function simulate(
  seed: number,
  hours: number,
  faults: readonly Fault[] = faultsOf(seed, hours),
): Promise<RunResult> {
  const world = new World(seed)
  const random = seededRandom(seed * 31 + 5)
  const at = new Map<number, Fault[]>()
  for (const fault of faults) at.set(fault.step, [...(at.get(fault.step) ?? []), fault])
  let broken: string | undefined
  try {
    await world.start()
    for (let step = 0; step < hours * HOUR_STEPS; step++) {
      work(world, random)
      // A fault comes anywhere within the step, also between an offer and its acknowledgement.
      const part = random.next() * STEP_MS
      await world.clock.advance(part)
      const now = at.get(step) ?? []
      for (const fault of now) await strike(world, fault)
      await world.clock.advance(STEP_MS - part)
      if (random.next() < 0.2) await world.pull()
      await world.check(now.length > 0 || step % WHOLE_STEPS === 0)
    }
    await world.heal()
  } catch (error) {
    broken = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  } finally {
    await world.end()
  }
  const { deliveries, duplicates } = world.model
  const result = {
    seed,
    hours,
    digest: world.trace.digest(),
    counts: world.counts,
    deliveries,
    duplicates,
    faults: faults.length,
  }
  return broken === undefined ? result : { ...result, broken }
}

function work(world: World, random: Random): void {
  world.offer(1 + Math.floor(random.next() * 8), 'telemetry')
  if (random.next() < 0.3) {
    // In one commit, so that places of other classes lie within a row.
    world.offer(1, 'status')
    world.offer(1 + Math.floor(random.next() * 4), 'telemetry')
  }
  if (random.next() < 0.1) world.offer(1 + Math.floor(random.next() * 2), 'alarm')
  if (random.next() < 0.1) world.offer(1, 'audit')
}

async function strike(world: World, { kind, amount }: Fault): Promise<void> {
  switch (kind) {
    case 'crash':
      return world.crash()
    case 'disk-before':
    case 'disk-behind':
      return world.failDisk(kind === 'disk-before' ? 'before' : 'behind')
    case 'broker-down':
      world.broker.down = true
      return
    case 'broker-lossy':
      world.broker.manners.lostPerMille = 100 * amount
      return
    case 'broker-refusing':
      world.broker.manners.refusedPerMille = 300 * amount
      return
    case 'broker-up':
      world.broker.down = false
      Object.assign(world.broker.manners, { lostPerMille: 0, refusedPerMille: 0 })
      return
    case 'trim':
      return world.trim(amount)
    case 'clock':
      return world.clock.jumpWall((amount - 0.5) * 2 * 86_400_000)
    default:
      return kind satisfies never
  }
}

/** The shortest list of faults that still breaks it: leave out halves, quarters ... and then single ones. */
export async function shrink(
  seed: number,
  hours: number,
  breaks: (faults: readonly Fault[]) => Promise<boolean>,
): Promise<Fault[]> {
  let faults = faultsOf(seed, hours)
  for (let size = Math.ceil(faults.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < faults.length; ) {
      const without = [...faults.slice(0, from), ...faults.slice(from + size)]
      if (await breaks(without)) faults = without
      else from += size
    }
  }
  return faults
}
