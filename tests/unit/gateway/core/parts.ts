import { z } from 'zod'
import type { Driver, Host } from '../../../../gateway/contract/driver.ts'
import type { NewEvent } from '../../../../gateway/contract/event.ts'
import type { Io } from '../../../../gateway/contract/io.ts'
import type { Log } from '../../../../gateway/contract/log.ts'
import { createRecorder } from '../../../../gateway/core/recorder.ts'
import { VirtualClock } from '../../../../hardware-sim/clock.ts'
import { seededRandom } from '../../../../hardware-sim/random.ts'

export interface Options {
  readonly devices: readonly string[]
  readonly note?: string
}

/** A driver made of one function, on whatever devices its options name. */
export function driverOf(run: (host: Host<Options>) => Promise<void>): Driver {
  const driver: Driver<Options> = {
    kind: 'test',
    options: z.any() as unknown as z.ZodType<Options>,
    devices: (options) => options.devices,
    run,
  }
  return driver as Driver
}

/** A core on virtual time, with a log in memory that a test can break. */
export function coreParts() {
  const clock = new VirtualClock()
  const stored: NewEvent[] = []
  const lines: string[] = []
  const store: {
    broken: Error | undefined
    append(batch: readonly NewEvent[]): Promise<{ firstSeq: number; lastSeq: number }>
  } = {
    broken: undefined,
    async append(batch) {
      if (store.broken !== undefined) throw store.broken
      stored.push(...batch)
      return { firstSeq: stored.length - batch.length + 1, lastSeq: stored.length }
    },
  }
  const log = logInto(lines)
  const ending = new AbortController()
  const recorder = createRecorder({ store, clock, log, hash: (value) => `hash-of-${value.length}` }, ending.signal)
  const io = { random: { next: () => 0.5, bytes: seededRandom(1).bytes } } as unknown as Io
  return { clock, stored, lines, store, recorder, ending, parts: { clock, log, io, recorder } }
}

/** What an event says, short enough to read in a table. */
export function told(events: readonly NewEvent[]): string[] {
  return events.map(({ source, type, body }) => `${source} ${type} ${body}`)
}

function logInto(lines: string[]): Log {
  const log: Log = {
    debug: (message) => void lines.push(`debug ${message}`),
    info: (message) => void lines.push(`info ${message}`),
    warn: (message) => void lines.push(`warn ${message}`),
    error: (message) => void lines.push(`error ${message}`),
    with: () => log,
  }
  return log
}
