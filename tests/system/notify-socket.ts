import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { eventually } from './eventually.ts'
import { atEnd } from './kept.ts'
import { pathOf } from './needs.ts'

/** What stands where systemd's socket would be, and what it has heard so far. */
export interface NotifySocket {
  heard(): string
  readonly process: ChildProcess
}

/**
 * A datagram socket of socat, so that it is no code of ours that understands ours; `needs('socat')` first.
 * @param address a path, or `@name` in the abstract namespace
 */
export async function listenForNotices(address: string): Promise<NotifySocket> {
  const source = address.startsWith('@') ? `ABSTRACT-RECV:${address.slice(1)}` : `UNIX-RECV:${address}`
  const socat = spawn(pathOf('socat')!, ['-u', source, 'STDOUT'], { stdio: ['ignore', 'pipe', 'inherit'] })
  atEnd(async () => socat.kill('SIGKILL'))
  let text = ''
  socat.stdout!.on('data', (bytes: Buffer) => {
    text += bytes.toString()
  })
  await eventually(() => isBound(address))
  return { heard: () => text, process: socat }
}

function isBound(address: string): boolean {
  const sockets = readFileSync('/proc/net/unix', 'utf8').split('\n')
  return sockets.some((line) => line.endsWith(` ${address}`))
}
