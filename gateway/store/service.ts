import type { EventClass } from '../contract/event.ts'
import type { Now } from './ageing.ts'
import type { AuditHead } from './audit-chain.ts'
import type { Opening } from './boots.ts'
import type { OpenedClock } from './clock-fixes.ts'
import type { Confirm, Standing } from './cursors.ts'
import { type Disk, type DiskReport, DiskWatch } from './disk-watch.ts'
import type { Engine, Places } from './engine.ts'
import type { Kept } from './keeper.ts'
import type { KeepingReport } from './keeping-report.ts'
import type { LogFile, OpenedLog } from './log-file.ts'
import { markText } from './mark.ts'
import { openMarked, quietly } from './marked-opening.ts'
import { meaningOf } from './meaning.ts'
import type { PageQuery, RawPage } from './page-builder.ts'
import type { Parcel, Stream } from './parcel.ts'
import { StoreTrouble } from './refusal.ts'
import { fittingBytes, roomOf } from './retention.ts'
import { DataLock, trouble } from './sqlite.ts'
import { copyFault, LiveCopy } from './worker-copy.ts'
import { diskUnder } from './worker-disk.ts'
import { bytesOnDisk, walSalt } from './worker-files.ts'
import { adoptShrunk } from './worker-shrink.ts'

/** What can be asked of the writer, and what it answers. Calls are done one after the other, in order. */
export interface Calls {
  /** Take the lock and open the file; or open it anew after an error. */
  open: [{ readonly file: LogFile; readonly opening: Opening }, Opened]
  commit: [CommitCall, Committed]
  read: [PageQuery, RawPage]
  cursor: [
    { readonly consumer: string; readonly classes?: readonly EventClass[] },
    { readonly epoch: string; readonly seq: number } | undefined,
  ]
  /** Take away one chunk of what is up to this place. */
  trim: [number, { readonly done: boolean; readonly firstSeq: number }]
  /** One small step of what keeps the log within its room and its age. */
  tend: [Now, Kept & { readonly disk: DiskReport | undefined; readonly firstSeq: number }]
  /** The clock was found: keep it together with the event that tells so. */
  fix: [Omit<CommitCall, 'restart' | 'confirms'> & { readonly offsetMs: number }, Committed & { clock: OpenedClock }]
  auditHead: [undefined, AuditHead]
  checkpoint: [undefined, undefined]
  /** Begin a copy of the log, and say how long its database is; read on at a place of it; end it. */
  copyBegin: [undefined, number]
  copyRead: [number, Uint8Array]
  copyEnd: [undefined, undefined]
  ping: [undefined, { readonly bytes: number; readonly keeping?: KeepingReport; readonly disk?: DiskReport }]
  close: [undefined, undefined]
}

export interface CommitCall {
  /** Events in order. */
  readonly parcels: readonly Parcel[]
  /** Streams that they name and that were not told before. */
  readonly streams: readonly Stream[]
  /** Forget the streams told before. */
  readonly restart: boolean
  readonly confirms: readonly Confirm[]
}

export interface Opened extends Places, Omit<OpenedLog, 'engine'> {
  readonly epoch: string
  readonly standings: readonly Standing[]
  readonly clock: OpenedClock
}

export interface Committed extends Places {
  /** Where the cursors stand now, in the order of the confirmations. */
  readonly confirmed: readonly number[]
  /** True when it is time to copy the WAL into the database as soon as nobody waits. */
  readonly checkpointDue: boolean
  /** True when something should be let go of. */
  readonly tendDue: boolean
}

/** The way to the writer: in a thread of its own (`worker-port.ts`), or at hand (a simulation). */
export interface StorePort {
  call<Name extends keyof Calls>(name: Name, argument: Calls[Name][0]): Promise<Calls[Name][1]>
}

/** A hub that has just been started has something better to do than to write the ballast. */
const BALLAST_WAITS_MS = 60_000

/** The writer: holds the lock, the file and the list of streams that its caller speaks of. */
export class StoreService {
  #lock: DataLock | undefined
  #engine: Engine | undefined
  #path = ''
  #streams: Stream[] = []
  readonly #diskUnder: (path: string) => Disk
  #watch: DiskWatch | undefined
  #openedMonoMs = 0
  #copy: LiveCopy | undefined

  /** @param disk the disk under the file at a path; the real one when left out */
  constructor(disk: (path: string) => Disk = diskUnder) {
    this.#diskUnder = disk
  }

  answer<Name extends keyof Calls>(name: Name, argument: Calls[Name][0]): Calls[Name][1] {
    const handle = this.#handlers[name] as (argument: Calls[Name][0]) => Calls[Name][1]
    try {
      // A commit looks for room itself: what it was given can be used once only.
      return name === 'commit' || name === 'fix' ? handle(argument) : this.#withBallast(() => handle(argument))
    } catch (error) {
      this.#mistrust(error)
      throw error
    }
  }

