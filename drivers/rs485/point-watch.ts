import { Fault } from '../../gateway/contract/fault.ts'
import type { PointValue } from './meter.ts'

/** Near its end is a counter that has come so far, and near its begin one that has come no further. */
const NEAR_END = 0.9
const NEAR_BEGIN = 0.1
/** A float of 32 bits shows a counter with seven digits: what goes back by less did not go back. */
const NOISE_PART = 1e-6
/** The grid never stands still: who shows the same for so long, so often, shows what was. */
const FROZEN_MS = 15 * 60_000
const FROZEN_POLLS = 20
const RESTLESS = /^(voltage|frequency)(_|$)/
/** The point by which a meter says which one it is. */
const NUMBER = 'meter_number'

/** A counter that does not go on where it was. */
export interface CounterChange {
  readonly point: string
  /**
   * `rolled-over`: it came to its end and begins anew, `gain` is what went through meanwhile. `replaced`: the meter has
   * another number. `went-back`: it was reset, or replaced by one that does not tell its number.
   */
  readonly change: 'rolled-over' | 'replaced' | 'went-back'
  readonly before: number
  readonly after: number
  readonly u?: string
  readonly gain?: number
}

type Points = Readonly<Record<string, PointValue>>

/** What the readings of one device say when they are held against those before. */
export class PointWatch {
  /** Counters, and the value that each never reaches: there it begins anew; undefined where that is not known. */
  readonly #counters: ReadonlyMap<string, number | undefined>
  readonly #values = new Map<string, number>()
  #number: unknown
  #restless = ''
  #stillSinceMs = 0
  #stillPolls = 0

  constructor(counters: ReadonlyMap<string, number | undefined>) {
    this.#counters = counters
  }

  /** What the device showed before this life of the hub. */
  remember(points: Points): void {
    this.#number = points[NUMBER]?.v ?? undefined
    for (const point of this.#counters.keys()) {
      const v = points[point]?.v
      if (typeof v === 'number') this.#values.set(point, v)
    }
  }

  /** Hold a reading against the one before. */
  look(points: Points): readonly CounterChange[] {
    const number = points[NUMBER]?.v ?? undefined
    const replaced = number !== undefined && this.#number !== undefined && number !== this.#number
    const changes: CounterChange[] = []
    for (const [point, endsAt] of this.#counters) {
      const { v, u } = points[point] ?? {}
      if (typeof v !== 'number') continue
      const before = this.#values.get(point)
      const change = before === undefined ? undefined : changeOf(before, v, endsAt, replaced)
      if (change !== undefined) changes.push({ point, ...change, ...(u === undefined ? {} : { u }) })
    }
    this.remember({ ...(this.#number === undefined ? {} : { [NUMBER]: { v: this.#number as string } }), ...points })
    return changes
  }

  /** What is wrong with a device that answers with what was; undefined when it does not. */
  stillness(points: Points, monoMs: number): Fault | undefined {
    const restless = JSON.stringify(Object.entries(points).filter(([name, { v }]) => RESTLESS.test(name) && v))
    if (restless !== this.#restless || restless === '[]') {
      this.#restless = restless
      this.#stillSinceMs = monoMs
      this.#stillPolls = 0
      return undefined
    }
    this.#stillPolls += 1
    if (this.#stillPolls < FROZEN_POLLS || monoMs - this.#stillSinceMs < FROZEN_MS) return undefined
    return new Fault('point', 'its voltage or frequency has not moved for a quarter of an hour', {
      code: 'frozen',
      hint: 'its measuring part may hang: switch it off and on; if that does not help, have it replaced',
    })
  }
}

function changeOf(before: number, after: number, endsAt: number | undefined, replaced: boolean) {
  if (replaced) return { change: 'replaced', before, after } as const
  if (after >= before - Math.abs(before) * NOISE_PART) return undefined
  const isOver = endsAt !== undefined && before >= endsAt * NEAR_END && after <= endsAt * NEAR_BEGIN
  if (!isOver) return { change: 'went-back', before, after } as const
  return { change: 'rolled-over', before, after, gain: endsAt - before + after } as const
}
