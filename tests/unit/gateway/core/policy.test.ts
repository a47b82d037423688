import { expect, test } from 'vitest'
import type { Reach } from '../../../../gateway/contract/fault.ts'
import { actionFor } from '../../../../gateway/core/policy.ts'

test('a mistake in the settings parks the connection, however often', () => {
  expect(actionFor('setup', 0, 0.5)).toEqual({ kind: 'park' })
  expect(actionFor('setup', 9, 0.5)).toEqual({ kind: 'park' })
})

test('a lost connection is tried after half a second, then ever later, a minute at most', () => {
  const pauses = [0, 1, 2, 3, 7, 1000].map((attempt) => actionFor('connection', attempt, 1))
  expect(pauses).toEqual([500, 1000, 2000, 4000, 60_000, 60_000].map((afterMs) => ({ kind: 'restart', afterMs })))
})

test('chance spreads a pause over its upper half', () => {
  expect(actionFor('connection', 2, 0)).toEqual({ kind: 'restart', afterMs: 1000 })
  expect(actionFor('connection', 2, 0.5)).toEqual({ kind: 'restart', afterMs: 1500 })
})

test('every reach has an answer', () => {
  const reaches: Reach[] = ['reply', 'point', 'device', 'connection', 'setup']
  expect(reaches.map((reach) => actionFor(reach, 0, 0).kind)).toEqual([
    'restart',
    'restart',
    'restart',
    'restart',
    'park',
  ])
})
