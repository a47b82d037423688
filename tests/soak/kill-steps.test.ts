import { expect, test } from 'vitest'
import { killSteps } from '../system/faulty-disk/kill-steps.ts'
import { needs } from '../system/needs.ts'

const LIVES = 210
/** Other calls: `LINLI_SEED=7 npm run test:soak`. */
const SEED = Number(process.env.LINLI_SEED ?? 1)

test(`${LIVES} lives of a writer, each killed before one call on the log, seed ${SEED}`, {
  ...needs('cc', 'sqlite3'),
  timeout: 1_800_000,
}, async () => {
  const result = await killSteps(LIVES, SEED)
  process.stdout.write(`soak kill-steps ${JSON.stringify(result)}\n`)
  expect(result).toMatchObject({ wrong: [], epochs: 1, integrity: 'ok' })
  const killed = Object.values(result.killed).reduce((sum, count) => sum + count, 0)
  expect(killed).toBeGreaterThan(LIVES / 2)
})
