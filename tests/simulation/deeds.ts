import { copyInto } from './copy.ts'
import { openLog } from './hub.ts'
import { during, readBehind } from './surroundings.ts'
import type { World } from './world.ts'

/** A copy of the log is taken while it goes on; another hub could begin with it. */
export async function backup(world: World): Promise<void> {
  const { store } = world.hub
  const { epoch } = store
  const lastSeq = store.lastSeq()
  const folder = world.folders.aside()
  const path = await world.fails(() =>
    copyInto(folder, store, async () => {
      for (let batch = 0; batch < 3; batch++) {
        world.offer(20, 'telemetry')
        await world.clock.sleep(50)
      }
    }),
  )
  if (path !== undefined) {
    const copy = await during(
      world.clock,
      openLog({ path, clock: world.clock, disk: world.disk, machine: () => world.machine.now }),
    )
    const { entries } = await during(world.clock, readBehind(copy, 0))
    world.model.copied(epoch, lastSeq, entries)
    await during(world.clock, copy.close())
    world.strike('backup')
  }
  world.folders.drop(folder)
}

/** The clock was found: what was recorded before is read with the time that it would have shown. */
export async function fixClock(world: World): Promise<void> {
  const { store } = world.hub
  const { offsetMs } = world.machine
  const event = world.load.event('audit', '', 'linli.clock.set')
  world.machine.mayBeFixed(offsetMs)
  await world.fails(async () => {
    await store.fixClock(offsetMs, event)
    world.machine.fixed(offsetMs)
  })
}

/** Somebody lets go of a part of the log by hand; of all of it where the part is large. */
export async function trim(world: World, part: number): Promise<void> {
  const { store } = world.hub
  const seq = Math.floor(store.lastSeq() * Math.min(1, part * 1.3))
  world.model.trimmed(store.epoch, seq)
  await world.fails(() => store.trim(seq))
  world.trace.note('trim', seq)
}

/** All of the log is let go of, and the process dies: what comes then must not get a place that there was. */
export async function trimAll(world: World): Promise<void> {
  await trim(world, 1)
  await world.crash()
}

/** One that pulls does what it does at times. */
export async function consume(world: World, chance: number): Promise<void> {
  const { store } = world.hub
  if (chance < 0.2) await world.fails(() => world.consumers.pull(store))
  else if (chance < 0.205) await world.fails(() => world.consumers.goBack(store))
  else if (chance < 0.22) {
    await world.fails(() => world.consumers.stray(store))
    world.counts.strays += 1
  }
  world.trace.note('consumed', store.lastSeq())
}
