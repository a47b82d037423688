import { expect, test } from 'vitest'
import { commandRuns } from './command-runs.ts'

const KILLS = 4

test(`${KILLS} times kill -9 in the middle of a command: one pulse at most, one ending each`, {
  timeout: 120_000,
}, async () => {
  const result = await commandRuns(KILLS, 5)
  expect(result).toMatchObject({ twice: [], idle: [], endings: [] })
  expect(Object.values(result.states).reduce((sum, count) => sum + count, 0)).toBe(KILLS)
})
