import { CLOCK_STATES, type ClockState, isTrusted } from '../contract/clock.ts'
import type { Stream } from './parcel.ts'

/** Readings of so much time become one summary. */
export const PERIOD_MS = 900_000
export const SUMMARY_TYPE = 'linli.meter.summary'

/** One reading, as it stands in the log. */
export interface Reading {
  readonly seq: number
  readonly stream: Stream
  readonly wallMs: number
  readonly monoUs: number
  readonly body: string
}

/** The period that a reading belongs to: by the wall where a clock vouched for it, else by the time since the start of the hub. */
export function periodOf({ stream, wallMs, monoUs }: Pick<Reading, 'stream' | 'wallMs' | 'monoUs'>): Period {
  const sure = isTrusted(stream.clock)
  return { by: sure ? 'wall' : 'mono', number: Math.floor((sure ? wallMs : monoUs / 1000) / PERIOD_MS) }
}

export interface Period {
  readonly by: 'wall' | 'mono'
  readonly number: number
}

/** Whose readings become one: of the same source, type and privacy. */
export function groupOf({ type, source, privacy }: Stream): string {
  return `${privacy} ${type} ${source}`
}

type Value = number | boolean | string | null

interface Point {
  readonly unit: string | undefined
  readonly numbers: Numbers
  readonly others: Others
  nulls: number
}

/** A reading of a shape that a summary can stand for; undefined for any other: that one is left as it is. */
interface Parsed {
  readonly quality: string
  readonly points: readonly (readonly [name: string, value: Value, unit: string | undefined])[]
}

