import { join } from 'node:path'
import { seededRandom } from '../../../hardware-sim/random.ts'
import { Account, integrityOf, runWriter } from '../store-account.ts'
import { Ext4Disk } from './ext4.ts'

const DISK_BYTES = 48_000_000
/** From its first word on. */
const LIFE_MAX_MS = 400
/** So long it goes on without its disk. */
const AFTER_MS = 120

export interface LostDiskResult {
  readonly acknowledged: number
  /** Batches that were refused, nearly all of them behind the loss. */
  readonly refused: number
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
    for (let run = 0; run < runs && wrong.length === 0; run++) {
      const lostAfterMs = random.next() * LIFE_MAX_MS
      const killAfterMs = lostAfterMs + AFTER_MS
      await runWriter(path, account, { killAfterMs, meanwhile: { afterMs: lostAfterMs, act: () => WAYS[way](disk) } })
      disk.comeBack()
      wrong.push(...(await account.wrongs(path)).map((text) => `run ${run}: ${text}`))
    }
    const { kept, refused, epochs } = account
    return { acknowledged: kept.size, refused, epochs: epochs.size, wrong, integrity: integrityOf(path) }
  } finally {
    disk.remove()
  }
}
