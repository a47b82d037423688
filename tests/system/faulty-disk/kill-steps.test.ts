import { expect, test } from 'vitest'
import { needs } from '../needs.ts'
import { killSteps } from './kill-steps.ts'

const LIVES = 14

test(`${LIVES} lives of a writer, each killed before one call on the log: while it opens, commits, checkpoints, closes`, {
  ...needs('cc', 'sqlite3'),
  timeout: 120_000,
}, async () => {
  const result = await killSteps(LIVES, 4)
  expect(result).toMatchObject({ wrong: [], epochs: 1, integrity: 'ok' })
  expect(result.acknowledged).toBeGreaterThan(LIVES)
  expect(Object.entries(result.killed).filter(([, count]) => count === 0)).toEqual([])
})
