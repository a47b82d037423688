import { readFileSync, statSync } from 'node:fs'
import type { Random } from '../../gateway/contract/io.ts'
import type { Disk } from '../../gateway/store/disk-watch.ts'
import { type Hand, type Handled, sqliteError } from './sqlite-hand.ts'

export type DiskFault = 'io-write' | 'io-fsync' | 'io-read' | 'io-open' | 'power-cut'

const PLENTY_BYTES = 1e12
/** What a statement takes of a full disk, and what a row gives back, about. */
const INSERT_BYTES = 800
const ROW_BYTES = 400
const SECTOR_BYTES = 512
const PAGE_BYTES = 4096
const WAL_HEADER_BYTES = 32
/** SQLite syncs each commit at FULL, at NORMAL only before a checkpoint (sqlite.org/pragma, synchronous). */
const FULL = 2

/** A moment of the files beside each other, by how their names end. */
export type Image = ReadonlyMap<string, Buffer>

/** The disk under the log: statements fail on it, it is full for a while, and a power cut leaves what was synced and a part of the rest. */
export class SimulatedDisk implements Hand, Disk {
  readonly #random: Random
  readonly #struck: (kind: DiskFault | 'disk-full') => void
  /** Faults that wait for their statement: it comes after so many that could be hit. */
  readonly #armed = new Map<DiskFault, number>()
  /** What may yet be written; undefined while there is plenty. */
  #leftBytes: number | undefined
  #ballastBytes = 0
  #looking = false
  #doubt: 'none' | 'now' | 'over' = 'none'
  /** Name of the database. */
  path = ''
  /** What the disk holds since the power was cut: nothing can be written any more. */
  image: Image | undefined

  constructor(random: Random, struck: (kind: DiskFault | 'disk-full') => void) {
    this.#random = random
    this.#struck = struck
  }

  /** One of the next statements meets it. @param amount from 0 to 1, how far off that is */
  arm(kind: DiskFault, amount: number): void {
    this.#armed.set(kind, Math.floor(amount * 6))
    // Nothing is opened unless something went wrong before.
    if (kind === 'io-open') this.#armed.set('io-write', 0)
  }

