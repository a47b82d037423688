import { join } from 'node:path'
import { seededRandom } from '../../../hardware-sim/random.ts'
import { Account, integrityOf, runWriter } from '../store-account.ts'
import { Ext4Disk } from './ext4.ts'

const DISK_BYTES = 48_000_000
/** From its first word on. */
const LIFE_MAX_MS = 400
/** So long it goes on without its disk. */
const AFTER_MS = 120

/** What is under way at a time is one commit: a batch of each size that the writer has. */
const COMMIT_EVENTS = 1 + 20 + 70

export interface LostDiskResult {
  readonly acknowledged: number
  /** Batches that were refused, nearly all of them behind the loss. */
  readonly refused: number
  /** Events whose sync was on its way when the disk was lost: ext4 says of such a one that it is done, now and then, and it is not. */
  readonly inFlight: number
  readonly epochs: number
  readonly wrong: readonly string[]
  readonly integrity: string
}

/** How a disk goes while a log is written on it. */
export const WAYS = {
  'the power goes': (disk) => disk.shutDown('journal lost'),
  'the power goes behind the journal': (disk) => disk.shutDown('journal written'),
  'an error makes it read-only': (disk) => disk.becomeReadOnly(),
} satisfies Readonly<Record<string, (disk: Ext4Disk) => void>>

/** Take the disk from under a writer, give it back, and look at what is there; so many times, each on what was there. */
export async function lostDiskRuns(way: keyof typeof WAYS, runs: number, seed: number): Promise<LostDiskResult> {
  const random = seededRandom(seed)
  const disk = new Ext4Disk(DISK_BYTES)
  try {
    const path = join(disk.folder, 'hub.db')
    const account = new Account()
    const wrong: string[] = []
    let inFlight = 0
    for (let run = 0; run < runs && wrong.length === 0; run++) {
      const lostAfterMs = random.next() * LIFE_MAX_MS
      const before = new Set(account.kept.keys())
      let certain: ReadonlySet<number> | undefined
      const act = (saidSoFar: string): void => {
        certain = Account.batchesIn(saidSoFar)
        WAYS[way](disk)
      }
      const killAfterMs = lostAfterMs + AFTER_MS
      const { errors } = await runWriter(path, account, { killAfterMs, meanwhile: { afterMs: lostAfterMs, act } })
      disk.comeBack()
      if (certain === undefined) wrong.push(`run ${run} ended before its disk was lost: ${errors}`)
      const known = certain
      const late = [...account.kept.keys()].filter((batch) => !before.has(batch) && known?.has(batch) !== true)
      const found = await account.wrongs(path)
      const excused = found.filter((text) => forgetIfIn(account, late, text))
      if (excused.length > COMMIT_EVENTS)
        wrong.push(`run ${run}: ${excused.length} were lost that were told after the loss`)
      inFlight += excused.length
      wrong.push(...found.filter((text) => !excused.includes(text)).map((text) => `run ${run}: ${text}`))
    }
    const { kept, refused, epochs } = account
    return { acknowledged: kept.size, refused, inFlight, epochs: epochs.size, wrong, integrity: integrityOf(path) }
  } finally {
    disk.remove()
  }
}

/** Whether the words are of a place in one of these batches that is lost; then nobody asks for that batch again. */
function forgetIfIn(account: Account, batches: readonly number[], words: string): boolean {
  const seq = Number(/^(\d+) was acknowledged and is lost$/.exec(words)?.[1] ?? Number.NaN)
  const batch = batches.find((each) => {
    const [first, last] = account.kept.get(each) ?? account.forgotten.get(each) ?? [1, 0]
    return first <= seq && seq <= last
  })
  if (batch !== undefined) account.forget(batch)
  return batch !== undefined
}
