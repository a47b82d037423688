import { expect, test } from 'vitest'
import { turnBits } from '../system/storage/damage.ts'

const FLIPS = 600
/** Other bits: `LINLI_SEED=7 npm run test:soak`. */
const SEED = Number(process.env.LINLI_SEED ?? 99)

test.each([
  ['database', ''],
  ['WAL of a hub that was killed', '-wal'],
] as const)(`${FLIPS} turned bits, seed ${SEED}: %s`, { timeout: 900_000 }, async (name, end) => {
  const verdict = await turnBits(FLIPS, SEED, end)
  process.stdout.write(
    `soak damage.flips (${name}) ${verdict.flips}: harmless ${verdict.harmless}, gaps ${verdict.gaps}, new epochs ${verdict.newEpochs}\n`,
  )
  expect(verdict.wrong).toEqual([])
  if (end === '') expect(verdict.gaps).toBeGreaterThan(10)
  expect(verdict.newEpochs).toBeGreaterThan(10)
})
