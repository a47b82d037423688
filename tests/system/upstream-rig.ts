import type { Clock } from '../../gateway/contract/clock.ts'
import type { SecretIo } from '../../gateway/contract/io.ts'
import type { Log } from '../../gateway/contract/log.ts'
import { createClock } from '../../gateway/io/clock.ts'
import { systemRandom } from '../../gateway/io/random.ts'
import type { Store } from '../../gateway/store/store.ts'
import { upstreamOptions } from '../../gateway/upstream/options.ts'
import { startUpstream, type Upstream } from '../../gateway/upstream/upstream.ts'
import { MemoryStore } from '../contract/memory-store.ts'
import { eventually } from './eventually.ts'

/** Real time that runs faster for pauses and time-outs: what takes ten seconds on the box takes one here. */
export function fasterClock(factor: number): Clock {
  const real = createClock()
  return {
    wallMs: () => real.wallMs(),
    monoMs: () => real.monoMs() * factor,
    state: () => real.state(),
    sleep: (ms, signal) => real.sleep(ms / factor, signal),
    after: (ms, run) => real.after(ms / factor, run),
  }
}

export interface RunningUpstream<S extends Store = Store> extends Upstream {
  readonly store: S
  readonly lines: string[]
  /** Ends it in order: farewell, last cursor, goodbye. */
  stop(): Promise<void>
}

/**
 * A hub's upstream with a log in memory.
 * @param mqtt as in the settings file; it reconnects within 200 ms unless it says otherwise
 */
export function runUpstream<S extends Store = MemoryStore>(
  mqtt: Record<string, unknown>,
  parts: { store?: S; clock?: Clock; secrets?: Record<string, string> } = {},
): RunningUpstream<S> {
  const { store = new MemoryStore() as Store as S, clock = createClock(), secrets = {} } = parts
  const lines: string[] = []
  const stopping = new AbortController()
  const options = upstreamOptions.parse({
    id: 'city',
    mqtt: { reconnectMax: '200ms', ...mqtt },
    rights: { privacy: 'sensitive' },
  })
  const secretIo: SecretIo = {
    load: async (name) => secrets[name] ?? Promise.reject(new Error(`no secret ${name}`)),
  }
  const upstream = startUpstream(options, {
    hub: 'hub-01',
    store,
    clock,
    random: systemRandom,
    log: logInto(lines),
    secrets: secretIo,
    signal: stopping.signal,
  })
  return {
    ...upstream,
    store,
    lines,
    async stop() {
      stopping.abort(new Error('the test is over'))
      await upstream.done
    },
  }
}

/** Resolves once everything in the log is acknowledged. */
export function drained(upstream: RunningUpstream, limitMs = 15_000): Promise<true> {
  return eventually(() => upstream.state().lag === 0, limitMs, 'everything is acknowledged')
}

export function logInto(lines: string[]): Log {
  const say = (level: string) => (message: string, fields?: Record<string, unknown>) => {
    lines.push(`${level} ${message}${fields === undefined ? '' : ` ${JSON.stringify(fields)}`}`)
  }
  const log: Log = { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error'), with: () => log }
  return log
}
