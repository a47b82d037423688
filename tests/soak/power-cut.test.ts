import { expect, test } from 'vitest'
import { compiledSqlite } from '../bench/compiled-sqlite.ts'
import { needs } from '../system/needs.ts'
import { playPowerCuts, type Verdict } from '../system/power-cut/power-cut.ts'

const LIMIT_MS = 1_800_000
/** Other cuts: `LINLI_SEED=7 npm run test:soak`. */
const SEED = Number(process.env.LINLI_SEED ?? 1)

function tell(name: string, verdict: Verdict): void {
  const counts = { ...verdict, epochs: verdict.epochs.length, broken: verdict.broken.length }
  process.stdout.write(`soak power-cut (${name}) ${JSON.stringify(counts)}\n`)
}

test.each([
  ['unsynced sectors are lost at random', { lostChance: 0.5, garbageChance: 0 }],
  ['most of them are lost', { lostChance: 0.9, garbageChance: 0 }],
  ['few of them are lost', { lostChance: 0.1, garbageChance: 0 }],
])(`500 cuts of the power, seed ${SEED}: %s`, { ...needs('cc'), timeout: LIMIT_MS }, async (name, cut) => {
  const verdict = await playPowerCuts({ kind: 'store', seed: SEED, batches: 400, states: 500, cut })
  tell(name, verdict)
  expect(verdict).toMatchObject({ states: 500, lost: 0, losing: 0, epochs: [], broken: [] })
})

test(`200 cuts in the midst of thinning and evicting, seed ${SEED}`, {
  ...needs('cc'),
  timeout: LIMIT_MS,
}, async () => {
  const cut = { lostChance: 0.5, garbageChance: 0 }
  const verdict = await playPowerCuts({ kind: 'full', seed: SEED, batches: 400, states: 200, cut })
  tell('thinning', verdict)
  expect(verdict).toMatchObject({ states: 200, lost: 0, losing: 0, epochs: [], broken: [] })
})

test.each([
  ['one by one, and three and seven in a row', '20-20,40-42,60-66,90-95,120-123,200-206'],
  ['often', '25-26,33-33,47-47,60-60,75-75,90-99,110-113,150-150,170-173,190-190,220-225'],
  ['for long', '50-90,200-230'],
])(
  `200 cuts after syncs that failed, seed ${SEED}: %s`,
  { ...needs('cc'), timeout: LIMIT_MS },
  async (name, failedSyncs) => {
    const cut = { lostChance: 0.5, garbageChance: 0 }
    const verdict = await playPowerCuts({ kind: 'store', seed: SEED, batches: 300, states: 200, cut, failedSyncs })
    tell(`failed syncs, ${name}`, verdict)
    expect(verdict).toMatchObject({ states: 200, lost: 0, losing: 0, broken: [] })
    expect(verdict.refused).toBeGreaterThan(10)
    // Where the mark could not be written either, the log is not provably the continuation, and says so.
    expect(verdict.epochs.filter((told) => !told.includes('its WAL is gone'))).toEqual([])
    expect(verdict.epochs.length).toBeLessThan(50)
  },
)

test(`500 cuts that leave garbage in the sector being written, with SQLite built for it, seed ${SEED}`, {
  ...needs('cc', 'c++', 'make', 'python3'),
  timeout: LIMIT_MS,
}, async () => {
  const cut = { lostChance: 0.5, garbageChance: 0.5 }
  const binding = await compiledSqlite()
  const verdict = await playPowerCuts({ kind: 'store', seed: SEED, batches: 400, states: 500, cut, binding })
  tell('garbage', verdict)
  expect(verdict).toMatchObject({ states: 500, lost: 0, losing: 0, epochs: [], broken: [] })
  // The binary that the package brings trusts the card not to do that (SQLITE_POWERSAFE_OVERWRITE): the cuts are real.
  const brought = await playPowerCuts({ kind: 'store', seed: SEED, batches: 400, states: 200, cut })
  tell('garbage, as the package brings it', brought)
  expect(brought.losing).toBeGreaterThan(0)
})

test('the same cuts see what synchronous=NORMAL loses', { ...needs('cc'), timeout: LIMIT_MS }, async () => {
  const cut = { lostChance: 0.5, garbageChance: 0 }
  const { states, losing } = await playPowerCuts({ kind: 'normal', seed: SEED, batches: 400, states: 200, cut })
  process.stdout.write(`soak power-cut (NORMAL) ${losing} of ${states} states lose something\n`)
  expect(losing).toBeGreaterThan(states / 2)
})
