import type { Host } from '../../gateway/contract/driver.ts'
import type { Json, Seen } from '../../gateway/contract/event.ts'
import { type Fault, isFault } from '../../gateway/contract/fault.ts'
import type { Meter, PointValue, Poll } from './meter.ts'
import { type CounterChange, PointWatch } from './point-watch.ts'
import { Schedule, type Turn } from './schedule.ts'

/** A reading waits for the others of its round no longer than this. */
const GATHER_MS = 250
/** No timer is set for longer: those of Node overflow after 24 days. */
const WAIT_MS_MAX = 3_600_000
/** So many batches may be on their way to the disk before polling waits for it. */
const BATCHES_MAX = 8

export interface PollingOptions {
  readonly host: Pick<Host<unknown>, 'clock' | 'signal' | 'emit' | 'mark' | 'figures' | 'lastReading'>
  readonly meters: readonly PolledMeter[]
  /** How many devices are read at the same time: 1 on a line. */
  readonly lanes: number
  /** How often a request is repeated that was not answered. */
  readonly retries: number
  /** The counters of the wire. */
  readonly account: () => Readonly<Record<string, number>>
}

export interface PolledMeter {
  readonly meter: Meter
  readonly everyMs: number
}

/** Read every device at its own interval, for ever, and hand on what was read, a round in one batch. */
export class Polling {
  readonly #options: PollingOptions
  readonly #schedule: Schedule
  readonly #meters: ReadonlyMap<string, Meter>
  readonly #watches = new Map<string, PointWatch>()
  /** What was last said about a device; nothing before it was first read in this life. */
  readonly #marked = new Map<string, string>()
  #batch: Seen[] = []
  #asking = 0
  #polls = 0
  #failed = 0
  readonly #emitting = new Set<Promise<void>>()
  #cancelWake: (() => void) | undefined
  #cancelGather: (() => void) | undefined
  #ended = false
  #fail: (error: unknown) => void = () => undefined

  constructor(options: PollingOptions) {
    this.#options = options
    this.#meters = new Map(options.meters.map(({ meter }) => [meter.id, meter]))
    const devices = options.meters.map(({ meter, everyMs }) => ({ id: meter.id, everyMs }))
    this.#schedule = new Schedule(devices, options.host.clock.monoMs())
    for (const { meter } of options.meters) {
      const watch = new PointWatch(meter.counters)
      watch.remember(pointsIn(options.host.lastReading(meter.id)))
      this.#watches.set(meter.id, watch)
    }
  }

  /** Resolves when `host.signal` aborts, with everything that was read handed on. */
  async run(): Promise<void> {
    const { signal } = this.#options.host
    let onAbort = (): void => undefined
    try {
      await new Promise<void>((resolve, reject) => {
        this.#fail = reject
        onAbort = resolve
        signal.addEventListener('abort', onAbort, { once: true })
        if (signal.aborted) resolve()
        else this.#turn()
      })
    } finally {
      this.#ended = true
      signal.removeEventListener('abort', onAbort)
      this.#cancelWake?.()
      this.#flush()
    }
    await Promise.all(this.#emitting)
  }

  get #full(): boolean {
    return this.#emitting.size >= BATCHES_MAX
  }

