import { expect, test } from 'vitest'
import { cjt188Meter } from '../../../../drivers/rs485/cjt188/cjt188-meter.ts'
import { cjt188Profile } from '../../../../drivers/rs485/cjt188/cjt188-profile.ts'
import type { Question } from '../../../../drivers/rs485/codec/question.ts'
import { type AskLine, dlt645Meter } from '../../../../drivers/rs485/dlt645/dlt645-meter.ts'
import { dlt645Profile } from '../../../../drivers/rs485/dlt645/dlt645-profile.ts'
import type { Meter } from '../../../../drivers/rs485/meter.ts'
import { Fault } from '../../../../gateway/contract/fault.ts'
import { hex, show } from '../../../hex.ts'

/*
 * Whole frames as a meter gives them: published ones (RT-Thread article 121776632; juejin 7434714229318500379) and ones
 * laid out by hand from DL/T 645-2007 and CJ/T 188-2004, their sums recomputed.
 */
const ADDRESS = '202107072529'
const HEAD = '68 29 25 07 07 21 20 68'

const dlt645 = (points: readonly object[], more: object = {}) =>
  dlt645Profile.parse({
    id: 'test/meter',
    maker: 'test',
    model: 'meter',
    protocol: 'dlt645',
    source: 'the test itself',
    points,
    samples: [{ identifier: '00000000', data: '00', expect: { energy: 0 } }],
    ...more,
  })

const ENERGY = { point: 'energy', unit: 'kWh', identifier: '00010000', bytes: 4, decimals: 2 }
const VOLTAGE = { identifier: '0201ff00', unit: 'V', bytes: 2, decimals: 1 }
const VOLTAGES = ['l1', 'l2', 'l3'].map((phase, at) => ({ ...VOLTAGE, point: `voltage_${phase}`, at: 2 * at }))

/** A line on which each question has its answers prepared, by the bytes of the request. */
function line(answers: Readonly<Record<string, string | Fault>>) {
  const asked: string[] = []
  const ask: AskLine = async (question: Question) => {
    const request = show(question.frame)
    asked.push(request)
    const answer = Object.entries(answers).find(([part]) => request.includes(part))?.[1]
    if (answer instanceof Fault) throw answer
    if (answer === undefined) throw new Fault('device', `nobody answers ${request}`, { code: 'timeout' })
    const match = question.match(hex(answer))
    if (match.kind !== 'answer') throw new Fault('device', `${answer} is no answer`, { code: match.seen })
    return { payload: match.payload, monoMs: asked.length }
  }
  return { ask, asked }
}

async function told(meter: Meter): Promise<unknown> {
  const poll = await meter.read(1).catch((error) => error as Fault)
  if (poll instanceof Fault) return `${poll.reach} ${poll.code}: ${poll.message}`
  const values = Object.fromEntries(
    Object.entries(poll.points).map(([name, { v, u }]) => [name, u === undefined ? v : `${v} ${u}`]),
  )
  return poll.trouble === undefined ? values : { ...values, trouble: `${poll.trouble.reach} ${poll.trouble.code}` }
}

test('an electricity meter of 2007 is read by its identifiers, a block by one question', async () => {
  const { ask, asked } = line({
    '33 33 34 33': `fe fe fe fe ${HEAD} 91 08 33 33 34 33 89 67 45 33 3b 16`,
    '33 32 34 35': `fe fe fe fe ${HEAD} 91 0a 33 32 34 35 34 55 cb 54 43 55 16 16`,
  })
  const meter = dlt645Meter('m', ADDRESS, dlt645([ENERGY, ...VOLTAGES]), ask)
  expect(await told(meter)).toEqual({
    energy: '1234.56 kWh',
    voltage_l1: '220.1 V',
    voltage_l2: '219.8 V',
    voltage_l3: '221 V',
  })
  expect(asked).toHaveLength(2)
})

test('a number is asked for with leading zeros, as many as the standard has digits', async () => {
  const { ask, asked } = line({ '': '68 61 01 00 00 00 00 68 91 08 33 33 34 33 59 33 33 33 8a 16' })
  expect(await told(dlt645Meter('m', '161', dlt645([ENERGY]), ask))).toEqual({ energy: '0.26 kWh' })
  expect(asked[0]).toContain('68 61 01 00 00 00 00 68')
})

