import type { Clock } from '../contract/clock.ts'
import type { EventClass, NewEvent } from '../contract/event.ts'
import { Fault } from '../contract/fault.ts'
import type { Figure } from '../contract/figure.ts'
import type { Log } from '../contract/log.ts'
import type { Now } from './ageing.ts'
import type { AuditHead } from './audit-chain.ts'
import { type Backup, type CopyCall, takeBackup } from './backup.ts'
import { Bells } from './bells.ts'
import { type MachineBoot, openingNow } from './boots.ts'
import type { OpenedClock } from './clock-fixes.ts'
import type { Batch } from './commit-queue.ts'
import { Committer } from './committer.ts'
import { Counters } from './counters.ts'
import type { DiskState } from './disk-watch.ts'
import { entriesOf } from './entries.ts'
import { Lags } from './lags.ts'
import type { LogFile } from './log-file.ts'
import type { OpenedStore } from './opened-store.ts'
import { normalized, packEvents, StreamBook, stored } from './parcel.ts'
import { asFault, closedFault, StoreTrouble } from './refusal.ts'
import type { Calls, Committed, Opened, StorePort } from './service.ts'
import { EpochChanged, type Page, type Position, PositionAhead, type ReadQuery } from './store.ts'
import { Tail } from './tail.ts'
import { Turns } from './turns.ts'
import { Upkeep } from './upkeep.ts'

/** Reads in the worker's queue, so that many readers never stand before a commit. */
const READS_IN_FLIGHT = 2
const PAGE_ENTRIES_MAX = 10_000
/** Bodies of a page when the query doesn't say, and at most. */
const PAGE_BYTES = 1024 * 1024
const PAGE_BYTES_MAX = 8 * 1024 * 1024
/** What is larger is no event but a file, no batch but a restore. */
const BODY_CHARS_MAX = 1024 * 1024
const BATCH_EVENTS_MAX = 10_000
/** Between tries to open the file again after an error of the disk. */
const REOPEN_FIRST_MS = 100
const REOPEN_LONGEST_MS = 30_000

export interface LogStoreOptions {
  readonly file: LogFile
  readonly clock: Clock
  readonly log: Log
  readonly machine: () => MachineBoot
  readonly gatherMs: number
  readonly urgentMs: number
  readonly commitEvents: number
  readonly commitChars: number
  readonly tailEvents: number
}

/** The log as the rest of the hub sees it: the queue of commits, the newest events, and calls to the worker. */
export class LogStore implements OpenedStore {
  readonly clock: OpenedClock
  readonly #options: LogStoreOptions
  readonly #port: StorePort
  readonly #committer: Committer
  readonly #bells = new Bells()
  readonly #reads = new Turns(READS_IN_FLIGHT)
  readonly #counters = new Counters()
  readonly #lags: Lags
  readonly #upkeep: Upkeep | undefined
  #epoch: string
  #firstSeq: number
  #lastSeq: number
  #tail: Tail
  #state: 'open' | 'recovering' | 'closed' | 'dead' = 'open'
  readonly #ended = new AbortController()
  #closing: Promise<void> | undefined
  readonly #end = Promise.withResolvers<never>()

