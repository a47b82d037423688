import type { Clock } from '../contract/clock.ts'
import type { Command, Outcome } from '../contract/command.ts'
import type { Driver, Host, View } from '../contract/driver.ts'
import type { Json, SeenData } from '../contract/event.ts'
import { Fault, isFault } from '../contract/fault.ts'
import type { Figure } from '../contract/figure.ts'
import type { Io } from '../contract/io.ts'
import type { Log } from '../contract/log.ts'
import { type ConnectionHealth, type ConnectionState, type Trouble, troubleOf } from './health.ts'
import { actionFor, WELL_AFTER_MS } from './policy.ts'
import type { Recorder } from './recorder.ts'

export type CommandHandler = (command: Command) => Promise<Outcome>

/** One connection as the settings name it. */
export interface ConnectionPlan {
  readonly id: string
  readonly driver: Driver
  readonly options: unknown
}

export interface ConnectionParts {
  readonly clock: Clock
  readonly log: Log
  readonly io: Io
  readonly recorder: Recorder
  /** What each device showed last, before this life of the hub; nothing when left out. */
  readonly readings?: ReadonlyMap<string, Readonly<Record<string, Json>>>
}

/** A connection under supervision. */
export interface Supervised {
  readonly plan: ConnectionPlan
  /** Ends it; resolves when its driver has let go of everything. Rejects with a bug of ours. */
  stop(): Promise<void>
  /** Rejects with whatever was thrown that is not a Fault; resolves after `stop`. */
  readonly done: Promise<void>
  health(): ConnectionHealth
  handler(verb: string): CommandHandler | undefined
  /** What it shows now, by name. */
  readonly views: ReadonlyMap<string, View>
  /** What its driver counted last. */
  readonly counters: Readonly<Record<string, number>>
  figures(): readonly Figure[]
}

/** Run one connection until it is stopped: start, and after each fault start again as the table of faults says. */
export function superviseConnection(plan: ConnectionPlan, parts: ConnectionParts): Supervised {
  return new Connection(plan, parts)
}

class Connection implements Supervised {
  readonly plan: ConnectionPlan
  readonly done: Promise<void>
  readonly #parts: ConnectionParts
  readonly #log: Log
  readonly #stopping = new AbortController()
  readonly #troubles = new Map<string, Trouble>()
  readonly #handlers = new Map<string, CommandHandler>()
  readonly views = new Map<string, View>()
  counters: Readonly<Record<string, number>> = {}
  readonly #kept = new Map<string, unknown>()
  #state: ConnectionState = 'starting'
  #trouble: Trouble | undefined
  #restarts = 0
  #fail: (bug: unknown) => void = () => undefined

