import { expect, test } from 'vitest'
import { isCounter } from '../../gateway/store/thinning.ts'
import { vocabulary, wrongProfiles, wrongWords } from './profiles.ts'
import { readRepository, textFiles, told } from './sources.ts'

const FILE = 'config/profiles/vocabulary.json'
const meaning = { en: 'x', zh: '某' }
const KNOWN = vocabulary(
  JSON.stringify({
    points: [
      { point: 'power', unit: 'W', kind: 'gauge', ...meaning },
      { point: 'energy_import', unit: 'kWh', kind: 'counter', ...meaning },
      { point: 'pm2_5', unit: 'µg/m³', kind: 'gauge', ...meaning },
    ],
    parts: ['_l1', '_l1_l2', '_5'].map((suffix) => ({ suffix, ...meaning })),
  }),
)

/** Models that the hub comes with, at the least. */
const PROFILES_MIN = 24

test('every profile has its source and its test vector, and calls things what others call them', () => {
  const profiles = textFiles(/^config\/profiles\/[^/]+\/.+\.json$/)
  expect(profiles.length).toBeGreaterThanOrEqual(PROFILES_MIN)
  expect(told(wrongProfiles(profiles, vocabulary(readRepository(FILE))))).toEqual([])
})

test('every protocol has profiles', () => {
  const texts = textFiles(/^config\/profiles\/[^/]+\/.+\.json$/).map(({ text }) => text)
  const protocols = new Set(texts.map((text) => (JSON.parse(text) as { protocol: string }).protocol))
  expect([...protocols].sort()).toEqual(['cjt188', 'dlt645', 'modbus'])
})

test('every word is there once, and means something in English and in Chinese', () => {
  const text = readRepository(FILE)
  expect(vocabulary(text).words.get('energy_import')).toEqual({ unit: 'kWh', kind: 'counter' })
  expect(told(wrongWords(FILE, text))).toEqual([])
})

test('what the vocabulary counts is thinned as a counter, and nothing else is', () => {
  const { words } = vocabulary(readRepository(FILE))
  const thinned = [...words].map(([point, { unit }]) => [point, isCounter(point, unit || undefined)])
  expect(thinned).toEqual([...words].map(([point, { kind }]) => [point, kind === 'counter']))
})

test('a word twice, a part that has a row of its own and a meaning that is missing are told', () => {
  const points = [
    { point: 'power', unit: 'W', kind: 'gauge', en: 'power', zh: '功率' },
    { point: 'power', unit: 'W', kind: 'gauge', en: 'power', zh: '功率' },
    { point: 'power_l1', unit: 'W', kind: 'gauge', en: 'power', zh: 'power' },
  ]
  const parts = [{ suffix: '_l1', en: '', zh: 'A 相' }]
  expect(wrongWords(FILE, JSON.stringify({ points, parts })).map(({ message }) => message)).toEqual([
    '`power` is there twice',
    '`power_l1` is a part of `power` already: leave one out',
    '`power_l1` has no meaning in Chinese',
    '`_l1` has no meaning in English',
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
      { point: 'power_l2', unit: 'W' },
    ],
    samples: [{ words: {}, expect: {} }],
  })
  const breaches = wrongProfiles([{ path: 'config/profiles/acme/two.json', text }], KNOWN)
  expect(breaches.map(({ message }) => message.split(':')[0])).toEqual([
    'its id is acme/one, its place says acme/two',
    'no `source`',
    'no `samples`',
    'no point `watts` in config/profiles/vocabulary.json',
    '`power_l1` is a gauge in "kW"; everybody else\'s is a gauge in "W"',
    '`energy_import` is a gauge in "kWh"; everybody else\'s is a counter in "kWh"',
    'no point `power_l2` in config/profiles/vocabulary.json',
  ])
})

test('a whole profile is fine, a phase is a part of its whole, and a name may end like a part', () => {
  const text = JSON.stringify({
    id: 'acme/one',
    source: 'manual 1.2, page 30',
    points: [
      { point: 'power_l1', unit: 'W' },
      { point: 'power_l1_l2', unit: 'W' },
      { point: 'pm2_5', unit: 'µg/m³' },
      { point: 'energy_import', unit: 'kWh', kind: 'counter' },
    ],
    samples: [{ words: { 0: '0001' }, expect: { power_l1: 1 } }],
  })
  expect(wrongProfiles([{ path: 'config/profiles/acme/one.json', text }], KNOWN)).toEqual([])
})
