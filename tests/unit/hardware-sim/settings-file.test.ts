import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { parse } from 'yaml'
import { parseScenario } from '../../../hardware-sim/scenario.ts'
import { writeSettings } from '../../../hardware-sim/settings-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'linli-settings-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const NOWHERE = { lines: [{ id: 'l', path: '/tmp/l' }], modbusTcp: [] }

test('a number keeps its zeros, and what a meter is set to stands beside it', () => {
  const text = "lines: [{ id: l, meters: [{ id: e, address: '000000000161', serial: { baud: 2400, parity: even } }] }]"
  const path = writeSettings(folder, parseScenario(text), NOWHERE, { username: 'linli', password: 'p' })
  expect(parse(readFileSync(path, 'utf8')).connections[0].devices).toEqual([
    {
      id: 'e',
      profile: 'eastron/sdm630',
      address: '000000000161',
      every: '5s',
      serial: { baud: 2400, parity: 'even' },
    },
  ])
})

test('the settings point at everything, the password stands in a file that nobody else reads', () => {
  const scenario = parseScenario(`
lines: [{ id: line-1, parity: even, meters: [{ id: a, address: 3, every: 10s, profile: { id: x, points: [] } }] }]
modbusTcp: [{ id: plc, meters: [{ id: b, address: 4, every: 1s }] }]
`)
  const path = writeSettings(
    folder,
    scenario,
    {
      lines: [{ id: 'line-1', path: '/tmp/l' }],
      modbusTcp: [{ id: 'plc', host: '127.0.0.1', port: 1502 }],
      door: { id: 'gate', chip: 'sim:/tmp/d' },
      camera: { id: 'cam', host: '127.0.0.1', port: 8080 },
      broker: { id: 'city', url: 'mqtt://127.0.0.1:1883' },
    },
    { username: 'linli', password: 'p-a-s-s' },
  )
  const text = readFileSync(path, 'utf8')
  expect(text).not.toContain('p-a-s-s')
  expect(parse(text)).toMatchObject({
    hub: { id: 'hub-01' },
    connections: [
      {
        id: 'line-1',
        rs485: { port: '/tmp/l', baud: 9600, parity: 'even', stopBits: 1 },
        devices: [{ id: 'a', profile: './site/a.json', address: 3, every: '10s' }],
      },
      {
        id: 'plc',
        modbusTcp: { host: '127.0.0.1', port: 1502 },
        devices: [{ id: 'b', profile: 'eastron/sdm630', address: 4, every: '1s' }],
      },
      { id: 'gate', gpioDoor: { chip: 'sim:/tmp/d', failMode: 'secure' } },
      { id: 'cam', onvif: { host: '127.0.0.1', port: 8080, username: 'linli', password: { secret: 'cam' } } },
    ],
    upstream: [{ id: 'city', mqtt: { url: 'mqtt://127.0.0.1:1883' }, rights: { types: ['*'], privacy: 'sensitive' } }],
  })
  expect(readFileSync(join(folder, 'secrets', 'cam'), 'utf8')).toBe('p-a-s-s')
  expect(statSync(join(folder, 'secrets', 'cam')).mode & 0o777).toBe(0o600)
  expect(statSync(join(folder, 'secrets')).mode & 0o777).toBe(0o700)
  expect(JSON.parse(readFileSync(join(folder, 'site', 'a.json'), 'utf8'))).toEqual({ id: 'x', points: [] })
})
