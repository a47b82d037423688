import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { decodeBcdPoint } from '../../../../drivers/rs485/bcd-point.ts'
import { decode } from '../../../../drivers/rs485/cjt188/cjt188-meter.ts'
import { wordsOf } from '../../../../drivers/rs485/codec/value.ts'
import { NETWORK_COSTS, serialCosts } from '../../../../drivers/rs485/costs.ts'
import { decodePoint } from '../../../../drivers/rs485/modbus/modbus-meter.ts'
import { type ModbusPoint, type ModbusProfile, modbusProfile } from '../../../../drivers/rs485/modbus/modbus-profile.ts'
import { planBlocks } from '../../../../drivers/rs485/plan.ts'
import { type Profile, profileSchema } from '../../../../drivers/rs485/profile.ts'
import { createProfiles } from '../../../../gateway/io/profiles.ts'
import { hex } from '../../../hex.ts'
import { SETTINGS } from './host.ts'

const FOLDER = join(import.meta.dirname, '../../../../config/profiles')
const references = await createProfiles({ folder: FOLDER, besides: FOLDER }).list()
const raw = (reference: string): unknown => JSON.parse(readFileSync(join(FOLDER, `${reference}.json`), 'utf8'))

test('there are profiles', () => {
  expect(references).toEqual(expect.arrayContaining(['eastron/sdm120', 'eastron/sdm630', 'eastron/sdm72']))
})

test.each(references)('%s is what the schema asks for, is called like its file, and can be planned', (reference) => {
  const profile = profileSchema.parse(raw(reference))
  expect(profile.id).toBe(reference)
  if (profile.protocol !== 'modbus') return
  const costs = [NETWORK_COSTS, serialCosts(SETTINGS)]
  for (const cost of costs) {
    const blocks = planBlocks(profile.points, { ...cost, registersMax: profile.blockMax })
    expect(blocks.flatMap(({ points }) => points.map(({ point }) => point)).sort()).toEqual(
      profile.points.map(({ point }) => point).sort(),
    )
    for (const { address, count, points } of blocks) {
      expect(count).toBeLessThanOrEqual(profile.blockMax)
      for (const point of points) {
        expect(point.address).toBeGreaterThanOrEqual(address)
        expect(point.address + wordsOf(point)).toBeLessThanOrEqual(address + count)
      }
    }
  }
})

const samples = references.flatMap((reference) => {
  const profile = profileSchema.parse(raw(reference))
  return profile.samples.map((sample, at) => ({ name: `${reference}, sample ${at + 1}`, profile, sample }))
})

test.each(samples)('$name is decoded as it says', ({ profile, sample }) => {
  const found = Object.keys(sample.expect).map((name) => [name, sampleValue(profile, sample, name)])
  expect(Object.fromEntries(found)).toEqual(sample.expect)
})

type Sample = Profile['samples'][number]

function sampleValue(profile: Profile, sample: Sample, name: string) {
  if (profile.protocol === 'modbus') return sampleWords(profile, sample as ModbusProfile['samples'][number], name)
  const { identifier, data } = sample as { identifier: string; data: string }
  if (profile.protocol === 'cjt188') {
    const point = profile.points.find((one) => one.point === name && one.identifier === identifier)!
    return decode(point, hex(data))
  }
  const point = profile.points.find((one) => one.point === name && one.identifier === identifier)!
  return decodeBcdPoint(point, hex(data))
}

/** The value of a point in a sample: the words that begin at or before it. A coil is a word of its own there. */
function sampleWords(profile: ModbusProfile, sample: ModbusProfile['samples'][number], name: string) {
  const point = profile.points.find((one) => one.point === name) as ModbusPoint
  expect(sample.table ?? point.table).toBe(point.table)
  const isBit = point.table === 'coil' || point.table === 'discrete'
  for (const [start, words] of Object.entries(sample.words)) {
    const data = hex(words)
    const from = Number(start)
    if (point.address < from || (point.address + wordsOf(point) - from) * 2 > data.length) continue
    return decodePoint(point, from, isBit ? packed(data) : data)
  }
  throw new Error(`the sample has no words for ${name}`)
}

/** The bits of an answer, eight in a byte, the first one lowest (MODBUS Application Protocol V1.1b3, 6.2). */
function packed(words: Uint8Array): Uint8Array {
  const bits = Array.from({ length: words.length / 2 }, (_, at) => words[at * 2 + 1]!)
  const bytes = new Uint8Array(Math.ceil(bits.length / 8))
  for (const [at, bit] of bits.entries()) bytes[at >> 3]! |= bit << (at & 7)
  return bytes
}

const valid = {
  id: 'a/b',
  maker: 'A',
  model: 'B',
  protocol: 'modbus',
  source: 'the test itself',
  points: [{ point: 'power', unit: 'W', table: 'input', address: 0, as: 'float32' }],
  samples: [{ words: { '0': '4366 8000' }, expect: { power: 230.5 } }],
}
const mistakes = (change: object): string[] => {
  const parsed = modbusProfile.safeParse({ ...valid, ...change })
  return parsed.success ? [] : parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
}
const withPoint = (change: object): object => ({ points: [{ ...valid.points[0], ...change }] })

test('a profile without a mistake has none', () => {
  expect(mistakes({})).toEqual([])
})

test.each([
  ['no source', { source: '' }, /^source: /],
  ['no sample', { samples: [] }, /^samples: /],
  ['a sample that expects nothing', { samples: [{ words: {}, expect: {} }] }, /^samples\.0\.expect: /],
  [
    'a sample for a point that is not there',
    { samples: [{ words: {}, expect: { voltage: 1 } }] },
    /^samples\.0\.expect\.voltage: no point/,
  ],
  ['a point twice', { points: [valid.points[0], valid.points[0]] }, /^points\.1\.point: power is there twice/],
  ['an unknown key', { registers: [] }, /Unrecognized key/],
  ['a coil that is a number', withPoint({ table: 'coil', as: 'uint16' }), /^points\.0\.as: a coil is a bit/],
  ['a bit of a register that is not said', withPoint({ as: 'bit' }), /^points\.0\.bit: which bit/],
  ['a number with a bit', withPoint({ bit: 3 }), /^points\.0\.bit: /],
  ['a string without a length', withPoint({ as: 'string' }), /^points\.0\.length: /],
  ['a number with a length', withPoint({ length: 2 }), /^points\.0\.length: /],
  ['past the last address', withPoint({ address: 65_535 }), /^points\.0\.address: /],
  ['a "no value" that is too short', withPoint({ noValue: ['FFFF'] }), /^points\.0\.noValue: "FFFF" is not as long/],
  ['a 30001-style name of a table', withPoint({ table: '3x' }), /^points\.0\.table: /],
] as const)('%s is told with its path', (_name, change, words) => {
  expect(mistakes(change).join('\n')).toMatch(words)
})
