import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { createNotifier } from '../../gateway/io/sd-notify.ts'
import { eventually } from './eventually.ts'
import { needs, pathOf } from './needs.ts'

const undo: (() => void)[] = []
afterEach(() => {
  for (const step of undo.splice(0).reverse()) step()
})

/** A datagram socket that is not ours, where systemd's would be: what it hears comes out as text. */
async function listen(address: string): Promise<{ heard(): string; process: ChildProcess }> {
  const source = address.startsWith('@') ? `ABSTRACT-RECV:${address.slice(1)}` : `UNIX-RECV:${address}`
  const socat = spawn(pathOf('socat')!, ['-u', source, 'STDOUT'], { stdio: ['ignore', 'pipe', 'inherit'] })
  undo.push(() => socat.kill('SIGKILL'))
  let text = ''
  socat.stdout!.on('data', (bytes: Buffer) => {
    text += bytes.toString()
  })
  await eventually(() => listensAt(address))
  return { heard: () => text, process: socat }
}

function listensAt(address: string): boolean {
  return readFileSync('/proc/net/unix', 'utf8')
    .split('\n')
    .some((line) => line.endsWith(` ${address}`))
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'linli-notify-'))
  undo.push(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

test.each([
  ['a path', () => join(temporaryFolder(), 'notify')],
  ['an abstract name', () => `@linli-notify-test-${process.pid}`],
])('systemd hears ready, status, beat and stopping over %s', needs('socat'), async (_kind, place) => {
  const address = place()
  const { heard } = await listen(address)
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
  const { heard, process: socat } = await listen(address)
  notifier.beat()
  await eventually(() => heard().includes('WATCHDOG'))
  expect(heard()).toBe('READY=1\nWATCHDOG=1\n')
  socat.kill('SIGKILL')
  await once(socat, 'exit')
})
