import { EVENT_CLASSES, type EventClass } from '../contract/event.ts'
import { RESERVED_PARTS } from './retention.ts'

/** What there is of one class, and how fast it grows. */
export interface ClassGrowth {
  readonly bytes: number
  readonly bytesADay: number
  readonly keepMs: number
}

export interface LogGrowth {
  readonly classes: Readonly<Record<EventClass, ClassGrowth>>
  /** Of the pages in use, less those that an empty log has too. */
  readonly usedBytes: number
  /** From so many bytes in use on something has to give way. */
  readonly startBytes: number
}

export interface Forecast {
  readonly bytesADay: Readonly<Record<EventClass, number>>
  /** What a day writes to the disk, for all its wear; undefined where it was not measured. */
  readonly writtenADay?: number
  /** Until readings are thinned for want of room; undefined where that never comes at this rate. */
  readonly daysUntilThinning: number | undefined
  /** Until the first event goes for want of room, thinned or not, from each class; undefined where that never comes. */
  readonly daysUntilLoss: Readonly<Record<EventClass, number | undefined>>
}

const DAY_MS = 86_400_000
/** An empty log: a page for each table. */
export const EMPTY_BYTES = 16 * 4096
/** Pages are half full at the worst. */
const OVERHEAD_MAX = 2
/** What readings come to when they are summed up, where the log does not know better: a tenth. */
const THINNED_PART = 0.1

/**
 * How long the room lasts at today's rate. A class that reaches its age before its room is full grows no more: what
 * comes takes the place of what goes. (What somebody has still to confirm does not go by age; that is not foreseen.)
 * @param thinnedPart what is left of a reading when it was thinned
 */
export function forecastOf({ classes, usedBytes, startBytes }: LogGrowth, thinnedPart = THINNED_PART): Forecast {
  const all = EVENT_CLASSES.reduce((sum, name) => sum + classes[name].bytes, 0)
  // Records of gaps, pages half full: it grows with the rows.
  const overhead = all === 0 ? 1 : Math.min(OVERHEAD_MAX, Math.max(1, usedBytes / all))
  const lanes = EVENT_CLASSES.map((name) => laneOf(name, classes[name], overhead))
  const daysUntilThinning = daysUntil(lanes, startBytes)
  const reserved = (name: EventClass): number => RESERVED_PARTS[name] * startBytes
  const thin = lanes.map((lane) => (lane.name === 'telemetry' ? thinned(lane, thinnedPart) : lane))
  const daysOf = (name: EventClass): number | undefined => {
    // Before this class anything goes that gives way before it and has more than its own.
    const before = EVENT_CLASSES.indexOf(name)
    const held = thin.map((lane, at) =>
      at < before ? { ...lane, capBytes: Math.min(lane.capBytes, reserved(lane.name)) } : lane,
    )
    const own = thin[before]!
    const full = daysUntil(held, startBytes)
    const over = daysUntil([own], reserved(name))
    return full === undefined || over === undefined ? undefined : Math.max(full, over)
  }
  return {
    bytesADay: byClass((name) => classes[name].bytesADay * overhead),
    daysUntilThinning,
    daysUntilLoss: byClass(daysOf),
  }
}

/** A class on its way: it grows at a rate until it has all that its age lets it keep. */
interface LaneGrowth {
  readonly name: EventClass
  readonly bytes: number
  readonly bytesADay: number
  readonly capBytes: number
}

function laneOf(name: EventClass, { bytes, bytesADay, keepMs }: ClassGrowth, overhead: number): LaneGrowth {
  const rate = Math.max(0, bytesADay) * overhead
  return {
    name,
    bytes: bytes * overhead,
    bytesADay: rate,
    capBytes: Math.max(bytes * overhead, (rate * keepMs) / DAY_MS),
  }
}

function thinned(lane: LaneGrowth, part: number): LaneGrowth {
  return { ...lane, bytes: lane.bytes * part, bytesADay: lane.bytesADay * part, capBytes: lane.capBytes * part }
}

/** When the classes together come to so many bytes: piece by piece, from one class at its age to the next. */
function daysUntil(lanes: readonly LaneGrowth[], bytes: number): number | undefined {
  const growing = lanes
    .filter((lane) => lane.bytesADay > 0 && lane.capBytes > lane.bytes)
    .map((lane) => ({ rate: lane.bytesADay, untilDays: (lane.capBytes - lane.bytes) / lane.bytesADay }))
    .sort((a, b) => a.untilDays - b.untilDays)
  let sum = lanes.reduce((total, lane) => total + Math.min(lane.bytes, lane.capBytes), 0)
  let day = 0
  for (const [at, { untilDays }] of growing.entries()) {
    const rate = growing.slice(at).reduce((total, lane) => total + lane.rate, 0)
    const needed = (bytes - sum) / rate
    if (needed <= untilDays - day) return day + Math.max(0, needed)
    sum += rate * (untilDays - day)
    day = untilDays
  }
  return sum >= bytes ? day : undefined
}

function byClass<T>(of: (name: EventClass) => T): Record<EventClass, T> {
  return Object.fromEntries(EVENT_CLASSES.map((name) => [name, of(name)])) as Record<EventClass, T>
}
