import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  alternatingPairs,
  type BenchFigure,
  figureOfPairs,
  type Goal,
  type GroupOptions,
  ratioAtLeast,
  valueAtMost,
} from './figure.ts'
import { deviceFigures } from './log-device.ts'
import { growthFigures } from './log-growth.ts'
import { CALLERS, openOurs, openRaw } from './log-sides.ts'
import { readings } from './readings.ts'

/**
 * The log beside bare better-sqlite3 that inserts ready strings, one row an event, in transactions of the same size,
 * synced each (WAL, FULL). Ours is given objects, or ready bodies, by a few callers who each wait for their
 * acknowledgement. It is told to make each commit of just that size; where a figure is called `grouped` it commits
 * together what waits together, as it does in a hub.
 */
const BATCHES = [1, 20, 100, 1000] as const
type BatchSize = (typeof BATCHES)[number]
const PAIRS = 5
/** Events of one run: some tenths of a second on either side. */
const RUN_EVENTS: Record<BatchSize, number> = { 1: 1200, 20: 12_000, 100: 40_000, 1000: 100_000 }
/** What the log commits together at most when nobody says otherwise. */
const GROUP_EVENTS = 1000
const BYTES_EVENTS = 20_000

export async function figures({ events }: GroupOptions = {}): Promise<BenchFigure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'linli-bench-log-'))
  try {
    const found: BenchFigure[] = []
    for (const batch of BATCHES) {
      const objects = await ingest(folder, {
        name: `log.ingest.${batch}`,
        batch,
        ready: false,
        goal: ratioAtLeast(0.7),
      })
      if (batch === 100) found.push({ ...objects, name: 'log.ingest' })
      found.push(objects)
      found.push(
        await ingest(folder, { name: `log.ingest.${batch}.ready`, batch, ready: true, goal: ratioAtLeast(0.9) }),
      )
    }
    for (const batch of [1, 20] as const) {
      const name = `log.ingest.${batch}.grouped`
      found.push(await ingest(folder, { name, batch, ready: true, grouped: true, goal: ratioAtLeast(0.9) }))
    }
    found.push(await bytes(folder, 20, valueAtMost(2.6)))
    found.push(await bytes(folder, 100, valueAtMost(1)))
    found.push(...(await deviceFigures(folder)))
    found.push(...(await growthFigures(folder, events)))
    return found
  } finally {
    rmSync(folder, { recursive: true })
  }
}

interface Ingest {
  readonly name: string
  readonly batch: BatchSize
  /** The bodies are JSON before the clock runs. */
  readonly ready: boolean
  readonly grouped?: boolean
  readonly goal: Goal | null
}

async function ingest(folder: string, { name, batch, ready, grouped, goal }: Ingest): Promise<BenchFigure> {
  const count = RUN_EVENTS[batch]
  const objects = readings(count)
  const texts = objects.map((object) => JSON.stringify(object))
  const raw = openRaw(join(folder, `${name}-raw.db`))
  const ours = await openOurs(join(folder, `${name}.db`), batch, grouped === true ? GROUP_EVENTS : batch)
  const bodyAt = ready ? (n: number) => texts[n] ?? '' : (n: number) => JSON.stringify(objects[n])
  const timed = async (run: () => void | Promise<void>): Promise<number> => {
    const start = performance.now()
    await run()
    return (count / (performance.now() - start)) * 1000
  }
  try {
    // Before anybody is timed, the hot paths are machine code and the WAL is a file that is written over.
    for (let warm = 0; warm < 3; warm++) {
      await ours.run(count, bodyAt)
      raw.run(texts, batch)
    }
    const pairs = await alternatingPairs(
      PAIRS,
      () => timed(() => ours.run(count, bodyAt)),
      () => timed(() => raw.run(texts, batch)),
    )
    const what = `${ready ? 'ready bodies' : 'objects'} to acknowledged, ${CALLERS} callers of ${batch} each`
    const how = grouped === true ? 'committed together as they wait' : `commits of ${batch}`
    return figureOfPairs(
      { name, unit: 'events/s', note: `${what}, ${how}; beside better-sqlite3 with ready strings`, goal },
      pairs,
    )
  } finally {
    await ours.close()
    raw.close()
  }
}

/** `write_bytes` of the process over the bytes of the bodies, the copying of the WAL into the database included. */
async function bytes(folder: string, batch: number, goal: Goal): Promise<BenchFigure> {
  const texts = readings(BYTES_EVENTS).map((reading) => JSON.stringify(reading))
  const payload = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0)
  let run = 0
  const oneOurs = async (): Promise<number> => {
    const ours = await openOurs(join(folder, `bytes-${batch}-${run++}.db`), batch, batch)
    const before = writtenBytes()
    await ours.run(texts.length, (n) => texts[n] ?? '', 1)
    await ours.close()
    return (writtenBytes() - before) / payload
  }
  const oneRaw = async (): Promise<number> => {
    const raw = openRaw(join(folder, `bytes-${batch}-${run++}-raw.db`))
    const before = writtenBytes()
    raw.run(texts, batch)
    raw.close()
    return (writtenBytes() - before) / payload
  }
  const note = `bytes written by the process over bytes of the bodies, ${batch} events a commit; beside one row an event`
  const pairs = await alternatingPairs(5, oneOurs, oneRaw)
  return figureOfPairs({ name: `log.bytes.${batch}`, unit: 'bytes/byte', note, goal }, pairs)
}

/** proc(5), /proc/pid/io: bytes that this process caused to be sent to the storage layer. */
function writtenBytes(): number {
  const found = /^write_bytes: (\d+)$/m.exec(readFileSync('/proc/self/io', 'utf8'))
  if (found === null) throw new Error('/proc/self/io does not tell write_bytes: this kernel counts no I/O of tasks')
  return Number(found[1])
}
