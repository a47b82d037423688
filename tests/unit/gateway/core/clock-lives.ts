import fc from 'fast-check'
import { expect } from 'vitest'
import { type ClockState, isTrusted } from '../../../../gateway/contract/clock.ts'
import type { StoredEvent } from '../../../../gateway/contract/event.ts'
import { STEP_MS } from '../../../../gateway/core/clock-quality.ts'
import { ClockWatch } from '../../../../gateway/core/clock-watch.ts'
import type { OpenedStore } from '../../../../gateway/store/opened-store.ts'
import { newEvent } from '../../../contract/memory-store.ts'
import { logInto, readAll, storeRig } from '../store/rig.ts'

/**
 * What happens to a hub: a reading; a clock that is set, by this much, or whose source comes or goes; a restart of the
 * hub; a loss of power, behind which a machine without a battery begins in 1970 again. Behind it the hub has the time
 * to look at its clock, or not.
 */
interface Deed {
  readonly what: 'read' | 'set' | 'restart' | 'power'
  readonly byMs: number
  readonly to: ClockState
  readonly seen: boolean
}

const deed: fc.Arbitrary<Deed> = fc.record({
  what: fc.constantFrom('read', 'read', 'read', 'set', 'set', 'set', 'restart', 'power'),
  // In whole steps: several that come between two looks and add up to less than one are no step to anybody.
  byMs: fc
    .oneof(fc.constant(0), fc.integer({ min: 1, max: 1_000_000_000 }), fc.integer({ min: -3600, max: -1 }))
    .map((steps) => steps * 2 * STEP_MS),
  to: fc.constantFrom<ClockState>('never', 'unsynced', 'holdover', 'synced', 'synced'),
  seen: fc.boolean(),
})

/** One start of the machine, as somebody sees it who looks at its clock whenever the hub does. */
interface MachineBoot {
  /** Wall time less monotonic time when a source vouched for it last. */
  vouchedMs: number | undefined
  readonly readings: { readonly monoMs: number; readonly wallMs: number; readonly clock: ClockState }[]
}

class Life {
  readonly #rig = storeRig()
  readonly boots: MachineBoot[] = []
  #store!: OpenedStore
  #ending = new AbortController()
  #watch!: ClockWatch

  async begin(): Promise<void> {
    this.#losePower()
    await this.#start()
  }

  async live(deeds: readonly Deed[]): Promise<void> {
    const { clock } = this.#rig
    for (const { what, byMs, to, seen } of deeds) {
      if (what === 'read') await this.#read()
      else if (what === 'set') clock.jumpWall(byMs, to)
      else {
        await this.#stop()
        if (what === 'power') this.#losePower()
        await this.#start()
      }
      if (!seen) continue
      // Two looks of the watch.
      await clock.advance(2000.125)
      if (isTrusted(clock.state())) this.boots.at(-1)!.vouchedMs = clock.wallMs() - clock.monoMs()
    }
  }

  /** Everything that the log gives, from memory as far as it goes, which must be what the file gives. */
  async end(): Promise<readonly StoredEvent[]> {
    const tailFrom = Math.max(0, this.#store.lastSeq() - 5)
    const fromMemory = await readAll(this.#store, {}, tailFrom)
    await this.#stop()
    const store = await this.#rig.open()
    const all = await readAll(store)
    await store.close()
    expect(all.slice(all.length - fromMemory.length)).toEqual(fromMemory)
    return all.flatMap((entry) => (entry.kind === 'event' ? [entry] : []))
  }

  async #read(): Promise<void> {
    const { clock } = this.#rig
    const reading = { monoMs: clock.monoMs(), wallMs: Math.floor(clock.wallMs()), clock: clock.state() }
    this.boots.at(-1)!.readings.push(reading)
    await this.#store.append([newEvent(reading)])
  }

  #losePower(): void {
    const { clock, machine } = this.#rig
    machine.id = `boot-${this.boots.length}`
    machine.onMonoMs = clock.monoMs()
    clock.jumpWall(5000 - clock.wallMs(), 'never')
    this.boots.push({ vouchedMs: undefined, readings: [] })
  }

  async #start(): Promise<void> {
    const { clock } = this.#rig
    this.#store = await this.#rig.open({ tailEvents: 5 })
    this.#ending = new AbortController()
    const [store, log, signal] = [this.#store, logInto([]), this.#ending.signal]
    const quality = { sinceSyncMs: () => undefined }
    this.#watch = new ClockWatch({ clock, quality, store, known: store.clock, log, signal })
  }

  async #stop(): Promise<void> {
    this.#ending.abort(new Error('the hub ends'))
    await this.#watch.done
    await this.#store.close()
  }
}

/**
 * Through any steps of the clock, restarts and losses of power: what was recorded while nobody vouched for the clock is
 * read with the newest word of a source in that start of the machine, to the millisecond, so in its order; where none
 * spoke it is as it was; what was recorded with a trusted clock is never touched; and places rise by one.
 */
export async function clockLives(runs: number, seed?: number): Promise<void> {
  const property = fc.asyncProperty(fc.array(deed, { minLength: 15, maxLength: 40, size: 'max' }), async (deeds) => {
    const life = new Life()
    await life.begin()
    await life.live(deeds)
    const events = await life.end()
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, n) => n + 1))
    const found = events.filter(({ type }) => type === 'linli.meter.reading')
    const rightOnes = life.boots.flatMap(({ readings, vouchedMs }) => readings.map((each) => asRead(each, vouchedMs)))
    expect(found.map(({ monoMs, clock }) => [monoMs, clock])).toEqual(
      rightOnes.map(({ monoMs, clock }) => [monoMs, clock]),
    )
    // Offsets are kept to the microsecond, so the millisecond may be the one beside.
    for (const [n, { wallMs }] of rightOnes.entries())
      expect(Math.abs(found[n]!.wallMs - wallMs)).toBeLessThanOrEqual(1)
  })
  await fc.assert(property, { numRuns: runs, ...(seed === undefined ? {} : { seed }) })
}

type Reading = MachineBoot['readings'][number]

function asRead(recorded: Reading, vouchedMs: number | undefined): Reading {
  if (isTrusted(recorded.clock) || vouchedMs === undefined) return recorded
  return { ...recorded, wallMs: Math.floor(vouchedMs + recorded.monoMs), clock: 'holdover' }
}
