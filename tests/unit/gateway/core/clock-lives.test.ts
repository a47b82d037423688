import { test } from 'vitest'
import { clockLives } from './clock-lives.ts'

test('whatever becomes of the clock, what was recorded without it is read by the newest word of a time source', async () => {
  await clockLives(20)
})