  readonly #handlers: {
    readonly [Name in keyof Calls]: (argument: Calls[Name][0]) => Calls[Name][1]
  } = {
    open: ({ file: asked, opening }) => {
      const file = this.#fitting(asked)
      this.#path = file.path
      this.#openedMonoMs = opening.monoUs / 1000
      const { retention } = file
      if (retention !== undefined) {
        this.#watch ??= new DiskWatch(this.#diskUnder(file.path), roomOf(retention.maxBytes).ballastBytes)
      }
      this.#lock ??= DataLock.take(file.path)
      try {
        return this.#begin(file, opening)
      } catch (error) {
        // It opened, and what is asked of every log at once can't be read.
        if (meaningOf(error) !== 'damage' || file.damaged !== undefined) throw error
        return this.#begin({ ...file, damaged: (error as Error).message }, opening)
      }
    },
    commit: ({ parcels, streams, restart, confirms }) => {
      if (restart) this.#streams = []
      this.#streams.push(...streams)
      const places = this.#open.commit(parcels, this.#streams, confirms)
      return this.#committed(places)
    },
    read: (query) => this.#open.read(query),
    cursor: ({ consumer, classes }) => this.#open.cursor(consumer, classes),
    trim: (seq) => {
      const done = this.#open.trim(seq)
      return { done, firstSeq: this.#open.firstSeq() }
    },
    tend: (now) => {
      const kept = this.#open.tend(now)
      if (this.#open.checkpointDue() === 'now') this.#checkpointBehindCommit()
      const mayMake = now.monoMs - this.#openedMonoMs >= BALLAST_WAITS_MS
      const more = kept.more || this.#watch?.step(now.monoMs, mayMake) === true
      return { ...kept, more, disk: this.#watch?.report(), firstSeq: this.#engine?.firstSeq() ?? 1 }
    },
    fix: ({ offsetMs, parcels, streams }) => {
      const places = this.#open.commit(parcels, streams, [], offsetMs)
      return { clock: this.#open.clock(), ...this.#committed(places) }
    },
    auditHead: () => this.#open.audit.head,
    checkpoint: () => {
      this.#checkpoint()
      return undefined
    },
    copyBegin: () => {
      if (this.#copy !== undefined) throw copyFault('another copy of the log is being taken')
      this.#checkpoint()
      this.#copy = new LiveCopy(this.#path)
      return this.#copy.databaseBytes
    },
    copyRead: (at) => {
      if (this.#copy === undefined) throw copyFault('the log went on in another file, or grew too much meanwhile')
      return this.#copy.read(at)
    },
    copyEnd: () => {
      this.#endCopy()
      return undefined
    },
    ping: () => {
      const keeping = this.#engine?.keeping()
      const disk = this.#watch?.report()
      return { bytes: bytesOnDisk(this.#path), ...(keeping && { keeping }), ...(disk && { disk }) }
    },
    close: () => {
      quietly(() => this.#engine?.save())
      this.#closeEngine()
      this.#lock?.release()
      this.#lock = undefined
      return undefined
    },
  }

  #committed(places: Places & { readonly confirmed: readonly number[] }): Committed {
    const due = this.#open.checkpointDue()
    if (due === 'now') this.#checkpointBehindCommit()
    const tendDue = this.#engine?.keeper?.due() === true || this.#watch?.news === true
    return { ...places, checkpointDue: due === 'idle', tendDue }
  }

  /** Where the disk is smaller than the settings think, the log keeps to that. */
  #fitting(file: LogFile): LogFile {
    if (file.retention === undefined) return file
    const maxBytes = fittingBytes(file.retention.maxBytes, this.#diskUnder(file.path).totalBytes())
    return { ...file, retention: { ...file.retention, maxBytes } }
  }

  #begin(file: LogFile, opening: Opening): Opened {
    this.#closeEngine()
    const { engine, ...news } = this.#openFile(file, opening)
    if (engine.keeper?.writeShrunk(file.path, this.#diskUnder(file.path).freeBytes() ?? 0) === true) {
      this.#closeEngine()
      adoptShrunk(file.path)
      return { ...this.#told(this.#openFile(file, opening).engine), ...news }
    }
    return { ...this.#told(engine), ...news }
  }

  #openFile(file: LogFile, opening: Opening): OpenedLog {
    const opened = openMarked(this.#lock, file, opening, this.#diskUnder(file.path).freeBytes())
    this.#engine = opened.engine
    if (file.retention !== undefined && this.#watch !== undefined) opened.engine.keep(file.retention, this.#watch)
    this.#mark(opened.engine, false)
    return opened
  }

  #told(engine: Engine): Opened {
    const { epoch, lastSeq } = engine
    return {
      epoch,
      firstSeq: engine.firstSeq(),
      lastSeq,
      standings: engine.standings(),
      clock: engine.clock(),
    }
  }

  get #open(): Engine {
    if (this.#engine === undefined) throw new StoreTrouble('the log is closed since an error of the disk', 'io')
    return this.#engine
  }

  #endCopy(): void {
    this.#copy?.end()
    this.#copy = undefined
  }

  #checkpoint(): void {
    const engine = this.#open
    // The database has to stand still while it is copied; not at any price.
    if (this.#copy?.tooLong === true) this.#endCopy()
    if (this.#copy !== undefined) return
    this.#withBallast(() => engine.checkpoint())
    this.#mark(engine, false)
  }

  /** Where the disk is full, do it once more in the room that the ballast gives back. */
  #withBallast<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      if (trouble(error) !== 'full' || this.#watch?.giveUp() !== true) throw error
      return work()
    }
  }

  /** The commit stands, whatever becomes of this: its caller must not hear of it. */
  #checkpointBehindCommit(): void {
    try {
      this.#checkpoint()
    } catch (error) {
      if (trouble(error) === undefined) throw error
      this.#mistrust(error)
    }
  }

  #mark({ epoch, boot, lastSeq }: Engine, closed: boolean): void {
    this.#lock?.write(markText({ epoch, boot, lastSeq, walSalt: walSalt(this.#path), closed }))
  }

  /**
   * SQLite goes on after a failed fsync as if nothing had been, and what the kernel holds may then not be what is on
   * the disk. So nothing more is written until the file was opened anew. A full disk was noticed before.
   */
  #mistrust(error: unknown): void {
    const what = meaningOf(error)
    if (what !== undefined && what !== 'full') this.#closeEngine()
  }

  #closeEngine(): void {
    const engine = this.#engine
    this.#engine = undefined
    this.#endCopy()
    if (engine === undefined) return
    quietly(() => this.#mark(engine, true))
    quietly(() => engine.close())
  }
}
