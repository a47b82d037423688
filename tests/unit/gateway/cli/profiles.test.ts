import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { readVocabulary, vocabularyTables, wordOf } from '../../../../gateway/cli/vocabulary.ts'
import { linli } from './told.ts'

const VOCABULARY = readVocabulary(
  JSON.stringify({
    points: [{ point: 'power', unit: 'W', kind: 'gauge', en: 'active power', zh: '有功功率' }],
    parts: [{ suffix: '_l1', en: 'phase L1', zh: 'A 相' }],
  }),
)

test('the profiles that come with the hub are listed, each protocol among them', async () => {
  const { code, out } = await linli(['profiles'])
  expect(code).toBe(0)
  expect(out).toMatch(/^eastron\/sdm630 +modbus +\d+ points +Eastron SDM630-Modbus$/m)
  expect(out).toMatch(/^generic\/dlt645-three-phase +dlt645 +\d+ points +generic DL\/T 645-2007, .*三相/m)
  expect(out).toMatch(/^generic\/cjt188-heat +cjt188 +9 points +/m)
  const rows = JSON.parse((await linli(['profiles', '--json'])).out)
  expect(rows.find(({ profile }: { profile: string }) => profile === 'eastron/sdm630').points).toContain(
    'energy_import',
  )
})

test('one profile is shown with the unit, the kind and the meaning of each point', async () => {
  const { code, out } = await linli(['profiles', 'generic/dlt645-single-phase'])
  expect(code).toBe(0)
  expect(out.split('\n')[0]).toBe('generic/dlt645-single-phase: generic DL/T 645-2007, one phase 单相电能表, dlt645')
  expect(out).toMatch(/^source: DL\/T 645-2007/m)
  expect(out).toMatch(/^energy_import +kWh +counter +active energy taken from the grid \/ 正向有功电能$/m)
})

test('the same for programs', async () => {
  const { out } = await linli(['profiles', 'eastron/sdm630', '--json'])
  const shown = JSON.parse(out)
  expect([shown.profile, shown.maker, shown.protocol]).toEqual(['eastron/sdm630', 'Eastron', 'modbus'])
  expect(shown.points[0]).toEqual({
    point: 'voltage_l1',
    unit: 'V',
    kind: 'gauge',
    en: 'phase to neutral, or between two phases; phase L1',
    zh: '电压，A 相',
  })
})

test("a site's own profile is shown too, and what is no word of the vocabulary is told", async () => {
  const folder = mkdtempSync(join(tmpdir(), 'linli-profiles-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const pump = {
    id: 'site/pump',
    maker: 'A',
    model: 'B',
    protocol: 'modbus',
    points: [{ point: 'revs', unit: '1/min' }],
  }
  writeFileSync(join(folder, 'pump.json'), JSON.stringify(pump))
  const { code, out } = await linli(['profiles', './pump.json'], { folder })
  expect([code, out.split('\n').at(-2)]).toEqual([0, 'revs  1/min  gauge  not in the vocabulary (config/README.md)'])
})

test('a profile that is not there is told with the nearest one', async () => {
  const { code, error } = await linli(['profiles', 'eastron/sdm631'])
  expect([code, error]).toEqual([2, expect.stringContaining('did you mean eastron/sdm630?')])
})

test('a part of a point means its whole and the part', () => {
  expect(wordOf(VOCABULARY, 'power_l1')).toEqual({
    point: 'power_l1',
    unit: 'W',
    kind: 'gauge',
    en: 'active power; phase L1',
    zh: '有功功率，A 相',
  })
  expect([wordOf(VOCABULARY, 'power_l2'), wordOf(VOCABULARY, 'watts')]).toEqual([undefined, undefined])
})

test('both tables of the README are made from it, their columns of one width on the screen', () => {
  expect(vocabularyTables(VOCABULARY).split('\n')).toEqual([
    '| point   | unit | kind  | what it is   | 含义     |',
    '| ------- | ---- | ----- | ------------ | -------- |',
    '| `power` | W    | gauge | active power | 有功功率 |',
    '',
    '| suffix | which part | 部分 |',
    '| ------ | ---------- | ---- |',
    '| `_l1`  | phase L1   | A 相 |',
  ])
})

test.each([
  ['a word without a meaning', { points: [{ point: 'a', unit: '', kind: 'gauge', en: 'x', zh: '' }], parts: [] }],
  ['a kind that is none', { points: [{ point: 'a', unit: '', kind: 'sum', en: 'x', zh: '某' }], parts: [] }],
])('%s is no vocabulary', (_name, file) => {
  expect(() => readVocabulary(JSON.stringify(file))).toThrow()
})
