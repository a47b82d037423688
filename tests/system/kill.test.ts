import { expect, test } from 'vitest'
import { killRuns } from './kill-runs.ts'
import { needs } from './needs.ts'

const KILLS = 20
const SEED = 20_261_123

test(`${KILLS} times kill -9, with the platform there and away`, {
  ...needs('sqlite3'),
  timeout: 180_000,
}, async () => {
  const result = await killRuns(KILLS, SEED)
  expect(result).toMatchObject({ lost: [], holes: [], twice: [], undelivered: 0, integrity: 'ok' })
  expect(result.epochs).toHaveLength(1)
  // The test would see nothing if hubs died before they did anything.
  expect(result.killsAtWork).toBeGreaterThan(KILLS / 2)
  expect(result.acknowledged).toBeGreaterThan(KILLS * 10)
})
