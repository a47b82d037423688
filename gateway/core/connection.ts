import type { Clock } from '../contract/clock.ts'
import type { Command, Outcome } from '../contract/command.ts'
import type { Driver, Host } from '../contract/driver.ts'
import type { SeenData } from '../contract/event.ts'
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
  figures(): readonly Figure[]
}

/** Run one connection until it is stopped: start, and after each fault start again as the table of faults says. */
export function superviseConnection(plan: ConnectionPlan, parts: ConnectionParts): Supervised {
  const { id, driver } = plan
  const { clock, recorder } = parts
  const log = parts.log.with({ connection: id })
  const stopping = new AbortController()
  const troubles = new Map<string, Trouble>()
  const handlers = new Map<string, CommandHandler>()
  let counters: Readonly<Record<string, number>> = {}
  let state: ConnectionState = 'starting'
  let trouble: Trouble | undefined
  let restarts = 0

  const say = (type: string, data: SeenData, device?: string): void => {
    const about = device === undefined ? {} : { device }
    const seen = { ...about, type, class: 'status', privacy: 'public', monoMs: clock.monoMs(), data } as const
    recorder.record(id, [seen]).catch(fail)
  }

  const enter = (next: ConnectionState, because: Trouble | undefined): void => {
    if (next === state && because?.message === trouble?.message) return
    state = next
    trouble = because
    if (because === undefined) log.info(`connection is ${next}`)
    else log.warn(`connection is ${next}: ${because.message}`, { code: because.code })
    say('linli.connection.state', { state: next, kind: driver.kind, ...(because === undefined ? {} : { ...because }) })
  }

  const mark = (device: string, fault: Fault | undefined): void => {
    const before = troubles.get(device)
    if (fault === undefined ? before === undefined : before?.message === fault.message) return
    if (fault === undefined) {
      troubles.delete(device)
      log.info('device is well', { device })
      say('linli.device.state', { state: 'well' }, device)
    } else {
      troubles.set(device, troubleOf(fault))
      log.warn(`device has trouble: ${fault.message}`, { device, code: fault.code })
      say('linli.device.state', { state: 'trouble', ...troubleOf(fault) }, device)
    }
  }

  let fail: (bug: unknown) => void = () => undefined
  const bug = new Promise<never>((_resolve, reject) => {
    fail = reject
  })

  /** One life of the driver: from its start to its fault, or to the stop. */
  const live = async (): Promise<Fault | undefined> => {
    const life = new AbortController()
    const signal = AbortSignal.any([stopping.signal, life.signal])
    const host: Host<unknown> = {
      connection: id,
      options: plan.options,
      signal,
      clock,
      log,
      io: parts.io,
      // After its life a driver has nothing to say: what it saw then is not to be trusted.
      emit: (batch) => (life.signal.aborted ? Promise.resolve() : recorder.record(id, batch)),
      mark: (device, fault) => {
        if (!life.signal.aborted) mark(device, fault)
      },
      serve: (verb, handler) => handlers.set(verb, handler),
      figures: (values) => {
        counters = values
      },
    }
    try {
      await driver.run(host)
      return stopping.signal.aborted ? undefined : new Fault('connection', 'the driver ended by itself')
    } catch (error) {
      // Told to stop, it may end with the signal's reason or with the loss of a wire that was closed under it.
      if (stopping.signal.aborted && (error === stopping.signal.reason || isFault(error))) return undefined
      if (!isFault(error)) throw error
      return error
    } finally {
      handlers.clear()
      life.abort(new Fault('connection', 'this life of the connection is over'))
    }
  }

  const run = async (): Promise<void> => {
    let attempt = 0
    while (!stopping.signal.aborted) {
      const startedMs = clock.monoMs()
      // It counts as running once it did not fail at once: a port that is not there never runs.
      const cancel = clock.after(SETTLED_MS, () => enter('running', undefined))
      const fault = await live().finally(cancel)
      if (fault === undefined) break
      if (clock.monoMs() - startedMs >= WELL_AFTER_MS) attempt = 0
      const action = actionFor(fault.reach, attempt, parts.io.random.next())
      attempt += 1
      enter(action.kind === 'park' ? 'parked' : 'waiting', troubleOf(fault))
      if (action.kind === 'park') await aborted(stopping.signal)
      else {
        await clock.sleep(action.afterMs, stopping.signal).catch(() => aborted(stopping.signal))
        restarts += 1
      }
    }
  }

  const done = Promise.race([run(), bug]).finally(() => {
    state = 'stopped'
  })

  return {
    plan,
    done,
    async stop() {
      stopping.abort(new Fault('connection', 'stopped'))
      await done
    },
    health() {
      const devices = driver.devices(plan.options, id).map((device) => {
        const known = troubles.get(device)
        return known === undefined ? { id: device, ok: true } : { id: device, ok: false, trouble: known }
      })
      return { id, kind: driver.kind, state, restarts, ...(trouble === undefined ? {} : { trouble }), devices }
    },
    handler: (verb) => handlers.get(verb),
    figures: () => figuresOf(id, state, restarts, counters),
  }
}

/** A connection is called running once it stood for so long. */
const SETTLED_MS = 1000

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
