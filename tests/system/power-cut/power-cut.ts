import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import Database from 'better-sqlite3'
import type { Entry } from '../../../gateway/contract/event.ts'
import { createClock } from '../../../gateway/io/clock.ts'
import { createLog } from '../../../gateway/io/log.ts'
import { directPort } from '../../../gateway/store/direct-port.ts'
import { openStore } from '../../../gateway/store/open.ts'
import { REPOSITORY } from '../../../hardware-sim/demo/child.ts'
import { seededRandom } from '../../../hardware-sim/random.ts'
import { type PowerCut, RecordedDisk, readRecord, type Step } from './disk.ts'

/** What the writer was told until the cut. */
interface Told {
  readonly acks: {
    readonly epoch: string
    readonly firstSeq: number
    readonly lastSeq: number
    readonly firstNumber: number
  }[]
  confirmed: number
  trimmedTo: number
  refused: number
}

export interface Verdict {
  readonly states: number
  /** Acknowledged events that were not there after the cut, over all states. */
  readonly lost: number
  /** States that lost something. */
  readonly losing: number
  /** States in which the log said that it had let go of something, thinned or evicted. */
  readonly letGo: number
  /** What the writer was refused up to the last cut, because the disk failed. */
  readonly refused: number
  /** Where the log was not provably the continuation of what was acknowledged, and why. */
  readonly epochs: readonly string[]
  /** What else is wrong, in words; each begins with the number of the state. */
  readonly broken: readonly string[]
}

export interface Play {
  readonly kind: 'store' | 'full' | 'normal'
  readonly seed: number
  readonly batches: number
  readonly states: number
  readonly cut: PowerCut
  /** Another build of better-sqlite3 for the writer. */
  readonly binding?: string
  /** Syncs that fail, counted from 1: `30-33,80-80`. */
  readonly failedSyncs?: string
}

const LINE = /\n/

