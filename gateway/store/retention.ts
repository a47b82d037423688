import { EVENT_CLASSES, type EventClass } from '../contract/event.ts'

/** What settings say about how much is kept, and how long. */
export interface Keeping {
  readonly keepMs: Readonly<Record<EventClass, number>>
  /** The log with everything beside it takes at most so much of the disk. */
  readonly maxBytes: number
}

/** How `maxBytes` is divided between the files of the log. */
export interface Room {
  /** The database may grow to so many bytes; SQLite is held to it by `max_page_count`. */
  readonly databaseBytes: number
  /** From so many bytes in use on the log is trimmed ... */
  readonly startBytes: number
  /** ... until no more than these are. */
  readonly stopBytes: number
  /** The WAL is copied into the database when it has so many frames, and cut to so many bytes where it got longer. */
  readonly walFrames: number
  readonly walBytes: number
  readonly ballastBytes: number
}

/** The mark with its journal, and what the file system takes for its own of so few files. */
const BESIDES_BYTES = 128 * 1024
const PAGE_BYTES = 4096
/** A frame of the WAL is a page and a head (sqlite.org/fileformat2, section 4.1). */
const FRAME_BYTES = PAGE_BYTES + 24
const WAL_FRAMES_MAX = 4000
const BALLAST_BYTES_MAX = 32 * 1024 * 1024
const START_PART = 0.95
const STOP_PART = 0.94

/**
 * A quarter of a small log goes to its WAL and its ballast; a large one gives them 66 MB. The room between where
 * trimming begins and the cap is for what is committed until it has begun.
 */
export function roomOf(maxBytes: number): Room {
  const walBytes = Math.min(2 * WAL_FRAMES_MAX * FRAME_BYTES, maxBytes / 8)
  // What the WAL holds when it is copied, twice: the database may have to grow by that before anything is free.
  const ballastBytes = Math.floor(Math.min(BALLAST_BYTES_MAX, maxBytes / 8))
  return {
    ...marksOf(maxBytes - walBytes - ballastBytes - BESIDES_BYTES),
    // The other half is for the one commit that may come when the WAL is just not full.
    walFrames: Math.floor(walBytes / 2 / FRAME_BYTES),
    walBytes: Math.floor(walBytes),
    ballastBytes,
  }
}

/** Of a disk so much is left to others and to the file system itself. */
const OTHERS_PART = 0.1

/** What a log may take where the settings allow more than its disk has. @param diskBytes undefined where nobody can say */
export function fittingBytes(maxBytes: number, diskBytes: number | undefined): number {
  return Math.min(maxBytes, Math.floor((diskBytes ?? Number.POSITIVE_INFINITY) * (1 - OTHERS_PART)))
}

/** While the disk is full the log gets along with this part of its ballast, and with as much less of a WAL. */
const CONFINED_PART = 0.25

/** The room of a database that takes so much of a disk that is full: what the ballast gave has to last. */
export function confined(room: Room, takenBytes: number, ballastGave: boolean): Room {
  const gaveBytes = ballastGave ? room.ballastBytes * CONFINED_PART : 0
  const bytes = Math.min(takenBytes + gaveBytes, room.databaseBytes)
  return { ...room, ...marksOf(bytes), walFrames: Math.floor(room.walFrames * CONFINED_PART) }
}

function marksOf(bytes: number): Pick<Room, 'databaseBytes' | 'startBytes' | 'stopBytes'> {
  const databaseBytes = Math.floor(bytes / PAGE_BYTES) * PAGE_BYTES
  return { databaseBytes, startBytes: databaseBytes * START_PART, stopBytes: databaseBytes * STOP_PART }
}

/**
 * The part of the room that each class never loses to another one, however much of the others there is; the rest is
 * for who comes first. Readings are most of what a hub writes and can be thinned, so they may use all that is free
 * and give it back first.
 */
export const RESERVED_PARTS: Readonly<Record<EventClass, number>> = {
  telemetry: 0.4,
  status: 0.15,
  alarm: 0.2,
  audit: 0.15,
}

/** Which class gives way first when there is no room: this order holds among those above their reserved room. */
export const EVICTION_ORDER: readonly EventClass[] = ['telemetry', 'status', 'alarm', 'audit']

/** What there is of one class. */
export interface ClassState {
  readonly rows: number
  /** Its rows on the disk, about. */
  readonly bytes: number
  /** Everything up to here is confirmed by all consumers that must have it; infinite where there is none. */
  readonly confirmedSeq: number
  /**
   * Everything up to here is older than `keepMs`, proven by a clock that was trusted then and is now; 0 where
   * nothing is, or time is not sure.
   */
  readonly expiredSeq: number
  /** The place of its oldest row's last event; infinite where it has no row. */
  readonly oldestSeq: number
}

export interface LogState {
  /** Of the pages that are in use; freed ones are filled again before the file grows. */
  readonly usedBytes: number
  readonly classes: Readonly<Record<EventClass, ClassState>>
  /** Trimming for room has begun and goes on to `stopBytes`. */
  readonly making: boolean
}

/** Rows of one class that are to go, oldest first: up to a place, or until so many bytes are free. */
export interface Trim {
  readonly class: EventClass
  readonly why: 'age' | 'size'
  /** Only rows that end here or before. */
  readonly untilSeq: number
  readonly bytes: number
}

/**
 * What is to go next; undefined when all may stay. Age lets go only of what everybody confirmed who must have it:
 * what was not confirmed stays until its room is needed. For room, the first class in the order goes that holds
 * more than its reserved part; what it has confirmed is at its old end and so goes first by itself.
 */
export function nextTrim(room: Pick<Room, 'startBytes' | 'stopBytes'>, log: LogState): Trim | undefined {
  return expired(log) ?? crowdedOut(room, log)
}

function expired({ classes }: LogState): Trim | undefined {
  for (const name of EVICTION_ORDER) {
    const { oldestSeq, expiredSeq, confirmedSeq } = classes[name]
    const untilSeq = Math.min(expiredSeq, confirmedSeq)
    if (oldestSeq <= untilSeq) return { class: name, why: 'age', untilSeq, bytes: Number.POSITIVE_INFINITY }
  }
  return undefined
}

function crowdedOut(
  { startBytes, stopBytes }: Pick<Room, 'startBytes' | 'stopBytes'>,
  log: LogState,
): Trim | undefined {
  const { usedBytes, classes, making } = log
  if (usedBytes <= (making ? stopBytes : startBytes)) return undefined
  const over = EVICTION_ORDER.find((name) => classes[name].rows > 0 && bytesOver(name, stopBytes, log) > 0)
  const name = over ?? EVICTION_ORDER.find((each) => classes[each].rows > 0)
  if (name === undefined) return undefined
  const bytes = Math.min(usedBytes - stopBytes, over === undefined ? usedBytes : bytesOver(name, stopBytes, log))
  return { class: name, why: 'size', untilSeq: Number.POSITIVE_INFINITY, bytes }
}

/**
 * How much of the class lies outside its reserved room. What belongs to no class (records of gaps, cursors, pages
 * half full) is put down to the classes by their size: it comes from their rows, and so the parts make the whole.
 */
function bytesOver(name: EventClass, stopBytes: number, { usedBytes, classes }: LogState): number {
  const all = EVENT_CLASSES.reduce((sum, each) => sum + classes[each].bytes, 0)
  const own = all === 0 ? 0 : (classes[name].bytes / all) * usedBytes
  return own - RESERVED_PARTS[name] * stopBytes
}
