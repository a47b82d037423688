import fc from 'fast-check'
import { expect, test } from 'vitest'
import { keepsItsPromises } from '../unit/gateway/store/keeping-model.ts'
import { anyPlan } from '../unit/gateway/store/keeping-plans.ts'

const RUNS = 100
/** Another run: `LINLI_SEED=7 npm run test:soak`. */
const SEED = Number(process.env.LINLI_SEED ?? 1)

test(`${RUNS} logs that are full, each treated in another way, seed ${SEED}`, { timeout: 1_800_000 }, async () => {
  const property = fc.asyncProperty(anyPlan(60), keepsItsPromises)
  const result = await fc.check(property, { numRuns: RUNS, seed: SEED, endOnFailure: true })
  process.stdout.write(`soak keeping ${result.numRuns} logs, failed ${result.failed}\n`)
  expect(result.failed, JSON.stringify([result.counterexample, String(result.errorInstance)])).toBe(false)
})
