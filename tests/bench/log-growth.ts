import { spawn, spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Retention } from '../../gateway/store/keeper.ts'
import type { OpenedStore } from '../../gateway/store/opened-store.ts'
import { alternatingPairs, type BenchFigure, figureOfPairs, type Goal, ratioAtMost, valueAtMost } from './figure.ts'
import { bodyAt, growTo, openGrown } from './grown-log.ts'

/**
 * What a long log costs beside a short one, the same events in both: a page, an append, an eviction, a start.
 * Everything is done in turn on the one and on the other.
 */
export const LONG_EVENTS = 10_000_000
const SHORT_EVENTS = 10_000
const PAIRS = 9
/** A walk takes a tenth of a second: whatever else the machine does hits one side or the other. */
const PAGE_PAIRS = 25
/** A walk through a part of the log: so many pages, so many times. */
const PAGE_ENTRIES = 500
const PAGES = 8
const WALKS = 6
/** Appended in one run, in commits of 20. */
const APPEND_EVENTS = 8000
const APPEND_WARM_EVENTS = 2000
const APPEND_COMMIT_EVENTS = 20
const EVICTIONS = 16
const EVICT_EVENTS = 500
const STARTS = 5
/** A log that is killed was written to for so many events before. */
const KILL_BEHIND_EVENTS = 10_000

/** What a hub keeps, it counts when it starts; here nothing of it is to go. */
const AS_IN_A_HUB: Retention = {
  keepMs: { telemetry: Number.MAX_VALUE, status: Number.MAX_VALUE, alarm: Number.MAX_VALUE, audit: Number.MAX_VALUE },
  maxBytes: 16 * 1024 ** 3,
  required: [],
}

/** @param longEvents how long the long log is; fewer than ten million only for a quick look */
export async function growthFigures(folder: string, longEvents = LONG_EVENTS): Promise<BenchFigure[]> {
  const long = join(folder, 'long.db')
  const short = join(folder, 'short.db')
  await make(long, longEvents)
  await make(short, SHORT_EVENTS)
  const logs = { long, short, events: longEvents }
  return [
    ...(await pages(logs)),
    await appends(logs),
    await evictions(logs),
    await starts(logs, 'log.start', 'after a clean stop', close),
    await starts(logs, 'log.start.killed', 'after kill -9 in the midst of appends', kill),
  ]
}

interface Logs {
  readonly long: string
  readonly short: string
  /** Length of the long one. */
  readonly events: number
}

async function make(path: string, events: number): Promise<void> {
  const store = await openGrown(path)
  await growTo(store, events)
  await store.close()
}

/** Pages at the start, in the middle and at the end, and pages each somewhere else. */
async function pages({ long, short, events }: Logs): Promise<BenchFigure[]> {
  const stores = [await openGrown(long), await openGrown(short)] as const
  const span = PAGES * PAGE_ENTRIES
  const parts: readonly [string, (last: number, page: number) => number][] = [
    ['start', (_, page) => page * PAGE_ENTRIES],
    ['middle', (last, page) => Math.floor((last - span) / 2) + page * PAGE_ENTRIES],
    ['end', (last, page) => last - span + page * PAGE_ENTRIES],
    ['anywhere', (last, page) => (page * 7919 * PAGE_ENTRIES) % (last - PAGE_ENTRIES)],
  ]
  const found: BenchFigure[] = []
  try {
    for (const [name, at] of parts) {
      const walk = async (store: OpenedStore): Promise<number> => {
        const last = Math.min(store.lastSeq(), store === stores[0] ? events : SHORT_EVENTS)
        const start = performance.now()
        for (let page = 0; page < WALKS * PAGES; page++) {
          await readPage(store, at(last, name === 'anywhere' ? page : page % PAGES))
        }
        return (performance.now() - start) / (WALKS * PAGES)
      }
      for (const store of stores) await walk(store)
      const pairs = await alternatingPairs(
        PAGE_PAIRS,
        () => walk(stores[0]),
        () => walk(stores[1]),
      )
      const note = `a page of ${PAGE_ENTRIES}, ${name}, of ${events} events; beside one of ${SHORT_EVENTS}`
      const goal = ratioAtMost(1.2)
      found.push(figureOfPairs({ name: `log.page_growth.${name}`, unit: 'ms', note, goal }, pairs))
    }
  } finally {
    for (const store of stores) await store.close()
  }
  const worst = found.reduce((one, other) => ((one.ratio ?? 0) > (other.ratio ?? 0) ? one : other))
  return [{ ...worst, name: 'log.page_growth', note: `the worst of the following: ${worst.name}` }, ...found]
}

