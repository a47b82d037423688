import { expect, test } from 'vitest'
import { fuzzLine } from '../unit/drivers/rs485/fuzz.ts'

const SEEDS = 10
const BYTES_A_SEED = 1_000_000

test.each(Array.from({ length: SEEDS }, (_, seed) => seed + 1))(
  'a million bytes of a sick line, seed %i: no value from nowhere, no answer lost',
  async (seed) => {
    const { bytes, answers } = await fuzzLine(seed, BYTES_A_SEED)
    expect(bytes).toBeGreaterThanOrEqual(BYTES_A_SEED)
    process.stdout.write(`soak line-fuzz seed ${seed}: ${bytes} bytes, ${answers} answers\n`)
    expect(answers).toBeGreaterThan(0)
  },
  600_000,
)
