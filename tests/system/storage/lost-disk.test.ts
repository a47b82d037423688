import { expect, test } from 'vitest'
import { needsRoot } from '../needs.ts'
import { lostDiskRuns, WAYS } from './lost-disk.ts'

const RUNS = 3

test.each(Object.keys(WAYS) as (keyof typeof WAYS)[])(
  'a real disk is lost under the log, and %s: what was acknowledged is there when it comes back',
  { ...needsRoot('mkfs.ext4', 'e2fsck', 'sqlite3'), timeout: 60_000 },
  async (way) => {
    const result = await lostDiskRuns(way, RUNS, 3)
    expect(result).toMatchObject({ wrong: [], epochs: 1, integrity: 'ok' })
    expect(result.acknowledged).toBeGreaterThan(RUNS)
    expect(result.refused).toBeGreaterThan(0)
  },
)
