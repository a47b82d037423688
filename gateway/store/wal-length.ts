import type { Sqlite } from './sqlite.ts'

/** The WAL is copied into the database at once from so many frames on, where retention allows it no fewer ... */
const FRAMES_MAX = 4000
/** ... and when nobody waits from this part of them on. */
const IDLE_PART = 0.25
/** Asking SQLite for the length of its WAL costs as much as a small commit, so it is asked about every so many frames. */
const UNASKED_MAX = 250

/** How long the WAL is, about, and when it should be copied into the database. */
export class WalLength {
  readonly #db: Sqlite
  #frames = 0
  #unasked = 0

  constructor(db: Sqlite) {
    this.#db = db
  }

  /** About so many frames were written. */
  grew(frames: number): void {
    this.#unasked += frames
  }

  /** As soon as nobody waits, or now. */
  due(framesMax: number = FRAMES_MAX): 'no' | 'idle' | 'now' {
    if (this.#unasked >= Math.min(UNASKED_MAX, framesMax * IDLE_PART)) {
      const [state] = this.#db.pragma('wal_checkpoint(NOOP)') as [{ log: number; checkpointed: number }]
      this.#frames = state.log === state.checkpointed ? 0 : state.log
      this.#unasked = 0
    }
    return this.#frames >= framesMax ? 'now' : this.#frames >= framesMax * IDLE_PART ? 'idle' : 'no'
  }

  /** Copy it into the database and sync that; it is then written from its start again. */
  copy(): void {
    this.#db.pragma('wal_checkpoint(PASSIVE)')
    this.#frames = 0
    this.#unasked = 0
  }
}
