import type { Random } from '../../gateway/contract/io.ts'
import { seededRandom } from '../../hardware-sim/random.ts'
import { consume } from './deeds.ts'
import { type Fault, faultsOf, HOUR_STEPS, STEP_MS, strike } from './faults.ts'
import { World } from './world.ts'

/** After each step what is new is looked at; the whole log some steps after something went wrong, and once an hour. */
const WHOLE_STEPS = HOUR_STEPS
const WHOLE_AFTER_STEPS = 10

export interface RunResult {
  readonly seed: number
  readonly hours: number
  readonly digest: string
  readonly counts: World['counts']
  readonly deliveries: number
  readonly duplicates: number
  /** How often something went wrong, by its kind. */
  readonly struck: Readonly<Record<string, number>>
  /** What broke, at which step, and what was noted last, if anything did. */
  readonly broken?: string
  readonly step?: number
  readonly tail?: readonly string[]
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
  let step = 0
  let wholeAt = 0
  try {
    await world.start()
    for (; step < hours * HOUR_STEPS; step++) {
      const now = at.get(step) ?? []
      await doStep(world, random, now)
      if (now.length > 0) wholeAt = Math.min(wholeAt, step + WHOLE_AFTER_STEPS)
      await world.check(step >= wholeAt)
      if (step >= wholeAt) wholeAt = step + WHOLE_STEPS
    }
    await world.heal()
  } catch (error) {
    broken = error instanceof Error ? `${error.constructor.name}: ${error.message}` : String(error)
  } finally {
    await world.end()
  }
  const { deliveries, duplicates } = world.model
  const { counts, trace } = world
  const struck = Object.fromEntries([...world.struck].sort())
  const result = { seed, hours, digest: trace.digest(), counts, deliveries, duplicates, struck }
  return broken === undefined ? result : { ...result, broken, step, tail: trace.tail() }
}

async function doStep(world: World, random: Random, faults: readonly Fault[]): Promise<void> {
  work(world, random)
  // A fault comes anywhere within the step, also between an offer and its acknowledgement.
  const part = random.next() * STEP_MS
  await world.clock.advance(part)
  await world.standUp()
  for (const fault of faults) {
    await strike(world, fault)
    await world.standUp()
  }
  await world.clock.advance(STEP_MS - part)
  await world.standUp()
  await consume(world, random.next())
  await world.standUp()
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
