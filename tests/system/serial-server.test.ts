import { spawn } from 'node:child_process'
import { afterEach, expect, test } from 'vitest'
import { Community } from './community.ts'
import { eventually } from './eventually.ts'
import { freePort, listens } from './free-port.ts'
import { atEnd } from './kept.ts'
import { needs } from './needs.ts'

let community: Community | undefined
afterEach(() => community?.end())

test('a line behind a serial server is read like one of this machine', {
  ...needs('socat'),
  timeout: 60_000,
}, async () => {
  const meters = [1, 2].map((address) => ({ id: `meter-${address}`, address, profile: 'eastron/sdm120', every: '1s' }))
  const port = await freePort()
  const behind = (connection: Record<string, unknown>) =>
    connection.id === 'line' ? { ...connection, rs485: { port: `tcp://127.0.0.1:${port}`, baud: 9600 } } : connection
  community = await Community.start({ broker: false, lines: [{ id: 'line', meters }] }, (settings) => ({
    ...settings,
    connections: (settings.connections as Record<string, unknown>[]).map(behind),
  }))
  const { path } = community.simulator.ready.lines[0]!
  serialServer(port, path)
  await eventually(() => listens(port))
  await community.startHub()
  const { client } = community
  const read = await eventually(async () => {
    const { events } = await client.allEvents()
    const good = events.filter(({ type, data }) => type === 'linli.meter.reading' && data.quality === 'good')
    const devices = new Set(good.map(({ source }) => source.split('/').at(-1)))
    return devices.size === 2 && good.length >= 6 ? [...devices].sort() : undefined
  }, 30_000)
  expect(read).toEqual(['meter-1', 'meter-2'])
  const { line } = (await community.simulator.report()).lines
  expect(line).toMatchObject({ collisions: 0 })
})

/** As a box with a serial port on one side and a network on the other does it: bytes in, bytes out. */
function serialServer(port: number, path: string): void {
  const child = spawn('socat', [
    `TCP-LISTEN:${port},bind=127.0.0.1,reuseaddr,fork,nodelay`,
    `FILE:${path},b9600,raw,echo=0,nonblock`,
  ])
  atEnd(async () => void child.kill())
}
