import type { Clock } from '../gateway/contract/clock.ts'

/** The power of a home by the hour, as a share of its peak: asleep, breakfast, work, evening. */
const DAY_CURVE = [
  0.14, 0.12, 0.11, 0.11, 0.12, 0.18, 0.35, 0.55, 0.48, 0.34, 0.3, 0.34, 0.45, 0.38, 0.32, 0.32, 0.38, 0.55, 0.8, 1,
  0.95, 0.8, 0.5, 0.25,
]
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** Between two of these moments the power runs straight, so that energy is exact. */
const SEGMENT_MS = 20_000

export interface LoadOptions {
  readonly clock: Clock
  readonly seed: number
  /** Watts at the height of the evening. */
  readonly peakW: number
  /** What the register showed when the simulation began. */
  readonly startKwh: number
}

/**
 * What one home draws: a day curve with noise, and the energy that this makes. Both are functions of time alone,
 * so that a run with the same seed gives the same values however often anybody reads them. The day follows
 * the wall clock at the start and monotonic time from there: setting the clock does not turn the meter.
 */
export class Load {
  readonly #clock: Clock
  readonly #seed: number
  readonly #peakW: number
  readonly #startKwh: number
  readonly #originMs: number
  readonly #dayOffsetMs: number
  #wholeSegments = 0
  #wholeJoules = 0
  /** What the register shows while nothing flows. */
  #heldKwh: number | undefined
  /** What would have been drawn while nothing flowed. */
  #missedKwh = 0

  constructor(options: LoadOptions) {
    this.#clock = options.clock
    this.#seed = options.seed
    this.#peakW = options.peakW
    this.#startKwh = options.startKwh
    this.#originMs = options.clock.monoMs()
    this.#dayOffsetMs = options.clock.wallMs()
  }

  powerW(): number {
    return this.#heldKwh === undefined ? this.#powerAt(this.#elapsedMs()) : 0
  }

  energyKwh(): number {
    return this.#heldKwh ?? this.#drawnKwh() - this.#missedKwh
  }

  /** A relay opens or a valve closes: nothing is drawn until it is on again, and the register stands still. */
  switchOff(): void {
    this.#heldKwh ??= this.energyKwh()
  }

  switchOn(): void {
    if (this.#heldKwh === undefined) return
    this.#missedKwh = this.#drawnKwh() - this.#heldKwh
    this.#heldKwh = undefined
  }

  #drawnKwh(): number {
    const elapsedMs = this.#elapsedMs()
    const segments = Math.floor(elapsedMs / SEGMENT_MS)
    for (; this.#wholeSegments < segments; this.#wholeSegments++) {
      const fromMs = this.#wholeSegments * SEGMENT_MS
      this.#wholeJoules += this.#joules(fromMs, fromMs + SEGMENT_MS)
    }
    return this.#startKwh + (this.#wholeJoules + this.#joules(segments * SEGMENT_MS, elapsedMs)) / 3_600_000
  }

  /** Chance in [-1, 1] that wanders: the same for the same name and moment. */
  wobble(name: string): number {
    const elapsedMs = this.#elapsedMs()
    const at = Math.floor(elapsedMs / SEGMENT_MS)
    const share = elapsedMs / SEGMENT_MS - at
    const salt = this.#seed ^ hashText(name)
    return 2 * (chance(salt, at) * (1 - share) + chance(salt, at + 1) * share) - 1
  }

  #elapsedMs(): number {
    return this.#clock.monoMs() - this.#originMs
  }

  #joules(fromMs: number, toMs: number): number {
    return (((this.#powerAt(fromMs) + this.#powerAt(toMs)) / 2) * (toMs - fromMs)) / 1000
  }

  #powerAt(elapsedMs: number): number {
    const at = Math.floor(elapsedMs / SEGMENT_MS)
    const share = elapsedMs / SEGMENT_MS - at
    return this.#powerAtSegment(at) * (1 - share) + this.#powerAtSegment(at + 1) * share
  }

  #powerAtSegment(segment: number): number {
    const hours = ((this.#dayOffsetMs + segment * SEGMENT_MS) % DAY_MS) / HOUR_MS
    const hour = Math.floor(hours)
    const share = hours - hour
    const curve = DAY_CURVE[hour % 24]! * (1 - share) + DAY_CURVE[(hour + 1) % 24]! * share
    return this.#peakW * curve * (0.75 + 0.5 * chance(this.#seed, segment))
  }
}

/** The load of one home, told from the others by the id of its meter. */
export function homeLoad(clock: Clock, id: string, seed = 0): Load {
  const own = (hashText(id) ^ seed) >>> 0
  return new Load({ clock, seed: own, peakW: 2000 + (own % 7000), startKwh: 200 + ((own >>> 8) % 90_000) / 10 })
}

/** Uniform in [0, 1), the same for the same seed and place (murmur3's finaliser). */
function chance(seed: number, place: number): number {
  let h = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(place | 0, 0xc2b2ae35)
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return ((h ^ (h >>> 16)) >>> 0) / 4_294_967_296
}

/** A seed out of a name (FNV-1a). */
export function hashText(text: string): number {
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  return h >>> 0
}
