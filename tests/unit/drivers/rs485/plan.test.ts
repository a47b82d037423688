import { expect, test } from 'vitest'
import { serialCosts } from '../../../../drivers/rs485/costs.ts'
import { type ModbusPoint, modbusProfile } from '../../../../drivers/rs485/modbus/modbus-profile.ts'
import { type Block, halves, type PlanCosts, planBlocks } from '../../../../drivers/rs485/plan.ts'
import { SETTINGS } from './host.ts'

type Row = readonly [name: string, table: string, address: number, as: string]
const points = (rows: readonly Row[]): ModbusPoint[] =>
  modbusProfile.parse({
    id: 'a/b',
    maker: 'm',
    model: 'm',
    protocol: 'modbus',
    source: 'the test itself',
    points: rows.map(([point, table, address, as]) => ({ point, table, address, as })),
    samples: [{ words: {}, expect: { [rows[0]![0]]: 0 } }],
  }).points
const shape = (blocks: readonly Block[]) =>
  blocks.map(({ table, address, count, points }) => [table, address, count, points.map(({ point }) => point).join(' ')])

/** A request costs as much as twelve registers. */
const COSTS: PlanCosts = { requestMs: 12, registerMs: 1, registersMax: 125 }

test('neighbours share a request, a gap is read along while it is cheaper, tables never mix', () => {
  const blocks = planBlocks(
    points([
      ['c', 'input', 24, 'float32'],
      ['a', 'input', 0, 'float32'],
      ['b', 'input', 11, 'uint16'],
      ['d', 'holding', 12, 'uint16'],
    ]),
    COSTS,
  )
  // 2 to 10 are nine registers that nobody wants, 12 to 23 are twelve: as dear as a request, and a request less.
  expect(shape(blocks)).toEqual([
    ['input', 0, 12, 'a b'],
    ['input', 24, 2, 'c'],
    ['holding', 12, 1, 'd'],
  ])
})

test('at 9600 baud a request is worth the 17 registers that travel in its time', () => {
  const { requestMs, registerMs } = serialCosts(SETTINGS)
  // 13 characters of frames, 3.5 of silence and 10 ms of turnaround; a register is 2 characters.
  expect(requestMs / registerMs).toBeCloseTo((16.5 * (10 / 9.6) + 10) / (2 * (10 / 9.6)), 9)
})

test('no request is longer than Modbus or the device allows, and none is asked for nothing', () => {
  const many = points(Array.from({ length: 200 }, (_, at): Row => [`p${at}`, 'holding', at, 'uint16']))
  const counts = (costs: PlanCosts): number[] => planBlocks(many, costs).map(({ count }) => count)
  expect(counts(COSTS)).toHaveLength(2)
  expect(counts(COSTS).reduce((sum, count) => sum + count)).toBe(200)
  expect(Math.max(...counts(COSTS))).toBeLessThanOrEqual(125)
  expect(counts({ ...COSTS, registersMax: 80 })).toHaveLength(3)
  expect(Math.max(...counts({ ...COSTS, registersMax: 80 }))).toBeLessThanOrEqual(80)
})

test('where greed would spend a request too many, the cheapest plan does not', () => {
  const rows: Row[] = [0, 4, 8, 10].map((address) => [`p${address}`, 'input', address, 'uint16'])
  // At most six at once: 0-4 and 8-10, two requests; 0, 4-8, 10 would be three.
  expect(shape(planBlocks(points(rows), { ...COSTS, registersMax: 6 }))).toEqual([
    ['input', 0, 5, 'p0 p4'],
    ['input', 8, 3, 'p8 p10'],
  ])
})

test('coils come in thousands, sixteen in the room of a register', () => {
  const plan = (...addresses: number[]) => {
    const rows = addresses.map((address): Row => [`c${address}`, 'coil', address, 'bit'])
    return shape(planBlocks(points(rows), { ...COSTS, requestMs: 200 }))
  }
  expect(plan(0, 1500, 1999)).toEqual([['coil', 0, 2000, 'c0 c1500 c1999']])
  // 2001 are one too many for one request.
  expect(plan(0, 1500, 2000)).toEqual([
    ['coil', 0, 1, 'c0'],
    ['coil', 1500, 501, 'c1500 c2000'],
  ])
})

test('points that lie over each other are read once, and a long one is never torn apart', () => {
  const rows: Row[] = [
    ['whole', 'holding', 0, 'uint64'],
    ['high', 'holding', 0, 'uint16'],
    ['low', 'holding', 3, 'uint16'],
  ]
  expect(shape(planBlocks(points(rows), COSTS))).toEqual([['holding', 0, 4, 'high whole low']])
  expect(shape(planBlocks(points(rows), { ...COSTS, registersMax: 2 }))).toContainEqual([
    'holding',
    0,
    4,
    expect.anything(),
  ])
})

test('a refused block is parted down to single places', () => {
  const [block] = planBlocks(
    points([
      ['a', 'input', 0, 'float32'],
      ['b', 'input', 2, 'float32'],
      ['c', 'input', 4, 'float32'],
      ['same', 'input', 4, 'uint16'],
    ]),
    COSTS,
  )
  const [left, right] = halves(block!)!
  expect(shape([left, right])).toEqual([
    ['input', 0, 2, 'a'],
    ['input', 2, 4, 'b same c'],
  ])
  expect(shape(halves(right)!)).toEqual([
    ['input', 2, 2, 'b'],
    ['input', 4, 2, 'same c'],
  ])
  expect(halves(left)).toBeUndefined()
  expect(halves(halves(right)![1])).toBeUndefined()
})
