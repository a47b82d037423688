import { afterEach, expect, test } from 'vitest'
import { Community } from './community.ts'
import { eventually } from './eventually.ts'

const common = { maker: 'Test', model: 'Test', source: 'made for this test' }
const energy = { point: 'energy_import', unit: 'kWh', kind: 'counter', bytes: 4, decimals: 2 }
const volts = { unit: 'V', identifier: '0201ff00', bytes: 2, decimals: 1 }
const ELECTRIC = {
  ...common,
  id: 'test/electric',
  protocol: 'dlt645',
  points: [
    { ...energy, identifier: '00010000' },
    ...['l1', 'l2', 'l3'].map((phase, i) => ({ ...volts, point: `voltage_${phase}`, at: 2 * i })),
    { point: 'power', unit: 'W', identifier: '02030000', bytes: 3, decimals: 4, scale: 1000, signed: true },
  ],
  samples: [{ identifier: '00010000', data: '56 34 12 00', expect: { energy_import: 1234.56 } }],
}
const OLD_ELECTRIC = {
  ...common,
  id: 'test/old-electric',
  protocol: 'dlt645',
  edition: '1997',
  points: [{ ...energy, identifier: '9010' }],
  samples: [{ identifier: '9010', data: '56 34 12 00', expect: { energy_import: 1234.56 } }],
}
const WATER = {
  ...common,
  id: 'test/water',
  protocol: 'cjt188',
  type: '10',
  identifierOrder: 'low-first',
  answers: { '901f': 19 },
  points: [{ point: 'volume', unit: 'm³', kind: 'counter', bytes: 4, decimals: 2, unitAt: 4 }],
  samples: [
    {
      identifier: '901f',
      data: '56 34 12 00 2c 00 34 12 00 2c 05 30 12 23 11 26 20 00 00',
      expect: { volume: 1234.56 },
    },
  ],
}
const EVEN_2400 = { baud: 2400, parity: 'even' }

let community: Community | undefined
afterEach(() => community?.end())

test('a hub reads Modbus, DL/T 645 and CJ/T 188 on one line, each at its own speed', async () => {
  const meters = [
    { id: 'modbus', address: 1, profile: 'eastron/sdm120', serial: { baud: 9600 } },
    { id: 'electric', address: '202107072529', profile: ELECTRIC, serial: EVEN_2400, frameBytesMax: 4 },
    { id: 'old', address: '000000000003', profile: OLD_ELECTRIC, serial: { ...EVEN_2400, baud: 1200 }, wakeBytes: 0 },
    { id: 'water', address: '78330011223344', profile: WATER, serial: EVEN_2400, ownOrderOnly: true, zeroSer: true },
  ]
  const simulated = [{ id: 'line', meters: meters.map((meter) => ({ every: '1s', ...meter })) }]
  community = await Community.start({ broker: false, lines: simulated })
  await community.startHub()
  const readings = await eventually(() => goodReadings(community!), 30_000)
  // What a simulated home may show: it began between 200 and 9200 kWh, and 18 litres of water go with each of them.
  for (const id of ['modbus', 'electric', 'old']) expectBetween(readings.get(id)!.energy_import, 200, 9300, 'kWh')
  for (const phase of ['l1', 'l2', 'l3']) expectBetween(readings.get('electric')![`voltage_${phase}`], 226, 234, 'V')
  expectBetween(readings.get('electric')!.power, 100, 11_000, 'W')
  expectBetween(readings.get('water')!.volume, 200 * 0.018, 9300 * 0.018, 'm³')
  const { line } = (await community.simulator.report()).lines
  expect(line).toMatchObject({ gapViolations: 0, collisions: 0 })
})

type Points = Readonly<Record<string, { readonly v: unknown; readonly u?: string }>>

/** The last good reading of each of the four meters, once there is one of each. */
async function goodReadings({ client }: Community): Promise<ReadonlyMap<string, Points> | undefined> {
  const { events } = await client.allEvents()
  const good = events.filter(({ type, data }) => type === 'linli.meter.reading' && data.quality === 'good')
  const found = new Map(good.map(({ source, data }) => [source.split('/').at(-1)!, data.points as Points]))
  return found.size === 4 ? found : undefined
}

function expectBetween(point: Points[string] | undefined, least: number, most: number, unit: string): void {
  expect(point?.u).toBe(unit)
  expect(point?.v).toBeGreaterThan(least)
  expect(point?.v).toBeLessThan(most)
}
