import type { Random } from '../../../../gateway/contract/io.ts'
import type { Log } from '../../../../gateway/contract/log.ts'
import { ALL_RIGHTS, type Rights } from '../../../../gateway/contract/rights.ts'
import { createPump } from '../../../../gateway/upstream/pump.ts'
import { VirtualClock } from '../../../../hardware-sim/clock.ts'
import { MemoryStore } from '../../../contract/memory-store.ts'

/** A log whose lines a test reads. */
export function logInto(lines: string[]): Log {
  const say = (level: string) => (message: string, fields?: Record<string, unknown>) => {
    lines.push(`${level} ${message}${fields === undefined ? '' : ` ${JSON.stringify(fields)}`}`)
  }
  const log: Log = {
    debug: say('debug'),
    info: say('info'),
    warn: say('warn'),
    error: say('error'),
    with: () => log,
  }
  return log
}

/** Every pause as long as it may be. */
export const longestPauses: Random = { next: () => 0.999999, bytes: (count) => new Uint8Array(count) }

export interface RigOptions {
  readonly store?: MemoryStore
  readonly rights?: Rights
  readonly window?: number
  readonly publishTimeoutMs?: number
}

/** A pump on virtual time, with a log in memory. */
export function pumpRig({
  store = new MemoryStore(),
  rights = ALL_RIGHTS,
  window = 100,
  publishTimeoutMs = 20_000,
}: RigOptions = {}) {
  const clock = new VirtualClock()
  const lines: string[] = []
  const log = logInto(lines)
  const stop = new AbortController()
  const parts = { hub: 'hub-01', store, clock, random: longestPauses, log, consumer: 'up:city', rights }
  const pump = createPump({ ...parts, window, publishTimeoutMs })
  return { clock, lines, store, stop, pump }
}