test('power that flows back is negative, and kW can be given as W', async () => {
  const power = { point: 'power', unit: 'W', identifier: '02030000', bytes: 3, decimals: 4, signed: true, scale: 1000 }
  const { ask } = line({ '': `fe fe fe fe ${HEAD} 91 07 33 33 36 35 78 56 b4 58 16` })
  const behind = { ...ENERGY, identifier: '02030000', at: 3 }
  expect(await told(dlt645Meter('m', ADDRESS, dlt645([power, behind]), ask))).toEqual({
    power: '-1234.5 W',
    // The answer ends before it.
    energy: 'null kWh',
  })
})

test('a meter of one phase that gives one value where three were asked for has no others', async () => {
  const { ask } = line({ '': `${HEAD} 91 06 33 32 34 35 34 55 ${sumOf(`${HEAD} 91 06 33 32 34 35 34 55`)} 16` })
  expect(
    await told(dlt645Meter('m', ADDRESS, dlt645([...VOLTAGES, { ...ENERGY, identifier: '0201ff00', at: 6 }]), ask)),
  ).toEqual({
    voltage_l1: '220.1 V',
    voltage_l2: 'null V',
    voltage_l3: 'null V',
    energy: 'null kWh',
  })
})

test('what comes in several frames is one value', async () => {
  const long = { point: 'energy', identifier: '06000001', bytes: 4, as: 'hex' }
  const { ask, asked } = line({
    '68 11 04 34 33 33 39': `${HEAD} b1 07 34 33 33 39 44 55 66 f7 16`,
    '68 12 05 34 33 33 39 34': `${HEAD} 92 07 34 33 33 39 77 88 34 0c 16`,
  })
  expect(await told(dlt645Meter('m', ADDRESS, dlt645([long]), ask))).toEqual({ energy: '44332211' })
  expect(asked).toHaveLength(2)
})

test('a frame out of order is no value', async () => {
  const long = { point: 'energy', identifier: '06000001', bytes: 4, as: 'hex' }
  const wrong = `${HEAD} 92 07 34 33 33 39 77 88 35`
  const { ask } = line({
    '68 11 04 34 33 33 39': `${HEAD} b1 07 34 33 33 39 44 55 66 f7 16`,
    '68 12 05 34 33 33 39 34': `${wrong} ${sumOf(wrong)} 16`,
  })
  expect(await told(dlt645Meter('m', ADDRESS, dlt645([long]), ask))).toMatch(
    /^device frame: it gave frame 2 .* 1 was asked for/,
  )
})

test('data that the meter does not have is left out and named; it is not asked for again', async () => {
  const { ask, asked } = line({
    '33 33 34 33': `fe fe fe fe ${HEAD} 91 08 33 33 34 33 89 67 45 33 3b 16`,
    '33 32 34 35': `fe fe fe fe ${HEAD} d1 01 35 74 16`,
  })
  const meter = dlt645Meter('m', ADDRESS, dlt645([ENERGY, ...VOLTAGES]), ask)
  expect(await told(meter)).toEqual({ energy: '1234.56 kWh', trouble: 'point point' })
  expect(await told(meter)).toEqual({ energy: '1234.56 kWh', trouble: 'point point' })
  expect(asked).toHaveLength(3)
})

test('a meter that refuses everything is of another model, and is asked anew next time', async () => {
  const { ask, asked } = line({ '': `fe fe fe fe ${HEAD} d1 01 35 74 16` })
  const meter = dlt645Meter('m', ADDRESS, dlt645([ENERGY]), ask)
  expect(await told(meter)).toMatch(
    /^device wrong-profile: it has nothing of profile test\/meter: there is no such data/,
  )
  await told(meter)
  expect(asked).toHaveLength(2)
})

test('a refusal for another reason is a fault of the device', async () => {
  const password = `${HEAD} d1 01 37`
  const { ask } = line({ '': `${password} ${sumOf(password)} 16` })
  expect(await told(dlt645Meter('m', ADDRESS, dlt645([ENERGY]), ask))).toMatch(/^device refused-4: .*password/)
})

test('the edition of 1997 has its own control codes and short identifiers (heyuan manual, p. 18)', async () => {
  const old = { point: 'energy', unit: 'V', identifier: 'b611', bytes: 2 }
  const profile = dlt645([old], {
    edition: '1997',
    samples: [{ identifier: 'b611', data: '00 01', expect: { energy: 100 } }],
  })
  const { ask, asked } = line({ '': '68 03 00 00 00 00 00 68 81 04 44 e9 33 34 ec 16' })
  expect(await told(dlt645Meter('m', '3', profile, ask))).toEqual({ energy: '100 V' })
  expect(asked).toEqual(['fe fe fe fe 68 03 00 00 00 00 00 68 01 02 44 e9 03 16'])
})