  /** Ask whoever is due, and come back when somebody will be. */
  #turn(): void {
    if (this.#ended) return
    const { clock } = this.#options.host
    this.#cancelWake?.()
    this.#cancelWake = undefined
    const nowMs = clock.monoMs()
    while (this.#asking < this.#options.lanes && !this.#full) {
      const turn = this.#schedule.take(nowMs)
      if (turn === undefined) break
      this.#asking += 1
      void this.#read(turn, nowMs)
    }
    const next = this.#schedule.nextDueMs()
    // A round is over when nobody is due soon; what comes soon goes into the same batch.
    if (this.#asking === 0 && (next === undefined || next - nowMs > GATHER_MS)) this.#flush()
    if (next === undefined || this.#asking >= this.#options.lanes || this.#full) return
    // Timers know whole milliseconds: one that is a little early would wake up for nothing, and once more after it.
    const waitMs = Math.min(WAIT_MS_MAX, Math.max(0, Math.ceil(next - nowMs)))
    this.#cancelWake = clock.after(waitMs, () => this.#turn())
  }

  async #read({ id, repeat }: Turn, askedMs: number): Promise<void> {
    const { clock } = this.#options.host
    try {
      const poll = await this.#meters.get(id)!.read(repeat ? 1 + this.#options.retries : 1)
      this.#schedule.answered(id, clock.monoMs())
      this.#polls += 1
      this.#hold(id, poll)
    } catch (error) {
      if (!isFault(error) || error.reach !== 'device') {
        // Once it is over, what was still asked fails with the wire.
        if (!this.#ended) this.#fail(error)
        return
      }
      this.#failed += 1
      this.#schedule.failed(id, clock.monoMs(), clock.monoMs() - askedMs)
      this.#mark(id, error)
    } finally {
      this.#asking -= 1
    }
    this.#turn()
  }

  /** Hold what was read against what was read before, and hand on what there is to say. */
  #hold(id: string, poll: Poll): void {
    const watch = this.#watches.get(id)!
    const stillness = watch.stillness(poll.points, poll.monoMs)
    this.#mark(id, poll.trouble ?? stillness)
    for (const change of watch.look(poll.points)) this.#gather(counterEvent(id, poll.monoMs, change))
    this.#gather(readingOf(id, poll, stillness !== undefined))
  }

  #mark(id: string, fault: Fault | undefined): void {
    const said = fault === undefined ? 'well' : `${fault.reach} ${fault.message}`
    if (this.#ended || this.#marked.get(id) === said) return
    this.#marked.set(id, said)
    this.#options.host.mark(id, fault)
  }

  #gather(seen: Seen): void {
    this.#batch.push(seen)
    this.#cancelGather ??= this.#options.host.clock.after(GATHER_MS, () => this.#flush())
  }

  #flush(): void {
    this.#cancelGather?.()
    this.#cancelGather = undefined
    const { host, account } = this.#options
    host.figures({ ...account(), polls: this.#polls, pollsFailed: this.#failed })
    // While too much is on its way nobody is asked, so what waits here stays small.
    if (this.#batch.length === 0 || (this.#full && !this.#ended)) return
    const emitted = host.emit(this.#batch).then(
      () => {
        this.#emitting.delete(emitted)
        if (this.#emitting.size === BATCHES_MAX - 1) this.#turn()
      },
      (error: unknown) => this.#fail(error),
    )
    this.#emitting.add(emitted)
    this.#batch = []
  }
}

/** An alarm where somebody must look: what it counted is not what went through. */
function counterEvent(device: string, monoMs: number, change: CounterChange): Seen {
  return {
    device,
    type: 'linli.meter.counter',
    class: change.change === 'rolled-over' ? 'status' : 'alarm',
    privacy: 'personal',
    monoMs,
    data: { ...change },
  }
}

/** The points of a reading that the log kept; it may be of another profile, or of an older version. */
function pointsIn(data: ReturnType<Host<unknown>['lastReading']>): Readonly<Record<string, PointValue>> {
  const points = data?.points
  if (typeof points !== 'object' || points === null || Array.isArray(points)) return {}
  const entries = Object.entries(points).filter(
    ([, value]) => typeof value === 'object' && value !== null && 'v' in value,
  )
  return Object.fromEntries(entries) as unknown as Record<string, PointValue>
}

function readingOf(device: string, { points, monoMs, complete }: Poll, still: boolean): Seen {
  return {
    device,
    type: 'linli.meter.reading',
    class: 'telemetry',
    privacy: 'personal',
    monoMs,
    data: { points: points as unknown as Json, quality: still ? 'frozen' : complete ? 'good' : 'partial' },
  }
}