/** Record one run of the writer and look at what is found after so many cuts of the power, spread over the whole run. */
export async function playPowerCuts(play: Play): Promise<Verdict> {
  const folder = mkdtempSync(join(tmpdir(), 'linli-power-'))
  try {
    const steps = record(folder, play)
    const random = seededRandom(play.seed)
    const cutsAt = Array.from({ length: play.states }, () => Math.floor(random.next() * steps.length)).sort(
      (a, b) => a - b,
    )
    const disk = new RecordedDisk()
    const told: Told = { acks: [], confirmed: 0, trimmedTo: 0, refused: 0 }
    const verdict = {
      states: 0,
      lost: 0,
      losing: 0,
      letGo: 0,
      refused: 0,
      epochs: [] as string[],
      broken: [] as string[],
    }
    const files = new Map<number, string>()
    let done = 0
    for (const at of cutsAt) {
      for (; done < at; done++) playStep(steps[done]!, disk, files, told)
      const place = join(folder, 'state')
      disk.cut(place, play.cut, random)
      // A log that is full lets go by itself: whatever it announces it may.
      if (play.kind === 'full') told.trimmedTo = Number.POSITIVE_INFINITY
      const { lost, broken, gone, another } =
        play.kind === 'normal' ? lookWithSqlite(place, told) : await lookWithStore(place, told)
      verdict.states += 1
      verdict.lost += lost
      verdict.losing += lost > 0 ? 1 : 0
      if (another !== undefined) verdict.epochs.push(`state ${verdict.states} at step ${at}: ${another}`)
      verdict.letGo += gone ? 1 : 0
      verdict.broken.push(...broken.map((text) => `state ${verdict.states} at step ${at}: ${text}`))
      rmSync(place, { recursive: true })
    }
    return { ...verdict, refused: told.refused }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function record(folder: string, { kind, seed, batches, binding, failedSyncs }: Play): Step[] {
  const recorder = join(folder, 'recorder.so')
  const source = join(import.meta.dirname, 'recorder.c')
  execFileSync('cc', ['-O1', '-shared', '-fPIC', '-o', recorder, source, '-ldl', '-lpthread'])
  const data = join(folder, 'data')
  mkdirSync(data)
  const log = join(folder, 'record')
  const env = {
    ...process.env,
    LD_PRELOAD: recorder,
    LINLI_RECORD_FOLDER: data,
    LINLI_RECORD_LOG: log,
    ...(failedSyncs === undefined ? {} : { LINLI_RECORD_FAIL: failedSyncs }),
    ...(binding === undefined ? {} : { LINLI_SQLITE_BINDING: binding }),
  }
  const writer = join(import.meta.dirname, 'writer.ts')
  const preload =
    binding === undefined ? [] : ['--import', pathToFileURL(join(REPOSITORY, 'tests/bench/sqlite-binding.ts')).href]
  const program = [...preload, writer, data, String(seed), String(batches), kind]
  execFileSync(process.execPath, program, { env, timeout: 300_000, stdio: 'pipe' })
  return readRecord(readFileSync(log))
}

/** The notes of the writer are no part of the disk: what it was told before the cut it was told. */
function playStep(step: Step, disk: RecordedDisk, files: Map<number, string>, told: Told): void {
  if (step.kind === 'open') files.set(step.file, Buffer.from(step.bytes).toString())
  if (!files.get(step.file)?.endsWith('/acks')) disk.play(step)
  else if (step.kind === 'write') hear(step, told)
}

function hear(step: Step, told: Told): void {
  for (const line of Buffer.from(step.bytes).toString().split(LINE).filter(Boolean)) {
    const said = JSON.parse(line)
    if ('firstSeq' in said) told.acks.push(said)
    else if ('confirmed' in said) told.confirmed = said.confirmed
    else if ('refused' in said) told.refused += 1
    else told.trimmedTo = Math.max(told.trimmedTo, said.trimming)
  }
}

interface Found {
  readonly lost: number
  readonly broken: string[]
  /** Something is announced as gone. */
  readonly gone: boolean
  /** Why there is another epoch than the one in which something was acknowledged. */
  readonly another: string | undefined
}

async function lookWithStore(folder: string, told: Told): Promise<Found> {
  mkdirSync(folder, { recursive: true })
  const log = createLog('error', false, () => undefined)
  const options = { path: join(folder, 'hub.db'), hub: 'hub-01', clock: createClock(), log, port: () => directPort() }
  const store = await openStore(options)
  try {
    const entries: Entry[] = []
    for (let after = { epoch: store.epoch, seq: 0 }, more = true; more; ) {
      const page = await store.read({ after, limit: 5000 })
      entries.push(...page.entries)
      after = { ...page.next }
      more = page.more
    }
    const cursor = await store.cursor('city')
    return judge(store.epoch, entries, store.lastSeq(), cursor?.seq ?? 0, told)
  } finally {
    await store.close()
  }
}

/** L1 to L5 of the invariants, by a model that knows nothing of the store. */
function judge(epoch: string, entries: readonly Entry[], lastSeq: number, cursor: number, told: Told): Found {
  const broken: string[] = []
  const numbers = new Map<number, number>()
  const missing = new Set<number>()
  for (const entry of entries) {
    if (entry.kind === 'event') numbers.set(entry.seq, numberIn(entry.body))
    else for (let seq = entry.fromSeq; seq <= entry.toSeq; seq++) missing.add(seq)
  }
  for (let seq = 1; seq <= lastSeq; seq++) {
    if (!numbers.has(seq) && !missing.has(seq)) broken.push(`silent hole at ${seq}`)
  }
  let lost = 0
  let another: string | undefined
  for (const ack of told.acks) {
    if (ack.epoch !== epoch) another = reasonIn(entries)
    for (let seq = ack.firstSeq; seq <= ack.lastSeq; seq++) {
      const number = numbers.get(seq)
      const announced = seq <= told.trimmedTo && missing.has(seq)
      if (number === undefined && !announced) lost += 1
      else if (number !== undefined && number !== ack.firstNumber + seq - ack.firstSeq)
        broken.push(`another event at ${seq}`)
    }
  }
  if (cursor < told.confirmed) broken.push(`the cursor went back from ${told.confirmed} to ${cursor}`)
  return { lost, broken: broken.slice(0, 3), gone: missing.size > 0, another }
}

/** What the log says of itself where it began a new epoch. */
function reasonIn(entries: readonly Entry[]): string {
  const told = entries.findLast((entry) => entry.kind === 'event' && entry.type.startsWith('linli.log.'))
  return told?.kind === 'event' ? told.body : 'nothing says why'
}

/** The number of an event as the writer writes it; what the log appended itself has none. */
function numberIn(body: string): number {
  const { n, points } = JSON.parse(body)
  return n ?? points?.n?.v ?? -1
}

function lookWithSqlite(folder: string, told: Told): Found {
  let there = new Set<unknown>()
  try {
    const db = new Database(join(folder, 'hub.db'))
    there = new Set(db.prepare('SELECT seq FROM event').pluck().all())
    db.close()
  } catch (error) {
    // A file from before its first table was synced has no such table: nothing was acknowledged then, or it is lost.
    if (!(error instanceof Error && 'code' in error)) throw error
  }
  return {
    lost: told.acks.filter(({ firstSeq }) => !there.has(firstSeq)).length,
    broken: [],
    gone: false,
    another: undefined,
  }
}
