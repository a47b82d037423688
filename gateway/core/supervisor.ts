import type { Verb, View } from '../contract/driver.ts'
import type { Figure } from '../contract/figure.ts'
import {
  type CommandHandler,
  type ConnectionParts,
  type ConnectionPlan,
  type Supervised,
  superviseConnection,
} from './connection.ts'
import type { ConnectionHealth } from './health.ts'

/** Runs every connection, each in a life of its own: what one suffers the others do not feel. */
export interface Supervisor {
  /** Rejects with the first bug (anything thrown that is not a Fault): the process must end, and systemd begins anew. */
  readonly broken: Promise<never>
  /** Put these plans in force: what is gone is stopped, what is new or changed is started, the rest is not touched. */
  apply(
    plans: readonly ConnectionPlan[],
  ): Promise<{ readonly started: readonly string[]; readonly stopped: readonly string[] }>
  health(): readonly ConnectionHealth[]
  /** What this device can be told to do, and who does it now; undefined when there is no such device. */
  served(device: string): Served | undefined
  /** Every connection, with what its driver counted and what it shows. */
  accounts(): readonly ConnectionAccount[]
  /** What this connection shows, by name; undefined when there is no such connection. */
  views(connection: string): ReadonlyMap<string, View> | undefined
  figures(): readonly Figure[]
  stop(): Promise<void>
}

/** A connection as somebody sees it who looks after it. */
export interface ConnectionAccount extends ConnectionHealth {
  readonly counters: Readonly<Record<string, number>>
  readonly views: readonly string[]
}

/** A device as somebody sees it who wants something done. */
export interface Served {
  readonly verbs: Readonly<Record<string, Verb>>
  /** Undefined while its connection does not run. */
  handler(verb: string): CommandHandler | undefined
}

export function createSupervisor(parts: ConnectionParts): Supervisor {
  const running = new Map<string, Supervised>()
  let fail: (bug: unknown) => void = () => undefined
  const broken = new Promise<never>((_resolve, reject) => {
    fail = reject
  })
  // Somebody may look only later: until then this is no unhandled rejection.
  broken.catch(() => undefined)

  const stop = async (supervised: Supervised): Promise<void> => {
    await supervised.stop().catch(fail)
    if (running.get(supervised.plan.id) === supervised) running.delete(supervised.plan.id)
  }

  return {
    broken,
    async apply(plans) {
      const wanted = new Map(plans.map((plan) => [plan.id, plan]))
      const leaving = [...running.values()].filter(({ plan }) => !same(plan, wanted.get(plan.id)))
      // A new connection may need the port that an old one holds: all that leave go first.
      await Promise.all(leaving.map(stop))
      const arriving = plans.filter(({ id }) => !running.has(id))
      for (const plan of arriving) {
        const supervised = superviseConnection(plan, parts)
        running.set(plan.id, supervised)
        supervised.done.catch(fail)
      }
      return { started: arriving.map(({ id }) => id), stopped: leaving.map(({ plan }) => plan.id) }
    },
    health: () => [...running.values()].map((supervised) => supervised.health()),
    served(device) {
      for (const supervised of running.values()) {
        const { id, driver, options } = supervised.plan
        if (!driver.devices(options, id).includes(device)) continue
        return { verbs: driver.verbs ?? {}, handler: (verb) => supervised.handler(verb) }
      }
      return undefined
    },
    accounts: () =>
      [...running.values()].map((supervised) => {
        const { counters, views } = supervised
        return { ...supervised.health(), counters, views: [...views.keys()] }
      }),
    views: (connection) => running.get(connection)?.views,
    figures: () => [...running.values()].flatMap((supervised) => supervised.figures()),
    async stop() {
      await Promise.all([...running.values()].map(stop))
    },
  }
}

/** Options are plain data that came out of the settings, so their JSON tells. */
function same(a: ConnectionPlan, b: ConnectionPlan | undefined): boolean {
  return b !== undefined && a.driver === b.driver && JSON.stringify(a.options) === JSON.stringify(b.options)
}
