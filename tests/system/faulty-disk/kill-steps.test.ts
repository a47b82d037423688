import { expect, test } from 'vitest'
import { needs } from '../needs.ts'
import { killedStarts, killSteps } from './kill-steps.ts'

const LIVES = 7

test(`${LIVES} lives of a writer, each killed before one call on the log: while it opens, commits, checkpoints, closes`, {
  ...needs('cc', 'sqlite3'),
  timeout: 120_000,
}, async () => {
  const result = await killSteps(LIVES, 4)
  expect(result).toMatchObject({ wrong: [], epochs: 1, integrity: 'ok' })
  expect(result.acknowledged).toBeGreaterThan(LIVES)
  expect(Object.entries(result.killed).filter(([, count]) => count === 0)).toEqual([])
})

test('start after start that is killed before it could write its mark', {
  ...needs('cc'),
  timeout: 60_000,
}, async () => {
  const result = await killedStarts(2)
  expect(result).toEqual({ wrong: [], epochs: 1 })
})
