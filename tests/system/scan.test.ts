import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { parse } from 'yaml'
import { REPOSITORY } from '../../gateway/cli/repository.ts'
import { changeSettings } from '../../hardware-sim/demo/hub.ts'
import { Community } from './community.ts'
import { eventually } from './eventually.ts'

const EVEN_2400 = { baud: 2400, parity: 'even' }
/** Five of three protocols at three speeds, as an installer finds them. */
const METERS = [
  { id: 'm1', address: 1, profile: 'eastron/sdm120', serial: { baud: 9600 } },
  { id: 'm2', address: 5, profile: 'schneider/iem3155', serial: { baud: 9600 } },
  { id: 'm3', address: 3, profile: 'eastron/sdm630', serial: { baud: 19_200 } },
  { id: 'm4', address: '202107072529', profile: 'generic/dlt645-single-phase', serial: EVEN_2400 },
  { id: 'm5', address: '78330011223344', profile: 'generic/cjt188-cold-water', serial: EVEN_2400 },
]

let community: Community | undefined
afterEach(() => community?.end())

test('five meters on one line are found, and a hub reads them by what the search prints', {
  timeout: 120_000,
}, async () => {
  const line = { id: 'line', meters: METERS.map((meter) => ({ strictAddresses: true, every: '1s', ...meter })) }
  community = await Community.start({ broker: false, lines: [line] })
  const { path } = community.simulator.ready.lines[0]!
  const scan = await searched(['scan', '--port', path, '--yaml'])
  expect(scan.errors).toMatch(/\d+ %, \d+ (s|min) to go/)
  const { devices } = parse(scan.out) as { devices: Record<string, unknown>[] }
  expect(devices.map(({ address }) => address).sort()).toEqual(METERS.map(({ address }) => address).sort())
  const found = devices.map(({ profile }) => profile)
  expect(found).toEqual(expect.arrayContaining(METERS.slice(1).map(({ profile }) => profile)))

  changeSettings(community.settings, (settings) => ({
    ...settings,
    connections: [
      { id: 'line', rs485: { port: path }, devices: devices.map((device) => ({ ...device, every: '1s' })) },
    ],
  }))
  await community.startHub()
  const { client } = community
  const read = await eventually(async () => {
    const { events } = await client.allEvents()
    const good = events.filter(({ type, data }) => type === 'linli.meter.reading' && data.quality === 'good')
    const names = new Set(good.map(({ source }) => source.split('/').at(-1)))
    return names.size === METERS.length ? names.size : undefined
  }, 40_000)
  expect(read).toBe(METERS.length)
})

/** `linli scan`, ended by Ctrl-C in the middle. */
function searched(args: readonly string[]): Promise<{ out: string; errors: string }> {
  const child = spawn(join(REPOSITORY, 'gateway/linli'), [...args], { cwd: REPOSITORY })
  let [out, errors] = ['', '']
  child.stdout.on('data', (piece) => {
    out += piece
  })
  child.stderr.on('data', (piece) => {
    errors += piece
    // The third speed is behind them: whoever is there was found.
    if (/Modbus units 1 to 16 at 4800/.test(errors)) child.kill('SIGINT')
  })
  return new Promise((resolve) => child.on('close', () => resolve({ out, errors })))
}
