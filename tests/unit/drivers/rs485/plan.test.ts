import { expect, test } from 'vitest'
import { planBlocks, split } from '../../../../drivers/rs485/plan.ts'
import { modbusProfile } from '../../../../drivers/rs485/profile.ts'

const profile = (points: readonly [name: string, table: string, address: number, as: string][], more: object = {}) =>
  modbusProfile.parse({
    id: 'a/b',
    maker: 'm',
    model: 'm',
    protocol: 'modbus',
    source: 'the test itself',
    points: points.map(([point, table, address, as]) => ({ point, table, address, as })),
    samples: [{ words: {}, expect: {} }],
    ...more,
  })
const shape = (blocks: ReturnType<typeof planBlocks>) =>
  blocks.map(({ table, address, count, points }) => [table, address, count, points.map(({ point }) => point).join(' ')])

test('neighbours share a request, a wide gap parts them, tables never mix', () => {
  const blocks = planBlocks(
    profile([
      ['c', 'input', 40, 'float32'],
      ['a', 'input', 0, 'float32'],
      ['b', 'input', 10, 'uint16'],
      ['d', 'holding', 11, 'uint16'],
    ]),
  )
  expect(shape(blocks)).toEqual([
    ['input', 0, 11, 'a b'],
    ['input', 40, 2, 'c'],
    ['holding', 11, 1, 'd'],
  ])
})

test('no request is longer than Modbus or the device allows', () => {
  const many = Array.from(
    { length: 200 },
    (_, at) => [`p${at}`, 'holding', at, 'uint16'] as [string, string, number, string],
  )
  expect(planBlocks(profile(many)).map(({ count }) => count)).toEqual([125, 75])
  expect(planBlocks(profile(many, { blockMax: 80 })).map(({ count }) => count)).toEqual([80, 80, 40])
})

test('points that lie over each other are read once', () => {
  const blocks = planBlocks(
    profile([
      ['whole', 'holding', 0, 'uint32'],
      ['high', 'holding', 0, 'uint16'],
      ['low', 'holding', 1, 'uint16'],
    ]),
  )
  expect(shape(blocks)).toEqual([['holding', 0, 2, 'whole high low']])
})

test('a refused block is parted down to single points', () => {
  const [block] = planBlocks(
    profile([
      ['a', 'input', 0, 'float32'],
      ['b', 'input', 2, 'float32'],
      ['c', 'input', 4, 'float32'],
    ]),
  )
  const [left, right] = split(block!)!
  expect(shape([left, right])).toEqual([
    ['input', 0, 2, 'a'],
    ['input', 2, 4, 'b c'],
  ])
  expect(split(left)).toBeUndefined()
})
