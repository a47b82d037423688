import { expect, test } from 'vitest'
import { needsRoot } from '../system/needs.ts'
import { lostDiskRuns, WAYS } from '../system/storage/lost-disk.ts'

const RUNS = 20
/** Other moments: `LINLI_SEED=7 npm run test:soak`. */
const SEED = Number(process.env.LINLI_SEED ?? 1)

test.each(Object.keys(WAYS) as (keyof typeof WAYS)[])(
  `${RUNS} times a real disk is lost under the log, seed ${SEED}: %s`,
  { ...needsRoot('mkfs.ext4', 'e2fsck', 'sqlite3'), timeout: 600_000 },
  async (way) => {
    const result = await lostDiskRuns(way, RUNS, SEED)
    process.stdout.write(`soak lost-disk (${way}) ${JSON.stringify({ runs: RUNS, ...result })}\n`)
    expect(result).toMatchObject({ wrong: [], epochs: 1, integrity: 'ok' })
    expect(result.acknowledged).toBeGreaterThan(RUNS * 5)
  },
)
