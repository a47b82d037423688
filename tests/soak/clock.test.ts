import { test } from 'vitest'
import { clockLives } from '../unit/gateway/core/clock-lives.ts'

const LIVES = 2000
/** Other lives: `LINLI_SEED=7 npm run test:soak`. */
const SEED = Number(process.env.LINLI_SEED ?? 1)

test(`${LIVES} lives of a hub whose clock is set, lost and found, seed ${SEED}`, { timeout: 1_800_000 }, async () => {
  await clockLives(LIVES, SEED)
  process.stdout.write(`soak clock ${LIVES} lives\n`)
})
