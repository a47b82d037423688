import { expect, test } from 'vitest'
import { turnBits } from '../system/storage/damage.ts'

const FLIPS = 600
/** Other bits: `LINLI_SEED=7 npm run test:soak`. */
const SEED = Number(process.env.LINLI_SEED ?? 99)

test(`${FLIPS} turned bits, seed ${SEED}`, { timeout: 900_000 }, async () => {
  const verdict = await turnBits(FLIPS, SEED)
  process.stdout.write(
    `soak damage.flips ${verdict.flips}: harmless ${verdict.harmless}, gaps ${verdict.gaps}, new epochs ${verdict.newEpochs}\n`,
  )
  expect(verdict.wrong).toEqual([])
  expect(verdict.gaps).toBeGreaterThan(10)
  expect(verdict.newEpochs).toBeGreaterThan(10)
})
