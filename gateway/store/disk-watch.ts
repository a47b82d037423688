/** What somebody else can do to the log: fill the disk that it stands on. */

export type DiskState = 'well' | 'almost-full' | 'full'

/** The disk under the log, and the file beside it that only takes room. */
export interface Disk {
  /** Bytes that this process may yet write; undefined where nobody can say. */
  freeBytes(): number | undefined
  /** Its size; undefined where nobody can say. */
  totalBytes(): number | undefined
  /** What this process has had written since it began; undefined where nobody counts it. */
  writtenBytes(): number | undefined
  /** What the ballast takes. */
  ballastBytes(): number
  /** Make the ballast so much larger, of real blocks. Throws where there is no room. */
  growBallast(bytes: number): void
  /** Give its room back. */
  dropBallast(): void
}

/** The disk is almost full when less than so many times the ballast is free ... */
const ALMOST_FULL_PARTS = 3
/** ... and well again when so much more is. */
const WELL_AGAIN_PARTS = 4
/** Written in one step: whoever waits for a commit waits for one of them at most. */
const STEP_BYTES = 256 * 1024
/** With less than this free it is not the cap of the database that a commit has met. */
const NOTHING_BYTES = 64 * 1024

/** From less than this nobody can say what a day brings. */
const KNOWN_AFTER_MS = 600_000
const DAY_MS = 86_400_000

export interface DiskReport {
  readonly state: DiskState
  readonly freeBytes: number | undefined
  readonly ballastBytes: number
  readonly writtenBytes: number | undefined
  /** At the rate of this run; undefined until it lasted for a while. */
  readonly writtenADay: number | undefined
}

/**
 * Keeps the ballast: room that is given up when somebody else has filled the disk, so that alarms, doors and the
 * eviction itself, which needs room too, can still be written; and taken again when there is plenty.
 */
export class DiskWatch {
  readonly #disk: Disk
  readonly #wantedBytes: number
  #state: DiskState = 'well'
  #givenUp = false
  #news = false
  #first: { readonly monoMs: number; readonly bytes: number } | undefined
  #last: { readonly monoMs: number; readonly bytes: number } | undefined

  constructor(disk: Disk, ballastBytes: number) {
    this.#disk = disk
    this.#wantedBytes = ballastBytes
  }

  /** While the disk is full the log stays within the room that it has. */
  get full(): boolean {
    return this.#givenUp
  }

  /** True from the moment when the ballast was given up until somebody has looked. */
  get news(): boolean {
    return this.#news
  }

  /** Whether a commit that found no room met the end of the disk. */
  nothingLeft(): boolean {
    return (this.#disk.freeBytes() ?? Number.POSITIVE_INFINITY) < NOTHING_BYTES
  }

  /** Give up the ballast. False where there was none: then there is no room to be had. */
  giveUp(): boolean {
    const had = this.#disk.ballastBytes() > 0
    this.#disk.dropBallast()
    this.#givenUp = true
    this.#news = true
    return had
  }

  /** What a day writes at the rate since the first look. */
  #writtenADay(): number | undefined {
    if (this.#first === undefined || this.#last === undefined) return undefined
    const spanMs = this.#last.monoMs - this.#first.monoMs
    return spanMs < KNOWN_AFTER_MS ? undefined : ((this.#last.bytes - this.#first.bytes) / spanMs) * DAY_MS
  }

  /**
   * Look at the disk, and with `mayMake` make a piece of the ballast where it is missing.
   * @returns true when another piece can follow at once
   */
  step(monoMs: number, mayMake: boolean): boolean {
    this.#news = false
    const bytes = this.#disk.writtenBytes()
    if (bytes !== undefined) {
      this.#last = { monoMs, bytes }
      this.#first ??= this.#last
    }
    if (this.#disk.ballastBytes() > this.#wantedBytes) this.#disk.dropBallast()
    const freeBytes = this.#disk.freeBytes()
    const missingBytes = Math.max(0, this.#wantedBytes - this.#disk.ballastBytes())
    const plenty = freeBytes === undefined || freeBytes - missingBytes >= WELL_AGAIN_PARTS * this.#wantedBytes
    // Whoever hears of it late, because nothing could be written, still hears that it was full.
    const untold = this.#givenUp && this.#state !== 'full'
    if (plenty && !untold) this.#givenUp = false
    this.#state = this.#next(freeBytes ?? Number.POSITIVE_INFINITY)
    if (untold) return plenty
    if (missingBytes === 0 || !plenty || !mayMake) return false
    this.#disk.growBallast(Math.min(STEP_BYTES, missingBytes))
    return missingBytes > STEP_BYTES
  }

  #next(freeBytes: number): DiskState {
    if (this.#givenUp) return 'full'
    if (freeBytes < ALMOST_FULL_PARTS * this.#wantedBytes) return 'almost-full'
    // Between the two marks it stays what it was, so that a log that is rotated there does not ring all day.
    return this.#state === 'almost-full' && freeBytes < WELL_AGAIN_PARTS * this.#wantedBytes ? 'almost-full' : 'well'
  }

  report(): DiskReport {
    return {
      state: this.#state,
      freeBytes: this.#disk.freeBytes(),
      ballastBytes: this.#disk.ballastBytes(),
      writtenBytes: this.#disk.writtenBytes(),
      writtenADay: this.#writtenADay(),
    }
  }
}