const WATER = {
  id: 'test/water',
  maker: 'test',
  model: 'water',
  protocol: 'cjt188',
  source: 'the test itself',
  type: '10',
  answers: { '901f': 19 },
  points: [
    { point: 'volume', unit: 'm3', bytes: 4, decimals: 2, unitAt: 4 },
    { point: 'valve_closed', at: 17, bytes: 1, as: 'bit', bit: 0 },
    { point: 'state', at: 17, bytes: 2, as: 'hex' },
  ],
  samples: [{ data: '00', expect: { volume: 0 } }],
}
const water = (change: object = {}) => cjt188Profile.parse({ ...WATER, ...change })
const WATER_ANSWER =
  'fe fe fe fe 68 10 44 33 22 11 00 33 78 81 16 90 1f 00 56 34 12 00 2c 00 34 12 00 2c 05 30 12 23 11 26 20 00 00 0e 16'

test('a water meter is read, its state beside its volume', async () => {
  const { ask, asked } = line({ '': WATER_ANSWER })
  expect(await told(cjt188Meter('m', '78330011223344', water(), ask))).toEqual({
    volume: '1234.56 m3',
    valve_closed: false,
    state: '0000',
  })
  expect(asked[0]).toMatch(/^fe fe fe fe 68 10 44 33 22 11 00 33 78 01 03 90 1f /)
})

test('a layout of another length is told, with the bytes that came', async () => {
  const { ask } = line({ '': WATER_ANSWER })
  const meter = cjt188Meter('m', '78330011223344', water({ answers: { '901f': 43 } }), ask)
  expect(await told(meter)).toMatch(/^device wrong-profile: .* has 19 bytes, profile test\/water is for 43/)
})

test('a volume in litres is given in the unit of the point', async () => {
  const litres = '68 10 44 33 22 11 00 33 78 81 16 90 1f 00 56 34 12 00 29 00 34 12 00 29 05 30 12 23 11 26 20 00 00'
  const { ask } = line({ '': `${litres} ${sumOf(litres)} 16` })
  expect(await told(cjt188Meter('m', '78330011223344', water(), ask))).toMatchObject({ volume: '1.23456 m3' })
})

test.each([
  ['63', 'is no unit'],
  ['05', 'is kWh'],
])('a unit byte %s leads to no volume, and is told', async (byte) => {
  const odd = `68 10 44 33 22 11 00 33 78 81 16 90 1f 00 56 34 12 00 ${byte} 00 34 12 00 2c 05 30 12 23 11 26 20 00 00`
  const { ask } = line({ '': `${odd} ${sumOf(odd)} 16` })
  expect(await told(cjt188Meter('m', '78330011223344', water(), ask))).toEqual({
    valve_closed: false,
    state: '0000',
    trouble: 'point unit',
  })
})

test('a heat meter that puts the unit before the value (JY, published frame)', async () => {
  const heat = cjt188Profile.parse({
    ...WATER,
    type: '20',
    answers: { '901f': 43 },
    points: [
      { point: 'heat_energy', unit: 'kWh', at: 1, bytes: 4, decimals: 2, unitAt: 0 },
      { point: 'temperature_supply', unit: 'degC', at: 25, bytes: 3, decimals: 2 },
      { point: 'temperature_return', unit: 'degC', at: 28, bytes: 3, decimals: 2 },
    ],
    samples: [{ data: '00', expect: { heat_energy: 0 } }],
  })
  const { ask } = line({
    '': 'fe fe fe fe 68 20 32 41 31 40 00 00 00 81 2e 90 1f 01 08 02 00 00 00 08 02 00 00 00 17 00 00 00 00 35 00 00 00 00 2c 34 10 00 00 35 25 00 66 25 00 00 00 00 53 00 12 10 07 15 20 00 00 31 16',
  })
  expect(await told(cjt188Meter('m', '00000040314132', heat, ask))).toEqual({
    heat_energy: '20 kWh',
    temperature_supply: '25.35 degC',
    temperature_return: '25.66 degC',
  })
})

test('who does not answer is told as the line tells it', async () => {
  const { ask } = line({})
  expect(await told(cjt188Meter('m', '1', water(), ask))).toMatch(/^device timeout/)
})

function sumOf(frame: string): string {
  const bytes = hex(frame)
  return (bytes.reduce((sum, byte) => sum + byte, 0) & 0xff).toString(16).padStart(2, '0')
}
