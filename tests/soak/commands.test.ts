import { expect, test } from 'vitest'
import { commandRuns } from '../system/command-runs.ts'

const KILLS = 200
/** Another run of other moments: `LINLI_SEED=7 npm run test:soak`. */
const SEED = Number(process.env.LINLI_SEED ?? 1)

test(`${KILLS} times kill -9 in the middle of a command, seed ${SEED}`, { timeout: 1_800_000 }, async () => {
  const result = await commandRuns(KILLS, SEED)
  process.stdout.write(`soak commands ${JSON.stringify(result)}\n`)
  expect(result).toMatchObject({ twice: [], idle: [], endings: [] })
  // It has to see both: pulses that were found finished or open after the crash, and those that only the second asking gave.
  expect(result.states.unknown).toBeGreaterThan(10)
  expect(result.states.executed).toBeGreaterThan(10)
})
