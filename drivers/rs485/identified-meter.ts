import { Fault, isFault } from '../../gateway/contract/fault.ts'
import { type BcdPoint, decodeBcdPoint } from './bcd-point.ts'
import { bcdCapacity, countersOf } from './capacity.ts'
import type { Value } from './codec/value.ts'
import type { MeterPlan, PlannedMeter, PointValue, Poll } from './meter.ts'

/** What a meter said of one identifier. */
export type Told =
  | { readonly kind: 'data'; readonly data: Uint8Array; readonly monoMs: number }
  /** It does not have it, and will not have it next time. */
  | { readonly kind: 'refused'; readonly reason: string; readonly monoMs: number }

/** Ask for what stands behind an identifier. @throws Fault of reach `device` when no answer came, or one that is no use */
export type Fetch = (identifier: string, attempts: number) => Promise<Told>

interface IdentifiedPoint extends BcdPoint {
  readonly identifier: string
  readonly unit: string
  readonly kind: 'counter' | 'gauge'
  readonly unitAt?: number
}

export interface IdentifiedMeterOptions<Point extends IdentifiedPoint> {
  readonly id: string
  /** Of the profile, for what is told. */
  readonly profile: string
  readonly points: readonly Point[]
  readonly fetch: Fetch
  /** @throws Fault of reach `point` where a value can't be told; the plain one when left out */
  readonly decode?: (point: Point, data: Uint8Array) => Value | null
}

/** A meter that is asked by data identifiers, one request each: DL/T 645 and CJ/T 188. */
export class IdentifiedMeter<Point extends IdentifiedPoint> implements PlannedMeter {
  readonly id: string
  readonly counters: ReadonlyMap<string, number | undefined>
  readonly #options: IdentifiedMeterOptions<Point>
  readonly #points: ReadonlyMap<string, readonly Point[]>
  /** Identifiers that it refused, with what it said. */
  readonly #refused = new Map<string, string>()

  constructor(options: IdentifiedMeterOptions<Point>) {
    this.id = options.id
    this.counters = countersOf(options.points, bcdCapacity)
    this.#options = options
    this.#points = Map.groupBy(options.points, ({ identifier }) => identifier)
  }

  plan(): MeterPlan {
    const namesOf = (identifier: string): string[] => this.#points.get(identifier)!.map(({ point }) => point)
    const asked = [...this.#points.keys()].filter((identifier) => !this.#refused.has(identifier))
    return {
      requests: asked.map((what) => ({ what, points: namesOf(what), registers: 0 })),
      refused: [...this.#refused].flatMap(([identifier, why]) => namesOf(identifier).map((point) => ({ point, why }))),
    }
  }

  async read(attempts: number): Promise<Poll> {
    const points: Record<string, PointValue> = {}
    let monoMs: number | undefined
    let fault: Fault | undefined
    for (const identifier of this.#points.keys()) {
      if (this.#refused.has(identifier)) continue
      const told = await this.#options.fetch(identifier, attempts).catch(deviceFault)
      if (isFault(told)) {
        fault = told
        break
      }
      if (told.kind === 'refused') {
        this.#refused.set(identifier, told.reason)
        continue
      }
      monoMs = told.monoMs
      fault = this.#decode(identifier, told.data, points) ?? fault
    }
    if (monoMs === undefined) throw fault ?? this.#nothing()
    return {
      points,
      monoMs,
      complete: fault === undefined && this.#refused.size === 0,
      trouble: fault ?? this.#refusedFault(),
    }
  }

  #decode(identifier: string, data: Uint8Array, points: Record<string, PointValue>): Fault | undefined {
    const { decode = decodeBcdPoint } = this.#options
    let fault: Fault | undefined
    for (const point of this.#points.get(identifier)!) {
      try {
        const v = decode(point, data)
        points[point.point] = point.unit === '' ? { v } : { v, u: point.unit }
      } catch (error) {
        if (!isFault(error) || error.reach !== 'point') throw error
        fault = error
      }
    }
    return fault
  }

  /** A meter that refuses everything may only be starting: all is asked again next time. */
  #nothing(): Fault {
    const words = [...new Set(this.#refused.values())].join(', ')
    this.#refused.clear()
    return new Fault('device', `it has nothing of profile ${this.#options.profile}: ${words}`, {
      code: 'wrong-profile',
      hint: 'is it this model, and this number?',
    })
  }

  #refusedFault(): Fault | undefined {
    if (this.#refused.size === 0) return undefined
    const list = [...this.#refused].flatMap(([identifier, reason]) =>
      this.#points.get(identifier)!.map(({ point }) => `${point} (${identifier}: ${reason})`),
    )
    return new Fault('point', `left out until the next restart: ${list.join(', ')}`, {
      code: 'point',
      hint: 'this meter or its firmware does not have them; a profile of its own would not ask for them',
    })
  }
}

/** A device's fault ends this round only; whatever reaches further, and a bug, goes up. */
function deviceFault(error: unknown): Fault {
  if (isFault(error) && error.reach === 'device') return error
  throw error
}