  constructor(plan: ConnectionPlan, parts: ConnectionParts) {
    this.plan = plan
    this.#parts = parts
    this.#log = parts.log.with({ connection: plan.id })
    const bug = new Promise<never>((_resolve, reject) => {
      this.#fail = reject
    })
    this.done = Promise.race([this.#run(), bug]).finally(() => {
      this.#state = 'stopped'
    })
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Fault('connection', 'stopped'))
    await this.done
  }

  health(): ConnectionHealth {
    const { id, driver, options } = this.plan
    const devices = driver.devices(options, id).map((device) => {
      const trouble = this.#troubles.get(device)
      return trouble === undefined ? { id: device, ok: true } : { id: device, ok: false, trouble }
    })
    const trouble = this.#trouble === undefined ? {} : { trouble: this.#trouble }
    return { id, kind: driver.kind, state: this.#state, restarts: this.#restarts, ...trouble, devices }
  }

  handler(verb: string): CommandHandler | undefined {
    return this.#handlers.get(verb)
  }

  figures(): readonly Figure[] {
    return figuresOf(this.plan.id, this.#state, this.#restarts, this.counters)
  }

  async #run(): Promise<void> {
    const { clock, io } = this.#parts
    const { signal } = this.#stopping
    for (let attempt = 0; !signal.aborted; attempt++) {
      const startedMs = clock.monoMs()
      // It counts as running once it did not fail at once: a port that is not there never runs.
      const cancel = clock.after(SETTLED_MS, () => this.#enter('running', undefined))
      const fault = await this.#live().finally(cancel)
      if (fault === undefined) return
      if (clock.monoMs() - startedMs >= WELL_AFTER_MS) attempt = 0
      const action = actionFor(fault.reach, attempt, io.random.next())
      this.#enter(action.kind === 'park' ? 'parked' : 'waiting', troubleOf(fault))
      if (action.kind === 'park') return aborted(signal)
      await clock.sleep(action.afterMs, signal).catch(() => aborted(signal))
      this.#restarts += 1
    }
  }

  /** One life of the driver: from its start to its fault, or to the stop. */
  async #live(): Promise<Fault | undefined> {
    const life = new AbortController()
    const stopping = this.#stopping.signal
    try {
      await this.plan.driver.run(this.#host(life.signal))
      return stopping.aborted ? undefined : new Fault('connection', 'the driver ended by itself')
    } catch (error) {
      // Told to stop, it may end with the signal's reason or with the loss of a wire that was closed under it.
      if (stopping.aborted && (error === stopping.reason || isFault(error))) return undefined
      if (!isFault(error)) throw error
      return error
    } finally {
      this.#handlers.clear()
      life.abort(new Fault('connection', 'this life of the connection is over'))
    }
  }

  /** What the driver may touch in this life. After it a driver has nothing to say: what it saw then is not to be trusted. */
  #host(life: AbortSignal): Host<unknown> {
    const { clock, io, recorder, readings } = this.#parts
    const { id, options } = this.plan
    return {
      connection: id,
      options,
      signal: AbortSignal.any([this.#stopping.signal, life]),
      clock,
      log: this.#log,
      io,
      emit: (batch) => (life.aborted ? Promise.resolve() : recorder.record(id, batch)),
      mark: (device, fault) => {
        if (!life.aborted) this.#mark(device, fault)
      },
      lastReading: (device) => readings?.get(device),
      serve: (verb, handler) => this.#handlers.set(verb, handler),
      figures: (values) => {
        this.counters = values
      },
      show: (name, view) => this.#show(name, view as View),
      keep: <T>(name: string, make: () => T): T => {
        if (!this.#kept.has(name)) this.#kept.set(name, make())
        return this.#kept.get(name) as T
      },
    }
  }

  /** A look ends with the connection too, not only when whoever looks goes away. */
  #show(name: string, { parameters, look }: View): void {
    if (this.views.size >= VIEWS_MAX && !this.views.has(name)) throw new Error(`a connection shows ${VIEWS_MAX} views`)
    const stopping = this.#stopping.signal
    this.views.set(name, { parameters, look: (asked, signal) => look(asked, AbortSignal.any([stopping, signal])) })
  }

  #mark(device: string, fault: Fault | undefined): void {
    const before = this.#troubles.get(device)
    if (fault === undefined ? before === undefined : before?.message === fault.message) return
    if (fault === undefined) {
      this.#troubles.delete(device)
      this.#log.info('device is well', { device })
      this.#say('linli.device.state', { state: 'well' }, device)
    } else {
      this.#troubles.set(device, troubleOf(fault))
      this.#log.warn(`device has trouble: ${fault.message}`, { device, code: fault.code })
      this.#say('linli.device.state', { state: 'trouble', ...troubleOf(fault) }, device)
    }
  }

  #enter(next: ConnectionState, because: Trouble | undefined): void {
    if (next === this.#state && because?.message === this.#trouble?.message) return
    this.#state = next
    this.#trouble = because
    const { kind } = this.plan.driver
    if (because === undefined) this.#log.info(`connection is ${next}`)
    else this.#log.warn(`connection is ${next}: ${because.message}`, { code: because.code })
    this.#say('linli.connection.state', { state: next, kind, ...(because === undefined ? {} : { ...because }) })
  }

  #say(type: string, data: SeenData, device?: string): void {
    const { clock, recorder } = this.#parts
    const about = device === undefined ? {} : { device }
    const seen = { ...about, type, class: 'status', privacy: 'public', monoMs: clock.monoMs(), data } as const
    recorder.record(this.plan.id, [seen]).catch((bug) => this.#fail(bug))
  }
}

/** A connection is called running once it stood for so long. */
const SETTLED_MS = 1000

/** More than a driver has a reason to show. */
const VIEWS_MAX = 16

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

function figuresOf(
  connection: string,
  state: ConnectionState,
  restarts: number,
  counters: Readonly<Record<string, number>>,
): readonly Figure[] {
  const labels = { connection }
  return [
    {
      name: 'linli_connection_up',
      help: '1 while the connection runs',
      kind: 'gauge',
      labels,
      value: state === 'running' ? 1 : 0,
    },
    { name: 'linli_connection_restarts_total', help: 'Starts after a fault', kind: 'counter', labels, value: restarts },
    ...Object.entries(counters).map(
      ([counter, value]): Figure => ({
        name: `linli_connection_${snake(counter)}_total`,
        help: `Counted by the driver: ${counter}`,
        kind: 'counter',
        labels,
        value,
      }),
    ),
  ]
}

function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
