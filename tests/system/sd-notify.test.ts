import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createNotifier } from '../../gateway/io/sd-notify.ts'
import { eventually } from './eventually.ts'
import { atEnd } from './kept.ts'
import { needs } from './needs.ts'
import { listenForNotices } from './notify-socket.ts'

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'linli-notify-'))
  atEnd(async () => rmSync(folder, { recursive: true, force: true }))
  return folder
}

test.each([
  ['a path', () => join(temporaryFolder(), 'notify')],
  ['an abstract name', () => `@linli-notify-test-${process.pid}`],
])('systemd hears ready, status, beat and stopping over %s', needs('socat'), async (_kind, place) => {
  const address = place()
  const { heard } = await listenForNotices(address)
  const notifier = createNotifier({ NOTIFY_SOCKET: address })
  notifier.ready()
  notifier.status('3 connections\nrun')
  notifier.beat()
  notifier.beat()
  notifier.stopping()
  await eventually(() => heard().includes('STOPPING'))
  expect(heard()).toBe('READY=1\nSTATUS=3 connections run\nWATCHDOG=1\nWATCHDOG=1\nSTOPPING=1\n')
})

test('a READY that nobody took comes with the next beat', needs('socat'), async () => {
  const address = join(temporaryFolder(), 'notify')
  const notifier = createNotifier({ NOTIFY_SOCKET: address })
  notifier.ready()
  expect(existsSync(address)).toBe(false)
  const { heard, process: socat } = await listenForNotices(address)
  notifier.beat()
  await eventually(() => heard().includes('WATCHDOG'))
  expect(heard()).toBe('READY=1\nWATCHDOG=1\n')
  socat.kill('SIGKILL')
  await once(socat, 'exit')
})
