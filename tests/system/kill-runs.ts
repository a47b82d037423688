import { execFileSync } from 'node:child_process'
import { dirname } from 'node:path'
import type { Entry } from '../../gateway/contract/event.ts'
import type { PlainSettings } from '../../hardware-sim/demo/hub.ts'
import { seededRandom } from '../../hardware-sim/random.ts'
import { Community, tcpMeters } from './community.ts'
import { pathOf } from './needs.ts'
import { openHere, readAll } from './storage/log-in-a-folder.ts'

/** Of a hundred lives so many end before or soon after the hub listens, the others while it works. */
const EARLY_PERCENT = 25
const EARLY_MAX_MS = 1200
/** So many while they stop: so long after they were asked to. */
const STOPPING_PERCENT = 15
const STOPPING_MAX_MS = 300
const WORK_MAX_MS = 1500
/** With this window and this delay the platform takes 50 events a second, and more than twice as many come. */
const WINDOW = 10
const SLOW_MS = 200
/** With so little room the WAL is copied into the database about every second. */
const SMALL_LOG = '32MB'
const FOLLOW_WAIT_MS = 500

export interface KillResult {
  readonly kills: number
  /** Kills that met a hub which had given out events in that life. */
  readonly killsAtWork: number
  /** Events that somebody outside had seen before a kill: the hub has acknowledged them. */
  readonly acknowledged: number
  /** Of these, what is not in the log any more, or is there with another content. */
  readonly lost: readonly string[]
  /** Places from 1 to the last that the log does not have. */
  readonly holes: readonly number[]
  /** Readings of one meter at one moment that stand at two places. */
  readonly twice: readonly string[]
  readonly epochs: readonly string[]
  /** Places that the platform never got, after it was back and had time. */
  readonly undelivered: number
  readonly duplicates: number
  /** What `PRAGMA integrity_check` says of the file after the last hub has stopped. */
  readonly integrity: string
}

/**
 * Start hubs on one log and kill each with SIGKILL at a random moment: while it opens the log, polls, commits,
 * publishes, catches up, or stops. The platform comes and goes, or confirms slowly. Then look at what is left, from outside.
 * @param seed the same moments and outages again
 */
export async function killRuns(kills: number, seed: number): Promise<KillResult> {
  const random = seededRandom(seed)
  const community = await Community.start({ seed, modbusTcp: [tcpMeters(12, '100ms')], broker: {} }, tight)
  try {
    const seen = new Map<string, string>()
    let killsAtWork = 0
    let cursor = 'oldest'
    for (let kill = 0; kill < kills; kill++) {
      await setPlatform(community, random.next())
      const early = random.next() * 100 < EARLY_PERCENT
      const lifeMs = random.next() * (early ? EARLY_MAX_MS : WORK_MAX_MS)
      const stopping = random.next() * 100 < STOPPING_PERCENT
      const stoppingMs = stopping ? random.next() * STOPPING_MAX_MS : undefined
      const life = await oneLife(community, { early, lifeMs, stoppingMs, platformNext: random.next(), cursor, seen })
      cursor = life.cursor
      if (life.gave > 0) killsAtWork += 1
    }
    await setPlatform(community, 0)
    return { kills, killsAtWork, ...(await examine(community, seen)) }
  } finally {
    await community.end()
  }
}

/** @param chance uniform in [0, 1): there, there and slow, or away */
async function setPlatform({ simulator }: Community, chance: number): Promise<void> {
  await simulator.ask({ do: chance < 0.7 ? 'restore' : 'cut', what: 'broker' })
  const manner = chance < 0.35 ? { kind: 'well' as const } : { kind: 'slow' as const, pubackMs: SLOW_MS }
  await simulator.ask({ do: 'broker', manner })
}

function tight(settings: PlainSettings): PlainSettings {
  const [city] = settings.upstream as { readonly mqtt: object }[]
  const storage = { ...(settings.storage as object | undefined), maxSize: SMALL_LOG }
  const upstream = [{ ...city, mqtt: { ...city?.mqtt, window: WINDOW, reconnectMax: '100ms' } }]
  return { ...settings, storage, upstream }
}

