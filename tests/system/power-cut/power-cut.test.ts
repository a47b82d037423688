import { expect, test } from 'vitest'
import { needs } from '../needs.ts'
import { playPowerCuts } from './power-cut.ts'

const LIMIT_MS = 120_000

test('no cut of the power takes what was acknowledged, though unsynced sectors are lost at random', {
  ...needs('cc'),
  timeout: LIMIT_MS,
}, async () => {
  const cut = { lostChance: 0.5, garbageChance: 0 }
  const verdict = await playPowerCuts({ kind: 'store', seed: 1, batches: 120, states: 150, cut })
  expect(verdict).toMatchObject({ states: 150, lost: 0, losing: 0, epochs: [], broken: [] })
})

test('in the midst of thinning and evicting too: what is gone is announced, or it is there', {
  ...needs('cc'),
  timeout: LIMIT_MS,
}, async () => {
  const cut = { lostChance: 0.5, garbageChance: 0 }
  const verdict = await playPowerCuts({ kind: 'full', seed: 3, batches: 300, states: 40, cut })
  expect(verdict).toMatchObject({ states: 40, lost: 0, losing: 0, epochs: [], broken: [] })
  expect(verdict.letGo).toBeGreaterThan(10)
})

test('syncs that fail before the cut: the kernel forgets what it could not write, and nobody had been told of it', {
  ...needs('cc'),
  timeout: LIMIT_MS,
}, async () => {
  const cut = { lostChance: 0.5, garbageChance: 0 }
  const failedSyncs = '20-20,40-42,60-66,90-95'
  const verdict = await playPowerCuts({ kind: 'store', seed: 1, batches: 100, states: 80, cut, failedSyncs })
  expect(verdict).toMatchObject({ states: 80, lost: 0, losing: 0, broken: [] })
  expect(verdict.refused).toBeGreaterThan(5)
  // Where the mark could not be written either, the log is not provably the continuation, and says so.
  expect(verdict.epochs.filter((told) => !told.includes('its WAL is gone'))).toEqual([])
  expect(verdict.epochs.length).toBeLessThan(20)
})

test('the same cuts see what synchronous=NORMAL loses', { ...needs('cc'), timeout: LIMIT_MS }, async () => {
  const cut = { lostChance: 0.5, garbageChance: 0 }
  const { states, losing } = await playPowerCuts({ kind: 'normal', seed: 2, batches: 200, states: 60, cut })
  expect(losing).toBeGreaterThan(states / 2)
})