  /**
   * Whether the mark could not be written since the last look, so that nothing proves the log to be the continuation of
   * what was acknowledged.
   */
  takeDoubt(): boolean {
    const doubt = this.#doubt !== 'none'
    if (this.#doubt === 'over') this.#doubt = 'none'
    return doubt
  }

  /** Nothing fails any more. */
  heal(): void {
    this.#armed.clear()
    this.#leftBytes = undefined
  }

  /** Another machine stands up on the same disk. */
  restarted(): void {
    this.image = undefined
    this.#armed.delete('power-cut')
  }

  get isFull(): boolean {
    return this.#leftBytes !== undefined
  }

  set full(full: boolean) {
    this.#leftBytes = full ? 0 : undefined
  }

  freeBytes(): number {
    return this.#leftBytes ?? PLENTY_BYTES
  }
  totalBytes(): number {
    return 2 * PLENTY_BYTES
  }
  writtenBytes(): undefined {
    return undefined
  }
  ballastBytes(): number {
    return this.#ballastBytes
  }
  growBallast(bytes: number): void {
    this.#ballastBytes += bytes
  }
  dropBallast(): void {
    if (this.#leftBytes !== undefined) this.#leftBytes += this.#ballastBytes
    this.#ballastBytes = 0
  }

  statement<Result>(statement: Handled, run: () => Result): Result {
    const { name } = statement.database
    const ours = name === this.path || name === `${this.path}-mark`
    if (!ours || this.#looking) return run()
    if (name === this.path || !statement.source.startsWith('INSERT')) return this.#statement(statement, run)
    const before = this.#doubt
    this.#doubt = 'now'
    const result = this.#statement(statement, run)
    this.#doubt = before === 'none' ? 'none' : 'over'
    return result
  }

  #statement<Result>(statement: Handled, run: () => Result): Result {
    if (this.image !== undefined) throw sqliteError('SQLITE_IOERR', 'the power is off')
    if (this.#leftBytes !== undefined) return this.#short(statement, run)
    if (this.#armed.size === 0) return run()
    const { source } = statement
    const syncs = isSync(statement)
    if (/^PRAGMA locking_mode/.test(source) && this.#meets('io-open'))
      throw sqliteError('SQLITE_CANTOPEN', 'unable to open database file')
    if (/^SELECT/i.test(source) && this.#meets('io-read')) throw sqliteError('SQLITE_IOERR_READ', 'disk I/O error')
    if ((syncs || /^(INSERT|DELETE|UPDATE)/.test(source)) && this.#meets('io-write'))
      throw sqliteError('SQLITE_IOERR_WRITE', 'disk I/O error')
    if (syncs && this.#meets('power-cut')) this.#cut(statement, run)
    const result = run()
    // It was done, and nobody can say so.
    if (syncs && this.#meets('io-fsync')) throw sqliteError('SQLITE_IOERR_FSYNC', 'disk I/O error')
    return result
  }

  #meets(kind: DiskFault): boolean {
    const left = this.#armed.get(kind)
    if (left === undefined) return false
    if (left > 0) {
      this.#armed.set(kind, left - 1)
      // An opening fails until its count has come down: so each of them is met.
      if (kind !== 'io-open') return false
    } else {
      this.#armed.delete(kind)
    }
    this.#struck(kind)
    return true
  }

  #short<Result>({ source }: Handled, run: () => Result): Result {
    const left = this.#leftBytes ?? 0
    if (/^INSERT INTO (telemetry|status|alarm|audit|gap) /.test(source)) {
      if (left < INSERT_BYTES) {
        this.#struck('disk-full')
        throw sqliteError('SQLITE_FULL', 'database or disk is full')
      }
      this.#leftBytes = left - INSERT_BYTES
    }
    const result = run()
    // The page is free for the next row, though the file becomes no smaller.
    if (/^DELETE FROM (telemetry|status|alarm|audit) /.test(source)) {
      const { changes } = result as { readonly changes: number }
      this.#leftBytes = left + changes * ROW_BYTES
    }
    return result
  }

  /** Keep what a power cut within this statement leaves on the disk. */
  #cut(statement: Handled, run: () => unknown): never {
    const before = this.#look(statement)
    run()
    const after = this.#look(statement)
    const files = new Map<string, Buffer>()
    for (const end of ['', '-wal', '-mark']) {
      const [old, now] = [before.files.get(end), after.files.get(end)]
      if (now === undefined) continue
      // The mark has a journal of its own: the old text or the new one.
      if (end === '-mark') files.set(end, old !== undefined && this.#random.next() < 0.5 ? old : now)
      else if (old === undefined || old.equals(now)) files.set(end, now)
      else files.set(end, end === '' ? this.#mixed(old, now, PAGE_BYTES, 0) : this.#torn(old, now))
    }
    const wal = files.get('-wal')
    if (wal !== undefined && before.unsynced) {
      // Nothing of it was ever synced since it was begun: any end of it may be missing.
      wal.fill(0, WAL_HEADER_BYTES + Math.floor(this.#random.next() * (wal.length - WAL_HEADER_BYTES)))
    }
    this.image = files
    throw sqliteError('SQLITE_IOERR', 'the power is off')
  }

  /** The header of a WAL that is begun anew is synced before its frames are. */
  #torn(old: Buffer, now: Buffer): Buffer {
    const chance = this.#random.next()
    if (chance < 0.2) return old
    if (chance < 0.4) return now
    return this.#mixed(old, now, SECTOR_BYTES, WAL_HEADER_BYTES)
  }

  /** Of each block that was on the way the disk has the old or the new. */
  #mixed(old: Buffer, now: Buffer, blockBytes: number, sureBytes: number): Buffer {
    const mixed = Buffer.from(now)
    for (let at = sureBytes; at < now.length; at += blockBytes) {
      const end = Math.min(at + blockBytes, now.length)
      if (old.subarray(at, end).equals(now.subarray(at, end)) || this.#random.next() < 0.5) continue
      mixed.fill(0, at, end)
      if (at < old.length) old.copy(mixed, at, at, Math.min(end, old.length))
    }
    return mixed
  }

  #look({ database }: Handled): { files: Map<string, Buffer>; unsynced: boolean } {
    const files = new Map<string, Buffer>()
    for (const end of ['', '-wal', '-mark']) {
      if (statSync(this.path + end, { throwIfNoEntry: false }) !== undefined)
        files.set(end, readFileSync(this.path + end))
    }
    if (database.name !== this.path) return { files, unsynced: false }
    this.#looking = true
    try {
      if (database.pragma('synchronous', { simple: true }) === FULL) return { files, unsynced: false }
      const [wal] = database.pragma('wal_checkpoint(NOOP)') as { log: number; checkpointed: number }[]
      return { files, unsynced: wal === undefined || wal.log !== wal.checkpointed }
    } catch {
      // Within a transaction nobody is told how long the WAL is.
      return { files, unsynced: true }
    } finally {
      this.#looking = false
    }
  }
}

/** What makes the disk hold something for good. */
function isSync({ source, database }: Handled): boolean {
  if (source === 'COMMIT' || source.startsWith('PRAGMA wal_checkpoint(PASSIVE)')) return true
  return !database.inTransaction && /^INSERT/.test(source)
}