interface LifePlan {
  /** Counted from the start of its process; else from its first event that somebody saw. */
  readonly early: boolean
  readonly lifeMs: number
  /** From SIGTERM to SIGKILL; undefined where nobody asked it to stop. */
  readonly stoppingMs: number | undefined
  /** What becomes of the platform in the middle of it. */
  readonly platformNext: number
  /** Where the reader of the log stands; a cursor outlives the hub that gave it. */
  readonly cursor: string
  readonly seen: Map<string, string>
}

/** One hub from its start to its kill; everything that it gave out meanwhile goes into `seen`. */
async function oneLife(
  community: Community,
  { early, lifeMs, stoppingMs, platformNext, cursor, seen }: LifePlan,
): Promise<{ readonly gave: number; readonly cursor: string }> {
  const hub = community.spawnHub()
  let dead = false
  const killIn = async (ms: number): Promise<void> => {
    await sleep(ms / 2)
    await setPlatform(community, platformNext)
    await sleep(ms / 2)
    dead = true
    if (stoppingMs !== undefined) {
      hub.child.kill('SIGTERM')
      await sleep(stoppingMs)
    }
    await hub.murder()
  }
  let death = early ? killIn(lifeMs) : undefined
  let gave = 0
  let at = cursor
  while (!dead) {
    try {
      const page = await community.client.events(at, FOLLOW_WAIT_MS)
      for (const event of page.events) seen.set(event.id, JSON.stringify(event))
      gave += page.events.length
      at = page.next
      if (gave > 0) death ??= killIn(lifeMs)
    } catch (error) {
      // Not listening yet, or killed in the middle of an answer: nothing was given out.
      if (error instanceof Error && error.message.startsWith('GET /v1/events')) throw error
      if (!dead && !hub.child.running) throw new Error(`the hub has ended by itself:\n${hub.child.tail()}`)
      await sleep(10)
    }
  }
  await death
  return { gave, cursor: at }
}

async function examine(
  community: Community,
  seen: ReadonlyMap<string, string>,
): Promise<Omit<KillResult, 'kills' | 'killsAtWork'>> {
  const hub = await community.startHub()
  const platform = await community.delivered()
  const { events } = await community.client.allEvents()
  const found = new Map(events.map((event) => [event.id, JSON.stringify(event)]))
  const places = new Set(events.map(({ linliseq }) => linliseq))
  const last = Math.max(...events.map(({ linliseq }) => linliseq ?? 0))
  await hub.stop()
  const integrity = integrityOf(community.database)
  const store = await openHere(dirname(community.database))
  const entries = await readAll(store).finally(() => store.close())
  return {
    acknowledged: seen.size,
    lost: [...seen].filter(([id, text]) => found.get(id) !== text).map(([id]) => id),
    holes: Array.from({ length: last }, (_, index) => index + 1).filter((place) => !places.has(place)),
    twice: readTwice(entries),
    epochs: [...new Set(events.map(({ id }) => id.split('/').at(-2) ?? ''))],
    undelivered: (platform.firstSeq ?? 1) - 1 + platform.missing,
    duplicates: platform.duplicates,
    integrity,
  }
}

/**
 * Two readings of one meter with the same moment on both clocks are one reading, stored twice. The monotonic one counts
 * microseconds and is told to nobody outside: two honest readings may share a millisecond, when the host was held up.
 */
function readTwice(entries: readonly Entry[]): readonly string[] {
  const moments = new Set<string>()
  const twice: string[] = []
  for (const entry of entries) {
    if (entry.kind !== 'event' || entry.type !== 'linli.meter.reading') continue
    const moment = `${entry.source} ${entry.wallMs} ${entry.monoMs}`
    if (moments.has(moment)) twice.push(`${moment} at ${entry.seq}`)
    moments.add(moment)
  }
  return twice
}

/** `PRAGMA integrity_check` by the sqlite3 of the system, not by the library that wrote the file. */
export function integrityOf(database: string): string {
  const program = pathOf('sqlite3')
  if (program === undefined) throw new Error('sqlite3 is not installed')
  return execFileSync(program, [database, 'PRAGMA integrity_check'], { encoding: 'utf8' }).trim()
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
