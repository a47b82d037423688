import { expect, test } from 'vitest'
import { killRuns } from '../system/kill-runs.ts'
import { needs } from '../system/needs.ts'

const KILLS = 500
/** Another run of other moments: `LINLI_SEED=7 npm run test:soak`. */
const SEED = Number(process.env.LINLI_SEED ?? 1)

test(`${KILLS} times kill -9, seed ${SEED}`, { ...needs('sqlite3'), timeout: 1_800_000 }, async () => {
  const result = await killRuns(KILLS, SEED)
  process.stdout.write(`soak kill ${JSON.stringify(result)}\n`)
  expect(result).toMatchObject({ lost: [], holes: [], twice: [], undelivered: 0, integrity: 'ok' })
  expect(result.epochs).toHaveLength(1)
  expect(result.killsAtWork).toBeGreaterThan(KILLS / 2)
})
