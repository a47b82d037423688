import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Community, tcpMeters } from './community.ts'
import { eventually } from './eventually.ts'
import { atEnd } from './kept.ts'
import { needs, pathOf } from './needs.ts'
import { listenForNotices } from './notify-socket.ts'

const WATCHDOG_MS = 900
const BEAT = 'WATCHDOG=1\n'

function beats(heard: string): number {
  return heard.split(BEAT).length - 1
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

test('the watchdog is fed while the hub works, and not while its writer hangs', {
  ...needs('socat', 'strace'),
  timeout: 60_000,
}, async () => {
  const place = await Community.start({ modbusTcp: [tcpMeters(2, '100ms')], broker: false })
  atEnd(() => place.end())
  const address = join(place.folder, 'notify')
  const { heard } = await listenForNotices(address)
  const environment = { NOTIFY_SOCKET: address, WATCHDOG_USEC: String(WATCHDOG_MS * 1000) }
  const hub = await place.startHub({ environment })
  await eventually(() => heard().includes('READY=1\n'))
  expect(heard().startsWith('READY=1\n')).toBe(true)

  const before = beats(heard())
  await pause(3 * WATCHDOG_MS)
  // At least twice within each span (sd_watchdog_enabled(3)).
  expect(beats(heard()) - before).toBeGreaterThanOrEqual(6)

  // From here on each sync of the log takes as long as on a card that has died.
  const delay = `inject=fsync,fdatasync:delay_enter=${20 * WATCHDOG_MS * 1000}`
  const words = [
    '-f',
    '-qq',
    '-o',
    '/dev/null',
    '-e',
    'trace=fsync,fdatasync',
    '-e',
    delay,
    '-p',
    String(hub.child.pid),
  ]
  const strace = spawn(pathOf('strace')!, words, { stdio: 'ignore' })
  atEnd(async () => strace.kill('SIGKILL'))
  await pause(2 * WATCHDOG_MS)
  const stalled = beats(heard())
  await pause(2 * WATCHDOG_MS)
  expect(beats(heard())).toBe(stalled)
  // The loop itself turns: who asks is answered.
  expect((await place.client.health()).connections).toHaveLength(1)
})
