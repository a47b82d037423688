import type { Clock } from '../contract/clock.ts'
import type { Log } from '../contract/log.ts'
import { type MachineBoot, openingNow } from './boots.ts'
import type { Retention } from './keeper.ts'
import { LogStore } from './log-store.ts'
import type { OpenedStore } from './opened-store.ts'
import { asFault } from './refusal.ts'
import type { StorePort } from './service.ts'
import { TAIL_EVENTS } from './tail.ts'
import { startWorker } from './worker-port.ts'

export interface StoreOptions {
  /** The database file; its folder is made, and held by this process alone. */
  readonly path: string
  /** The hub's id, noted in a new log. */
  readonly hub: string
  readonly clock: Clock
  readonly log: Log
  /** Closes the store. */
  readonly signal?: AbortSignal
  /** Which start of the machine this is; unknown when left out. Runs in the same one share what the time was. */
  readonly machine?: () => MachineBoot
  /** Telemetry waits so long for more of it before it is committed; 20 ms when left out, 0 for not at all. */
  readonly gatherMs?: number
  /** Other events are committed at once, but not oftener than so; 20 ms when left out. */
  readonly urgentMs?: number
  /** ... and no longer once so many events wait; 1000 when left out. */
  readonly commitEvents?: number
  /** ... or so many characters of bodies; 256 Ki when left out. */
  readonly commitChars?: number
  /** So many of the newest events are read from memory; 0 for none. */
  readonly tailEvents?: number
  /** How much is kept and how long; everything when left out. */
  readonly retention?: Retention
  /** Another way to the writer than a thread of its own: a simulation. */
  readonly port?: (died: (reason: Error) => void) => StorePort
}

const unknownMachine = (): MachineBoot => ({ id: '', uptimeS: 0 })

const GATHER_MS = 20
const URGENT_MS = 20
const COMMIT_EVENTS = 1000
const COMMIT_CHARS = 256 * 1024

/**
 * Open the log at `path`, or make one. Rejects with a Fault of reach `setup` when the file is in use by another
 * process or SQLite can't promise what is needed; of reach `connection` and code `store` when the disk fails.
 */
export async function openStore(options: StoreOptions): Promise<OpenedStore> {
  const { path, hub, clock, log, signal, machine = unknownMachine } = options
  let store: LogStore | undefined
  const port = (options.port ?? startWorker)((reason) => store?.die(reason))
  const file = { path, hub, ...(options.retention === undefined ? {} : { retention: options.retention }) }
  try {
    const opened = await port.call('open', { file, opening: openingNow(clock, machine()) })
    const {
      gatherMs = GATHER_MS,
      urgentMs = URGENT_MS,
      commitEvents = COMMIT_EVENTS,
      commitChars = COMMIT_CHARS,
      tailEvents = TAIL_EVENTS,
    } = options
    store = new LogStore(
      { file, clock, log, machine, gatherMs, urgentMs, commitEvents, commitChars, tailEvents },
      port,
      opened,
    )
  } catch (error) {
    await port.call('close', undefined).catch(() => undefined)
    throw asFault(error)
  }
  const opened = store
  const close = (): void => void opened.close().catch((error) => log.error('the event log did not close', { error }))
  if (signal?.aborted) close()
  else signal?.addEventListener('abort', close, { once: true })
  return opened
}
