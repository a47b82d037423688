import { Fault, isFault } from '../contract/fault.ts'
import type { Opening } from './boots.ts'
import type { Confirm, Engine, Places } from './engine.ts'
import { type LogFile, openLogFile, type SetAside } from './log-file.ts'
import type { Parcel, Stream } from './parcel.ts'
import type { PageQuery, RawPage } from './reader.ts'
import type { Refusal } from './refusal.ts'
import { bytesOnDisk, lockData, trouble } from './sqlite.ts'

/** What can be asked of the writer, and what it answers. Calls are done one after the other, in order. */
export interface Calls {
  /** Take the lock and open the file; or open it anew after an error. */
  open: [{ readonly file: LogFile; readonly opening: Opening }, Opened]
  commit: [CommitCall, Committed]
  read: [PageQuery, RawPage]
  cursor: [string, { readonly epoch: string; readonly seq: number } | undefined]
  /** Take away one chunk of what is up to this place. */
  trim: [number, { readonly done: boolean; readonly firstSeq: number }]
  checkpoint: [undefined, undefined]
  ping: [undefined, { readonly bytes: number }]
  close: [undefined, undefined]
}

export interface CommitCall {
  readonly parcel: Parcel
  /** Streams that the parcel names and that were not told before. */
  readonly streams: readonly Stream[]
  /** Forget the streams told before. */
  readonly restart: boolean
  readonly confirms: readonly Confirm[]
}

export interface Opened extends Places {
  readonly epoch: string
  readonly setAside?: SetAside
}

export interface Committed extends Places {
  /** Where the cursors stand now, in the order of the confirmations. */
  readonly confirmed: readonly number[]
  /** True when it is time to copy the WAL into the database as soon as nobody waits. */
  readonly checkpointDue: boolean
}

/** The way to the writer: in a thread of its own (`worker-port.ts`), or at hand (a simulation). */
export interface StorePort {
  call<Name extends keyof Calls>(name: Name, argument: Calls[Name][0]): Promise<Calls[Name][1]>
}

export function asRefusal(error: unknown): Refusal {
  const { message, stack } = error instanceof Error ? error : new Error(String(error))
  const fault = isFault(error)
    ? {
        reach: error.reach === 'setup' ? ('setup' as const) : ('connection' as const),
        code: error.code,
        hint: error.hint,
      }
    : undefined
  return { message, stack, trouble: trouble(error), fault }
}

/** The writer: holds the lock, the file and the list of streams that its caller speaks of. */
export class StoreService {
  #unlock: (() => void) | undefined
  #engine: Engine | undefined
  #path = ''
  #streams: Stream[] = []

  answer<Name extends keyof Calls>(name: Name, argument: Calls[Name][0]): Calls[Name][1] {
    try {
      return (this.#handlers[name] as (argument: Calls[Name][0]) => Calls[Name][1])(argument)
    } catch (error) {
      // SQLite goes on after a failed fsync as if nothing had been, and what the kernel holds may then not be what
      // is on the disk. So nothing more is written until the file was opened anew. A full disk was noticed before.
      const what = trouble(error)
      if (what !== undefined && what !== 'full') this.#closeEngine()
      throw error
    }
  }

  readonly #handlers: {
    readonly [Name in keyof Calls]: (argument: Calls[Name][0]) => Calls[Name][1]
  } = {
    open: ({ file, opening }) => {
      this.#path = file.path
      this.#unlock ??= lockData(file.path)
      this.#closeEngine()
      const { engine, setAside } = openLogFile(file, opening)
      this.#engine = engine
      const opened = { epoch: engine.epoch, firstSeq: engine.firstSeq(), lastSeq: engine.lastSeq }
      return setAside === undefined ? opened : { ...opened, setAside }
    },
    commit: ({ parcel, streams, restart, confirms }) => {
      if (restart) this.#streams = []
      this.#streams.push(...streams)
      const places = this.#open.commit(parcel, this.#streams, confirms)
      return { ...places, checkpointDue: this.#open.checkpointDue() }
    },
    read: (query) => this.#open.read(query),
    cursor: (consumer) => this.#open.cursor(consumer),
    trim: (seq) => {
      const done = this.#open.trim(seq)
      return { done, firstSeq: this.#open.firstSeq() }
    },
    checkpoint: () => {
      this.#open.checkpoint()
      return undefined
    },
    ping: () => ({ bytes: bytesOnDisk(this.#path) }),
    close: () => {
      this.#closeEngine()
      this.#unlock?.()
      this.#unlock = undefined
      return undefined
    },
  }

  get #open(): Engine {
    if (this.#engine === undefined) {
      throw new Fault('connection', 'the log is closed since an error of the disk', { code: 'store' })
    }
    return this.#engine
  }

  #closeEngine(): void {
    const engine = this.#engine
    this.#engine = undefined
    try {
      engine?.close()
    } catch (error) {
      if (trouble(error) === undefined) throw error
    }
  }
}