async function readPage(store: OpenedStore, afterSeq: number): Promise<void> {
  const { entries } = await store.read({ after: { epoch: store.epoch, seq: afterSeq }, limit: PAGE_ENTRIES })
  const [first] = entries
  if (entries.length !== PAGE_ENTRIES || first?.kind !== 'event' || first.body !== bodyAt(afterSeq + 1)) {
    throw new Error(`the page behind ${afterSeq} is not what was appended`)
  }
}

/** Time of an append on the long log, and on a short one that is as short each time. */
function appends(logs: Logs): Promise<BenchFigure> {
  const append = async (store: OpenedStore): Promise<number> => {
    await growTo(store, store.lastSeq() + APPEND_WARM_EVENTS, APPEND_COMMIT_EVENTS)
    const start = performance.now()
    await growTo(store, store.lastSeq() + APPEND_EVENTS, APPEND_COMMIT_EVENTS)
    return (performance.now() - start) / (APPEND_EVENTS / APPEND_COMMIT_EVENTS)
  }
  const note = `an append of ${APPEND_COMMIT_EVENTS}, among 16 callers, behind ${logs.events} events; beside one behind ${SHORT_EVENTS}`
  return onBoth(logs, { name: 'log.append_growth', unit: 'ms', note, goal: ratioAtMost(1.2) }, append)
}

function evictions(logs: Logs): Promise<BenchFigure> {
  const evict = async (store: OpenedStore): Promise<number> => {
    const first = store.firstSeq()
    const start = performance.now()
    for (let n = 1; n <= EVICTIONS; n++) await store.trim(first - 1 + n * EVICT_EVENTS)
    return (performance.now() - start) / EVICTIONS
  }
  const note = `letting go of ${EVICT_EVENTS} events, of ${logs.events}; beside ${SHORT_EVENTS}`
  return onBoth(logs, { name: 'log.evict_growth', unit: 'ms', note, goal: ratioAtMost(1.2) }, evict)
}

/** Do something that changes a log on the long one, and on a copy of the short one made for it. */
async function onBoth(
  { long, short }: Logs,
  figure: Parameters<typeof figureOfPairs>[0],
  work: (store: OpenedStore) => Promise<number>,
): Promise<BenchFigure> {
  const copy = `${short}-copy.db`
  const on = async (path: string): Promise<number> => {
    const store = await openGrown(path, { commitEvents: APPEND_COMMIT_EVENTS })
    try {
      return await work(store)
    } finally {
      await store.close()
    }
  }
  const onShort = async (): Promise<number> => {
    copyLog(short, copy)
    return await on(copy)
  }
  await on(long)
  await onShort()
  return figureOfPairs(figure, await alternatingPairs(PAIRS, () => on(long), onShort))
}

function copyLog(from: string, to: string): void {
  for (const end of ['', '-wal', '-mark']) {
    rmSync(to + end, { force: true })
    if (existsSync(from + end)) copyFileSync(from + end, to + end)
  }
}

/** From nothing in memory to the first event durable. */
async function starts(
  { long, short, events }: Logs,
  name: string,
  how: string,
  stop: (path: string) => Promise<void>,
): Promise<BenchFigure> {
  const start = async (path: string): Promise<number> => {
    await stop(path)
    for (const end of ['', '-wal', '-mark']) dropFromMemory(path + end)
    const begin = performance.now()
    const store = await openGrown(path, { retention: AS_IN_A_HUB })
    await growTo(store, store.lastSeq() + 1)
    const tookMs = performance.now() - begin
    await store.close()
    return tookMs
  }
  const note = `opening a log of ${events} events, its files not in memory, ${how}, to the first event kept; beside ${SHORT_EVENTS}`
  const goal: Goal = valueAtMost(2000)
  const pairs = await alternatingPairs(
    STARTS,
    () => start(long),
    () => start(short),
  )
  return figureOfPairs({ name, unit: 'ms', note, goal }, pairs)
}

async function close(path: string): Promise<void> {
  const store = await openGrown(path)
  await growTo(store, store.lastSeq() + KILL_BEHIND_EVENTS)
  await store.close()
}

/** Let another process write to the log, and kill it there. */
async function kill(path: string): Promise<void> {
  const filler = spawn(process.execPath, [join(import.meta.dirname, 'log-filler.ts'), path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise((resolve) => filler.once('exit', resolve))
  let from: number | undefined
  for await (const line of createInterface(filler.stdout)) {
    const at = Number(/^at (\d+)$/.exec(line)?.[1])
    from ??= at
    if (at - from >= KILL_BEHIND_EVENTS) break
  }
  filler.kill('SIGKILL')
  await ended
  if (!existsSync(`${path}-wal`)) throw new Error('the log was closed before it was killed')
}

/** As after a restart of the machine: what is asked of the file comes from the disk. */
function dropFromMemory(file: string): void {
  if (existsSync(file)) spawnSync('dd', [`if=${file}`, 'iflag=nocache', 'count=0', 'status=none'])
}
