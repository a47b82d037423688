import type { Clock } from '../contract/clock.ts'
import type { NewEvent } from '../contract/event.ts'
import { Fault } from '../contract/fault.ts'
import { type Batch, CommitQueue, type GatherLimits } from './commit-queue.ts'
import type { Confirm } from './cursors.ts'
import { packEvents, StreamBook } from './parcel.ts'
import type { Committed, StorePort } from './service.ts'

/**
 * Commits that are on the way to the worker. A fast disk would wait for the threads to wake each other, so it has
 * the next ones at hand, and as many again while the answers to these are on their way (`worker.ts`); behind a slow one it is better that what comes meanwhile goes into one commit together.
 */
const IN_FLIGHT_FAST = 16
const IN_FLIGHT_SLOW = 1
const FAST_COMMIT_MS = 2

export interface CommitterHandlers {
  /** Called before the callers hear of it. */
  committed(batch: Batch, committed: Committed): void
  /** A commit was refused; its callers have been told. */
  refused(error: Error): void
  /** What the callers are told instead of the error itself. */
  asFault(error: unknown): Error
}

/** Brings what waits to the worker: decides when, ships it, and tells the callers. */
export class Committer {
  readonly #clock: Clock
  readonly #port: StorePort
  readonly #handlers: CommitterHandlers
  readonly #queue: CommitQueue
  #book = new StreamBook()
  #inFlight = 0
  #inFlightMax = IN_FLIGHT_FAST
  #halted: Error | undefined
  #closing = false
  #cancelTimer: (() => void) | undefined
  #timerMonoMs = 0
  #pumpDue = false
  #idle: (() => void)[] = []
  #checkpointDue = false

  constructor(clock: Clock, limits: GatherLimits, port: StorePort, handlers: CommitterHandlers) {
    this.#clock = clock
    this.#port = port
    this.#handlers = handlers
    this.#queue = new CommitQueue(clock, limits)
  }

  /** Events that wait for their commit to be sent. */
  get waiting(): number {
    return this.#queue.events
  }

  append(events: readonly NewEvent[]): Promise<{ readonly firstSeq: number; readonly lastSeq: number }> {
    if (this.#halted !== undefined) return Promise.reject(this.#halted)
    return new Promise((resolve, reject) => {
      if (!this.#queue.append({ events, resolve, reject })) return reject(overfull(this.#queue.events))
      this.#schedule()
    })
  }

  /** @returns where the cursor stands then, durably */
  confirm(confirm: Confirm): Promise<number> {
    if (this.#halted !== undefined) return Promise.reject(this.#halted)
    return new Promise((resolve, reject) => {
      this.#queue.confirm({ ...confirm, resolve, reject })
      this.#schedule()
    })
  }

  /** Refuse everything, what waits too, until `resume`. */
  halt(reason: Error): void {
    this.#halted = reason
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    const { appends, confirms } = this.#queue.takeAll()
    for (const { reject } of [...appends, ...confirms]) reject(reason)
    this.#leaveIdle()
  }

  /** Take events again. */
  resume(): void {
    this.#halted = undefined
  }

  /** Send what waits without waiting longer, take no more, and resolve when all of it is done. */
  async finish(reason: Error): Promise<void> {
    this.#halted = reason
    this.#closing = true
    this.#pump()
    await new Promise<void>((resolve) => {
      this.#idle.push(resolve)
      this.#leaveIdle()
    })
    this.halt(reason)
  }

  #schedule(): void {
    if (this.#inFlight >= this.#inFlightMax) return
    const dueInMs = this.#closing ? 0 : this.#queue.dueInMs()
    if (dueInMs === Number.POSITIVE_INFINITY) return
    if (dueInMs <= 0) {
      // What is handed over in the same turn goes into the same commit.
      if (!this.#pumpDue) {
        this.#pumpDue = true
        queueMicrotask(() => {
          this.#pumpDue = false
          this.#pump()
        })
      }
      return
    }
    const atMonoMs = this.#clock.monoMs() + dueInMs
    if (this.#cancelTimer !== undefined && this.#timerMonoMs <= atMonoMs) return
    this.#cancelTimer?.()
    this.#timerMonoMs = atMonoMs
    this.#cancelTimer = this.#clock.after(dueInMs, () => {
      this.#cancelTimer = undefined
      this.#pump()
    })
  }

  #pump(): void {
    while (this.#inFlight < this.#inFlightMax && !this.#queue.empty && (this.#closing || this.#queue.dueInMs() <= 0)) {
      void this.#send(this.#queue.take())
    }
    if (!this.#queue.empty) this.#schedule()
  }

  async #send(batch: Batch): Promise<void> {
    this.#inFlight += 1
    this.#book.turnPage()
    const parcels = packEvents(
      batch.appends.flatMap((append) => append.events),
      this.#book,
    )
    const confirms = batch.confirms.map(({ resolve, reject, ...confirm }) => confirm)
    const sentMonoMs = this.#clock.monoMs()
    const ahead = this.#inFlight
    try {
      const committed = await this.#port.call('commit', { parcels, ...this.#book.takeFresh(), confirms })
      const tookMs = (this.#clock.monoMs() - sentMonoMs) / ahead
      this.#inFlightMax = tookMs < FAST_COMMIT_MS ? IN_FLIGHT_FAST : IN_FLIGHT_SLOW
      this.#tell(batch, committed)
    } catch (error) {
      // The writer may not have heard of the streams that this commit told of.
      this.#book = new StreamBook()
      const fault = this.#handlers.asFault(error)
      for (const { reject } of [...batch.appends, ...batch.confirms]) reject(fault)
      this.#handlers.refused(error as Error)
    } finally {
      this.#inFlight -= 1
      this.#pump()
      this.#leaveIdle()
    }
  }

  #tell(batch: Batch, committed: Committed): void {
    this.#checkpointDue = committed.checkpointDue
    this.#handlers.committed(batch, committed)
    let firstSeq = committed.firstSeq
    for (const { events, resolve } of batch.appends) {
      resolve({ firstSeq, lastSeq: firstSeq + events.length - 1 })
      firstSeq += events.length
    }
    for (const [at, { resolve }] of batch.confirms.entries()) resolve(committed.confirmed[at]!)
  }

  #leaveIdle(): void {
    if (this.#inFlight > 0 || !this.#queue.empty) return
    for (const resolve of this.#idle.splice(0)) resolve()
    if (!this.#checkpointDue || this.#halted !== undefined) return
    this.#checkpointDue = false
    this.#port.call('checkpoint', undefined).catch((error) => this.#handlers.refused(error))
  }
}

function overfull(waiting: number): Fault {
  return new Fault('connection', `the event log does not keep up: ${waiting} events wait for the disk`, {
    code: 'store',
    hint: 'the disk is slow or more is read than it can take: read less often, or use a faster card',
  })
}