export function parseReading({ stream, body }: Pick<Reading, 'stream' | 'body'>): Parsed | undefined {
  if (stream.class !== 'telemetry' || stream.type === SUMMARY_TYPE) return undefined
  let data: unknown
  try {
    data = JSON.parse(body)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
  if (!isObject(data) || !isObject(data.points) || typeof data.quality !== 'string') return undefined
  if (Object.keys(data).length !== 2) return undefined
  const points: [string, Value, string | undefined][] = []
  for (const [name, point] of Object.entries(data.points)) {
    if (!isObject(point) || !isValue(point.v) || !(point.u === undefined || typeof point.u === 'string'))
      return undefined
    if (Object.keys(point).length !== (point.u === undefined ? 1 : 2)) return undefined
    points.push([name, point.v, point.u])
  }
  return { quality: data.quality, points }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isValue(value: unknown): value is Value {
  return value === null || ['number', 'boolean', 'string'].includes(typeof value)
}

/**
 * What becomes of the readings of one source in one period. Times in its body are milliseconds before the time of the
 * event itself, which is that of the last reading: whoever corrects that one has corrected them all.
 */
export class Summary {
  readonly #points = new Map<string, Point>()
  readonly #quality = new Map<string, number>()
  #first: Reading | undefined
  #last: Reading | undefined
  #clock: ClockState = 'synced'
  #count = 0

  get count(): number {
    return this.#count
  }

  /** Take a reading in, in order of the log. False, with nothing taken, when a point comes in another unit than before. */
  add(reading: Reading, { quality, points }: Parsed): boolean {
    for (const [name, , unit] of points) {
      const known = this.#points.get(name)
      if (known !== undefined && known.unit !== unit) return false
    }
    this.#first ??= reading
    this.#last = reading
    this.#count += 1
    this.#quality.set(quality, (this.#quality.get(quality) ?? 0) + 1)
    const { clock } = reading.stream
    if (CLOCK_STATES.indexOf(clock) < CLOCK_STATES.indexOf(this.#clock)) this.#clock = clock
    for (const [name, value, unit] of points) this.#point(name, unit, value, reading.monoUs / 1000)
    return true
  }

  #point(name: string, unit: string | undefined, value: Value, ms: number): void {
    let point = this.#points.get(name)
    if (point === undefined) {
      point = { unit, numbers: new Numbers(), others: new Others(), nulls: 0 }
      this.#points.set(name, point)
    }
    if (value === null) point.nulls += 1
    else if (typeof value === 'number') point.numbers.add(value, ms)
    else point.others.add(value, ms)
  }

  /** The event that stands for them. */
  event(): { readonly stream: Stream; readonly wallMs: number; readonly monoUs: number; readonly body: string } {
    const last = this.#last!
    const atMs = last.monoUs / 1000
    const { type, source, privacy } = last.stream
    const points = [...this.#points].map(([name, { unit, numbers, others, nulls }]) => {
      const members = {
        ...numbers.told(isCounter(name, unit), atMs),
        ...others.told(atMs),
        ...(nulls > 0 && { nulls }),
      }
      return [name, { ...members, ...(unit !== undefined && { u: unit }) }]
    })
    const data = {
      of: type,
      count: this.#count,
      spanMs: rounded(atMs - this.#first!.monoUs / 1000),
      quality: Object.fromEntries(this.#quality),
      points: Object.fromEntries(points),
    }
    const stream: Stream = { class: 'telemetry', type: SUMMARY_TYPE, source, privacy, clock: this.#clock }
    return { stream, wallMs: last.wallMs, monoUs: last.monoUs, body: JSON.stringify(data) }
  }
}

interface At<T> {
  readonly v: T
  readonly ms: number
}

class Numbers {
  #count = 0
  #first: At<number> | undefined
  #last: At<number> | undefined
  #min = Number.POSITIVE_INFINITY
  #max = Number.NEGATIVE_INFINITY
  #sum = 0
  #rising = true

  add(v: number, ms: number): void {
    if (this.#last !== undefined && v < this.#last.v) this.#rising = false
    this.#first ??= { v, ms }
    this.#last = { v, ms }
    this.#count += 1
    this.#min = Math.min(this.#min, v)
    this.#max = Math.max(this.#max, v)
    this.#sum += v
  }

  /** Of a counter its first and last value say all, unless it fell in between; of any other number its range and mean. */
  told(counter: boolean, atMs: number): object {
    if (this.#count === 0) return {}
    const range = { min: this.#min, max: this.#max }
    if (!counter) return { ...range, mean: mean(this.#sum, this.#count), count: this.#count }
    const ends = { ...edge('first', this.#first!, atMs), ...edge('last', this.#last!, atMs) }
    return { ...ends, ...(this.#rising ? {} : range), count: this.#count }
  }
}

class Others {
  #count = 0
  #changes = 0
  #first: At<boolean | string> | undefined
  #last: At<boolean | string> | undefined

  add(v: boolean | string, ms: number): void {
    if (this.#last !== undefined && this.#last.v !== v) this.#changes += 1
    this.#first ??= { v, ms }
    this.#last = { v, ms }
    this.#count += 1
  }

  told(atMs: number): object {
    if (this.#count === 0) return {}
    const { v } = this.#first!
    return { firstState: v, ...edge('lastState', this.#last!, atMs), changes: this.#changes, states: this.#count }
  }
}

function edge(name: string, { v, ms }: At<unknown>, atMs: number): object {
  return { [name]: v, [`${name}BeforeMs`]: rounded(atMs - ms) }
}

/** Monotonic time is kept in microseconds; less than a millisecond nobody asks for. */
function rounded(ms: number): number {
  return Math.round(ms)
}

/** Twelve digits: more is the noise of adding. */
function mean(sum: number, count: number): number {
  return Number((sum / count).toPrecision(12))
}

const COUNTER_NAME = /(^|_)(energy|volume|pulses|vehicles|operating_(time|hours))(_|$)/
const COUNTER_UNIT = /^([kMG]?(Wh|varh|VAh)|[kMG]J|m³|m3|L)$/

/** By its name in the vocabulary of the profiles, or by a unit that only counters come in. */
export function isCounter(name: string, unit: string | undefined): boolean {
  return COUNTER_NAME.test(name) || (unit !== undefined && COUNTER_UNIT.test(unit))
}
