import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { drivers } from '../../../drivers/index.ts'
import { checkSettings, problemText } from '../../../gateway/settings/check.ts'
import { defaultScenario, parseScenario } from '../../../hardware-sim/scenario.ts'
import { writeSettings } from '../../../hardware-sim/settings-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'linli-settings-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('a hub finds nothing wrong in the settings that the simulator writes', () => {
  const path = writeSettings(
    folder,
    defaultScenario(),
    {
      lines: ['line-1', 'line-2'].map((id) => ({ id, path: `/tmp/${id}` })),
      modbusTcp: [{ id: 'plant', host: '127.0.0.1', port: 1502 }],
      door: { id: 'gate', chip: 'sim:/tmp/door' },
      camera: { id: 'cam-lobby', host: '127.0.0.1', port: 8080 },
      broker: { id: 'city', url: 'mqtt://127.0.0.1:1883' },
    },
    { username: 'linli', password: 'p' },
  )
  const { problems, settings } = checkSettings(readFileSync(path, 'utf8'), path, drivers)
  expect(problems.map(problemText)).toEqual([])
  expect(settings?.connections.map(({ id }) => id)).toEqual(['line-1', 'line-2', 'plant', 'gate', 'cam-lobby'])
})

test('nor in those of meters that have a number and a speed of their own', () => {
  const common = { maker: 'Test', model: 'Test', source: 'made for this test', $schema: '../profile.schema.json' }
  const energy = { point: 'energy_import', unit: 'kWh', kind: 'counter', bytes: 4, decimals: 2 }
  const electric = {
    ...common,
    id: 'test/electric',
    protocol: 'dlt645',
    points: [{ ...energy, identifier: '00010000' }],
    samples: [{ identifier: '00010000', data: '56 34 12 00', expect: { energy_import: 1234.56 } }],
  }
  const water = {
    ...common,
    id: 'test/water',
    protocol: 'cjt188',
    type: '10',
    answers: { '901f': 5 },
    points: [{ point: 'volume', unit: 'm³', kind: 'counter', bytes: 4, decimals: 2, unitAt: 4 }],
    samples: [{ identifier: '901f', data: '56 34 12 00 2c', expect: { volume: 1234.56 } }],
  }
  const meters = [
    { id: 'flat-1', address: '000000000161', profile: electric, serial: { baud: 2400, parity: 'even' } },
    { id: 'water-1', address: '78330011223344', profile: water, serial: { baud: 1200, parity: 'even' } },
  ]
  const scenario = parseScenario(JSON.stringify({ broker: false, lines: [{ id: 'line-1', meters }] }))
  const at = { lines: [{ id: 'line-1', path: '/tmp/line-1' }], modbusTcp: [] }
  const path = writeSettings(folder, scenario, at, { username: 'linli', password: 'p' })
  const { problems, settings } = checkSettings(readFileSync(path, 'utf8'), path, drivers)
  expect(problems.map(problemText)).toEqual([])
  expect(settings?.connections[0]?.options).toMatchObject({
    devices: [
      { id: 'flat-1', address: '000000000161', serial: { baud: 2400, parity: 'even' } },
      { id: 'water-1', address: '78330011223344', serial: { baud: 1200, parity: 'even' } },
    ],
  })
})
