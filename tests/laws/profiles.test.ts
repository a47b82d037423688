import { expect, test } from 'vitest'
import { vocabulary, wrongProfiles } from './profiles.ts'
import { readRepository, textFiles, told } from './sources.ts'

const KNOWN = vocabulary(
  '| `power` | W | gauge | x |\n| `energy_import`  | kWh  | counter  | x |\n| `factor` |  | gauge | x |\n',
)

test('every profile has its source and its test vector, and calls things what others call them', () => {
  const profiles = textFiles(/^config\/profiles\/[^/]+\/.+\.json$/)
  const known = vocabulary(readRepository('config/README.md'))
  expect(profiles.length).toBeGreaterThanOrEqual(2)
  expect(known.get('energy_import')).toEqual({ unit: 'kWh', kind: 'counter' })
  expect(told(wrongProfiles(profiles, known))).toEqual([])
})

test('the vocabulary is read from the table, units and all', () => {
  expect([...KNOWN]).toEqual([
    ['power', { unit: 'W', kind: 'gauge' }],
    ['energy_import', { unit: 'kWh', kind: 'counter' }],
    ['factor', { unit: '', kind: 'gauge' }],
  ])
})

test('what a profile lacks is told, each with what to do', () => {
  const text = JSON.stringify({
    id: 'acme/one',
    source: 'web',
    points: [
      { point: 'watts', unit: 'W' },
      { point: 'power_l1', unit: 'kW' },
      { point: 'energy_import', unit: 'kWh' },
    ],
    samples: [{ words: {}, expect: {} }],
  })
  const breaches = wrongProfiles([{ path: 'config/profiles/acme/two.json', text }], KNOWN)
  expect(breaches.map(({ message }) => message.split(':')[0])).toEqual([
    'its id is acme/one, its place says acme/two',
    'no `source`',
    'no `samples`',
    'no point `watts` in config/README.md',
    '`power_l1` is a gauge in "kW"; everybody else\'s is a gauge in "W"',
    '`energy_import` is a gauge in "kWh"; everybody else\'s is a counter in "kWh"',
  ])
})

test('a whole profile is fine, a phase is a part of its whole', () => {
  const text = JSON.stringify({
    id: 'acme/one',
    source: 'manual 1.2, page 30',
    points: [
      { point: 'power_l1', unit: 'W' },
      { point: 'energy_import', unit: 'kWh', kind: 'counter' },
    ],
    samples: [{ words: { 0: '0001' }, expect: { power_l1: 1 } }],
  })
  expect(wrongProfiles([{ path: 'config/profiles/acme/one.json', text }], KNOWN)).toEqual([])
})
