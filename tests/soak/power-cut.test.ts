import { expect, test } from 'vitest'
import { needs } from '../system/needs.ts'
import { playPowerCuts } from '../system/power-cut/power-cut.ts'

const LIMIT_MS = 1_800_000
/** Other cuts: `LINLI_SEED=7 npm run test:soak`. */
const SEED = Number(process.env.LINLI_SEED ?? 1)

test.each([
  ['unsynced sectors are lost at random', { lostChance: 0.5, garbageChance: 0 }],
  ['most of them are lost', { lostChance: 0.9, garbageChance: 0 }],
  ['few of them are lost', { lostChance: 0.1, garbageChance: 0 }],
])(`500 cuts of the power, seed ${SEED}: %s`, { ...needs('cc'), timeout: LIMIT_MS }, async (name, cut) => {
  const verdict = await playPowerCuts({ kind: 'store', seed: SEED, batches: 400, states: 500, cut })
  process.stdout.write(`soak power-cut (${name}) ${JSON.stringify({ ...verdict, broken: verdict.broken.length })}\n`)
  expect(verdict).toMatchObject({ states: 500, lost: 0, losing: 0, broken: [] })
})

test(`200 cuts in the midst of thinning and evicting, seed ${SEED}`, {
  ...needs('cc'),
  timeout: LIMIT_MS,
}, async () => {
  const cut = { lostChance: 0.5, garbageChance: 0 }
  const verdict = await playPowerCuts({ kind: 'full', seed: SEED, batches: 400, states: 200, cut })
  process.stdout.write(`soak power-cut (thinning) ${JSON.stringify({ ...verdict, broken: verdict.broken.length })}\n`)
  expect(verdict).toMatchObject({ states: 200, lost: 0, losing: 0, broken: [] })
})

test('the same cuts see what synchronous=NORMAL loses', { ...needs('cc'), timeout: LIMIT_MS }, async () => {
  const cut = { lostChance: 0.5, garbageChance: 0 }
  const { states, losing } = await playPowerCuts({ kind: 'normal', seed: SEED, batches: 400, states: 200, cut })
  process.stdout.write(`soak power-cut (NORMAL) ${losing} of ${states} states lose something\n`)
  expect(losing).toBeGreaterThan(states / 2)
})