  constructor(options: LogStoreOptions, port: StorePort, opened: Opened) {
    this.#options = options
    this.#port = port
    this.clock = opened.clock
    this.#epoch = opened.epoch
    this.#firstSeq = opened.firstSeq
    this.#lastSeq = opened.lastSeq
    this.#tail = new Tail(opened.lastSeq, options.tailEvents, opened.clock.offsetMs)
    this.#lags = new Lags(opened.standings)
    this.#committer = new Committer(options.clock, options, port, {
      committed: (batch, committed) => this.#committed(batch, committed),
      refused: (error) => this.#trouble(error),
      asFault,
    })
    this.#reportNews(opened)
    if (options.file.retention !== undefined) {
      const handlers = { tend: (now: Now) => this.#tend(now), append: (event: NewEvent) => this.append([event]) }
      this.#upkeep = new Upkeep(options.clock, handlers)
      // So that the first who asks for figures gets some of the room, too.
      this.ping().catch(() => undefined)
    }
  }

  get failed(): Promise<never> {
    return this.#end.promise
  }

  get epoch(): string {
    return this.#epoch
  }

  lastSeq(): number {
    return this.#lastSeq
  }

  firstSeq(): number {
    return Math.min(this.#firstSeq, this.#lastSeq + 1)
  }

  async append(batch: readonly NewEvent[]): Promise<{ readonly firstSeq: number; readonly lastSeq: number }> {
    if (batch.length > BATCH_EVENTS_MAX)
      throw new RangeError(`a batch of ${batch.length} events; ${BATCH_EVENTS_MAX} at most`)
    const events = batch.map(normalized)
    for (const { body, type, source } of events) {
      if (body.length <= BODY_CHARS_MAX) continue
      throw new RangeError(
        `the body of ${type} from ${source} has ${body.length} characters; ${BODY_CHARS_MAX} at most`,
      )
    }
    if (events.length === 0) return { firstSeq: this.#lastSeq + 1, lastSeq: this.#lastSeq }
    const start = this.#options.clock.monoMs()
    const places = await this.#committer.append(events)
    this.#counters.waitedMs(this.#options.clock.monoMs() - start)
    return places
  }

  async read(query: ReadQuery): Promise<Page> {
    this.#checkPosition(query.after)
    const limit = Math.min(Math.max(1, query.limit), PAGE_ENTRIES_MAX)
    const bytesMax = Math.min(query.bytesMax ?? PAGE_BYTES, PAGE_BYTES_MAX)
    if (this.#tail.covers(query.after.seq)) return this.#tail.read({ ...query, limit, bytesMax })
    const { after, rights, classes } = query
    const epoch = this.#epoch
    const page = await this.#reads.take(() =>
      this.#ask('read', { afterSeq: after.seq, limit, bytesMax, rights, classes }),
    )
    if (epoch !== this.#epoch) throw new EpochChanged(after, this.#oldest())
    return { entries: entriesOf(page, epoch), next: { epoch, seq: page.nextSeq }, more: page.more }
  }

  async beyond(seq: number, signal: AbortSignal): Promise<void> {
    if (this.#state === 'closed' || this.#state === 'dead') throw closedFault()
    if (this.#lastSeq > seq) return
    await this.#bells.wait(seq, signal)
  }

  async cursor(consumer: string, classes?: readonly EventClass[]): Promise<Position | undefined> {
    return this.#ask('cursor', { consumer, ...(classes === undefined ? {} : { classes }) })
  }

  async confirm(consumer: string, position: Position, classes?: readonly EventClass[]): Promise<Position> {
    return { epoch: position.epoch, seq: await this.#confirm(consumer, position, false, classes) }
  }

  async reset(consumer: string, position: Position, classes?: readonly EventClass[]): Promise<void> {
    await this.#confirm(consumer, position, true, classes)
  }

  async #confirm(
    consumer: string,
    position: Position,
    force: boolean,
    classes: readonly EventClass[] | undefined,
  ): Promise<number> {
    this.#checkPosition(position)
    const confirm = { consumer, seq: position.seq, force, ...(classes === undefined ? {} : { classes }) }
    const seq = await this.#committer.confirm(confirm)
    this.#lags.confirmed(confirm)
    return seq
  }

  auditHead(): Promise<AuditHead> {
    return this.#ask('auditHead', undefined)
  }

  backup(): Promise<Backup> {
    return takeBackup((name, argument) => this.#ask(name, argument))
  }

  async fixClock(offsetMs: number, event: NewEvent): Promise<void> {
    const told = normalized(event)
    const book = new StreamBook()
    const parcels = packEvents([told], book)
    let fixed: Calls['fix'][1]
    try {
      // As with `tend`: nothing may come between the answer and noting it.
      fixed = await this.#port.call('fix', { offsetMs, parcels, streams: book.takeFresh().streams })
    } catch (error) {
      throw this.#refusal(error)
    }
    this.#tail.correct(fixed.clock.offsetMs)
    this.#tail.push(stored(told, this.#epoch, fixed.firstSeq))
    this.#durable(fixed.firstSeq, fixed.lastSeq)
  }

  async trim(seq: number): Promise<void> {
    for (;;) {
      const { done, firstSeq } = await this.#ask('trim', seq)
      this.#firstSeq = firstSeq
      this.#tail.trim(Math.min(seq, firstSeq - 1))
      if (done) return
    }
  }

  async #tend(now: Now): Promise<Calls['tend'][1]> {
    let tended: Calls['tend'][1]
    try {
      // Summaries that were appended have to be noted before the commits that the writer did behind them: so nothing
      // may come between its answer and this place, as nothing does for a commit (`committer.ts`).
      tended = await this.#port.call('tend', now)
    } catch (error) {
      throw this.#refusal(error)
    }
    const { appended, firstSeq } = tended
    if (appended > 0) {
      this.#tail.passOver(this.#lastSeq + appended)
      this.#durable(this.#lastSeq + 1, this.#lastSeq + appended)
    }
    this.#firstSeq = firstSeq
    this.#tail.trim(firstSeq - 1)
    return tended
  }

  async ping(): Promise<void> {
    const { bytes, ...report } = await this.#port.call('ping', undefined)
    this.#counters.bytes = bytes
    this.#upkeep?.reported(report)
  }

  disk(): DiskState {
    return this.#upkeep?.disk ?? 'well'
  }

  figures(): readonly Figure[] {
    // The size that is asked here is told the next time: whoever gathers figures does not wait for the disk.
    this.ping().catch(() => undefined)
    const own = this.#counters.figures({
      firstSeq: this.firstSeq(),
      lastSeq: this.#lastSeq,
      waiting: this.#committer.waiting,
      failed: this.#state !== 'open',
    })
    return [...own, ...this.#lags.figures(this.#lastSeq), ...(this.#upkeep?.figures() ?? [])]
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    if (this.#state === 'dead') return
    this.#state = 'closed'
    this.#upkeep?.stop()
    await this.#committer.finish(closedFault())
    this.#ended.abort(closedFault())
    this.#bells.fail(closedFault())
    await this.#port.call('close', undefined)
  }

  /** The writer is gone, or has met a bug: nothing can be kept any more, so the process has to end. */
  die(reason: Error): void {
    if (this.#state === 'dead') return
    this.#state = 'dead'
    this.#upkeep?.stop()
    const fault = new Fault('connection', `the event log has come to its end: ${reason.message}`, {
      code: 'store',
      hint: 'the hub restarts; see its log for the cause',
      cause: reason,
    })
    this.#committer.halt(fault)
    this.#ended.abort(fault)
    this.#bells.fail(fault)
    this.#options.log.error('the event log has come to its end', { error: reason })
    this.#end.reject(fault)
  }

  #oldest(): Position {
    return { epoch: this.#epoch, seq: 0 }
  }

  #checkPosition(position: Position): void {
    if (position.epoch !== this.#epoch) throw new EpochChanged(position, this.#oldest())
    if (position.seq > this.#lastSeq) throw new PositionAhead(position, this.#lastSeq)
    if (!(Number.isInteger(position.seq) && position.seq >= 0))
      throw new RangeError(`${position.seq} is no place in the log`)
  }

  async #ask<Name extends 'read' | 'cursor' | 'trim' | 'auditHead' | CopyCall>(
    name: Name,
    argument: Calls[Name][0],
  ): Promise<Calls[Name][1]> {
    try {
      return await this.#port.call(name, argument)
    } catch (error) {
      throw this.#refusal(error)
    }
  }

  #refusal(error: unknown): Error {
    this.#trouble(error as Error)
    return asFault(error)
  }

  #committed({ appends }: Batch, { firstSeq, lastSeq, tendDue }: Committed): void {
    let seq = firstSeq
    for (const { events } of appends) {
      for (const event of events) this.#tail.push(stored(event, this.#epoch, seq++))
    }
    this.#durable(firstSeq, lastSeq)
    if (tendDue) this.#upkeep?.nudge()
  }

  #durable(firstSeq: number, lastSeq: number): void {
    if (firstSeq !== this.#lastSeq + 1) throw new Error(`places ${firstSeq} to ${lastSeq} came behind ${this.#lastSeq}`)
    this.#lastSeq = lastSeq
    this.#counters.committed(lastSeq - firstSeq + 1)
    this.#bells.ring(lastSeq)
  }

  /** An error of the disk stops all acknowledging until the file was opened anew; a full disk refuses what is new; else it is a bug. */
  #trouble(error: Error): void {
    if (this.#state !== 'open') return
    if (error instanceof Fault) return
    if (!(error instanceof StoreTrouble)) {
      this.die(error)
      return
    }
    this.#counters.refused()
    if (error.trouble === 'full') return
    this.#state = 'recovering'
    this.#options.log.error('the event log is closed after an error of the disk and is opened anew', {
      error: error.message,
    })
    this.#committer.halt(asFault(error))
    void this.#recover(error.trouble === 'damage' ? error.message : undefined)
  }

  /** @param damage what SQLite found wrong with the file, which is then not gone on with */
  async #recover(damage: string | undefined): Promise<void> {
    const { clock, log, file } = this.#options
    const atLeast = { epoch: this.#epoch, seq: this.#lastSeq }
    let damaged = damage
    for (let waitMs = REOPEN_FIRST_MS; this.#state === 'recovering'; waitMs = Math.min(waitMs * 2, REOPEN_LONGEST_MS)) {
      try {
        await clock.sleep(waitMs, this.#ended.signal)
        const wanted = { ...file, atLeast, ...(damaged === undefined ? {} : { damaged }) }
        const opened = await this.#port.call('open', {
          file: wanted,
          opening: openingNow(clock, this.#options.machine()),
        })
        if (this.#state !== 'recovering') return
        this.#resume(opened)
        log.info('the event log is open again', { lastSeq: opened.lastSeq })
      } catch (error) {
        if (this.#state !== 'recovering') return
        if (!(error instanceof StoreTrouble) && !(error instanceof Fault)) return this.die(error as Error)
        // It may have been set aside already: the next look says whether what stands there now is damaged too.
        damaged = undefined
        log.warn('the event log cannot be opened yet', {
          error: error.message,
          againInMs: Math.min(waitMs * 2, REOPEN_LONGEST_MS),
        })
      }
    }
  }

  #resume(opened: Opened): void {
    const changed = opened.epoch !== this.#epoch
    this.#epoch = opened.epoch
    this.#firstSeq = opened.firstSeq
    this.#lastSeq = opened.lastSeq
    this.#tail = new Tail(opened.lastSeq, this.#options.tailEvents, opened.clock.offsetMs)
    this.#lags.stand(opened.standings)
    this.#state = 'open'
    this.#committer.resume()
    this.#reportNews(opened)
    // Whoever waits in the old epoch has to hear that it is over.
    this.#bells.ring(changed ? Number.POSITIVE_INFINITY : opened.lastSeq)
  }

  #reportNews({ change, foreignWal, epoch }: Opened): void {
    const { log } = this.#options
    if (foreignWal !== undefined)
      log.warn('a write-ahead log that was not ours lay beside the event log', { foreignWal })
    if (change === undefined) return
    this.#counters.epochChanged()
    log.error('the event log could not be gone on with: a new epoch has begun', { ...change, epoch })
  }
}
