/**
 * What the log last knew of itself, kept beside it in a file of its own: written when the log is opened, after each
 * checkpoint and before it is closed, always behind what it speaks of. A log that falls short of its mark is not the
 * continuation of what was acknowledged (its WAL was deleted or exchanged, an older copy was put back, the card
 * forgot), and going on in the same epoch would give places out twice.
 */
export interface Mark {
  readonly epoch: string
  /** The run of the hub that wrote it. */
  readonly boot: number
  readonly lastSeq: number
  /** First salt of the WAL's header. Each time SQLite begins the WAL anew it adds one (sqlite.org/fileformat2, section 4.1). */
  readonly walSalt: number | undefined
  /** Nothing came after it, and everything may have been copied out of the WAL. */
  readonly closed: boolean
  /** It speaks of a log in whose place another one was put then, from a backup. */
  readonly restored?: string
}

/** What is found on the disk. */
export interface Found {
  readonly epoch: string
  /** The last run that the log knows of. */
  readonly boot: number
  readonly lastSeq: number
  readonly walSalt: number | undefined
}

export function markText(mark: Mark): string {
  return JSON.stringify(mark)
}

/** Undefined for what is no mark. */
export function parseMark(text: string): Mark | undefined {
  try {
    const { epoch, boot, lastSeq, walSalt, closed, restored } = JSON.parse(text)
    const put = typeof restored === 'string' ? { restored } : {}
    if (typeof epoch !== 'string' || !Number.isInteger(boot) || !Number.isInteger(lastSeq)) return undefined
    const salt = Number.isInteger(walSalt) ? walSalt : undefined
    return { epoch, boot, lastSeq, walSalt: salt, closed: closed === true, ...put }
  } catch {
    return undefined
  }
}

/** What to keep when another log is put in the place of the one that this speaks of. */
export function restoredText(mark: Mark | undefined, stamp: string): string {
  return JSON.stringify({ ...(mark ?? { epoch: '', boot: 0, lastSeq: 0, closed: true }), restored: stamp })
}

/**
 * A start begins the WAL anew before it writes the mark: so often one may be cut short in between, one after the other, until
 * a mark is written again. The salt of another log is any number of 32 bits.
 */
const UNMARKED_MAX = 16

/** Whether a WAL with this salt may belong to the log: SQLite would copy any other one into it. */
export function isOwnWal(mark: Mark, walSalt: number): boolean {
  return mark.walSalt !== undefined && (walSalt - mark.walSalt + 2 ** 32) % 2 ** 32 <= UNMARKED_MAX
}

/** Why the log is not provably the continuation of what the mark speaks of; undefined when it is. */
export function doubt(mark: Mark | undefined, found: Found): string | undefined {
  // Nothing was acknowledged before the first mark was written.
  if (mark === undefined) return found.lastSeq === 0 ? undefined : 'nothing beside it says where it ended'
  if (mark.restored !== undefined) return `it was restored from a backup (${mark.restored})`
  if (mark.epoch !== found.epoch) return `it is of epoch ${found.epoch}, the last one here was ${mark.epoch}`
  if (found.lastSeq < mark.lastSeq) return `it ends at ${found.lastSeq}, it had come to ${mark.lastSeq}`
  if (found.boot < mark.boot) return `it knows of run ${found.boot}, the last one here was ${mark.boot}`
  if (!mark.closed && found.walSalt === undefined) return 'its WAL is gone'
  return undefined
}
