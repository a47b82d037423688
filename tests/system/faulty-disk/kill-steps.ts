import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { seededRandom } from '../../../hardware-sim/random.ts'
import { Account, integrityOf, runWriter } from '../store-account.ts'
import { FaultyDisk } from './faulty-disk.ts'

/** What a log does to its files: the first calls of a life open it, the last ones close it, the others commit or checkpoint. */
const STEPS = ['write:-wal', 'sync:-wal', 'write:hub.db', 'sync:hub.db', 'write:-mark', 'sync:-mark', 'sync:-journal']
/** A life has about so many of each. */
const CALLS: Readonly<Record<string, number>> = { 'write:-wal': 36, 'sync:-wal': 14, 'write:hub.db': 12 }
const CALLS_OF_OTHERS = 3
const BATCHES = 20
/** Little enough that the WAL is copied into the database within a life. */
const MAX_BYTES = 6_000_000

export interface KillStepsResult {
  /** Lives that were killed at their step; the others came to their end before it. */
  readonly killed: Readonly<Record<string, number>>
  readonly acknowledged: number
  readonly epochs: number
  readonly wrong: readonly string[]
  readonly integrity: string
}

/** One life of a writer after the other on one log, each killed right before one call on one of its files. */
export function killSteps(lives: number, seed: number): Promise<KillStepsResult> {
  return onOneLog(async (path, disk, account) => {
    const random = seededRandom(seed)
    const killed = Object.fromEntries(STEPS.map((step) => [step, 0]))
    const wrong: string[] = []
    for (let life = 0; life < lives && wrong.length === 0; life++) {
      const step = STEPS[life % STEPS.length]!
      const call = 1 + Math.floor(random.next() * (CALLS[step] ?? CALLS_OF_OTHERS))
      const environment = disk.environment(`${step}:${call}-${call}:kill`)
      const { errors } = await runWriter(path, account, { batches: BATCHES, maxBytes: MAX_BYTES, environment })
      if (disk.failed().length > 0) killed[step]! += 1
      else if (errors !== '') wrong.push(`life ${life} said: ${errors}`)
      wrong.push(...(await account.wrongs(path)).map((text) => `life ${life}, ${step} ${call}: ${text}`))
    }
    const { kept, epochs } = account
    return { killed, acknowledged: kept.size, epochs: epochs.size, wrong, integrity: integrityOf(path) }
  })
}

/** A life in full course that is killed, so many starts that do not come to the mark, and a whole life. */
export function killedStarts(starts: number): Promise<Pick<KillStepsResult, 'wrong' | 'epochs'>> {
  return onOneLog(async (path, disk, account) => {
    await runWriter(path, account, { killAfterMs: 100 })
    for (let start = 0; start < starts; start++) {
      await runWriter(path, account, { batches: 1, environment: disk.environment('sync:-mark-journal:1-1:kill') })
      if (disk.failed().length === 0) throw new Error(`start ${start} was not killed`)
    }
    await runWriter(path, account, { batches: BATCHES })
    return { wrong: await account.wrongs(path), epochs: account.epochs.size }
  })
}

async function onOneLog<T>(work: (path: string, disk: FaultyDisk, account: Account) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'linli-steps-'))
  const disk = new FaultyDisk()
  try {
    return await work(join(folder, 'hub.db'), disk, new Account())
  } finally {
    disk.remove()
    rmSync(folder, { recursive: true })
  }
}
