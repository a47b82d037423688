import { closeSync, constants, openSync, writeSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { ReadStream } from 'node:tty'
import { makeRaw, speedOf } from './termios.ts'

/** What `open()` of node-pty returns; its type declarations leave that function out. */
interface OpenedTerminal {
  readonly master: ReadStream
  readonly slave: ReadStream
  readonly fd: number
  readonly ptsName: string
}
interface NodePty {
  open(options: { readonly encoding: null }): OpenedTerminal
}

/** A pseudo-terminal: whoever opens `path` has a serial port, whose far end is in this process. */
export interface Pty {
  /** Such as `/dev/pts/7`. */
  readonly path: string
  /** @returns how many bytes the kernel took: fewer than given when nobody reads at the other end. */
  write(bytes: Uint8Array): number
  /** The speed that the program at the other end has set. Parity is not to be had: a pty in Linux has none. */
  baud(): number
  /** Hangs up: the program at the other end sees its port go. */
  close(): void
}

/**
 * @param receive is called with what the program at the other end wrote.
 * @param baud the speed before anybody sets one.
 */
export function createPty(baud: number, receive: (bytes: Uint8Array) => void): Pty {
  const nodePty = createRequire(import.meta.url)('@lydell/node-pty') as NodePty
  const { master, slave, fd, ptsName } = nodePty.open({ encoding: null })
  // One end of our own stays open, unread, so that the terminal outlives each program that opens and closes it.
  // node-pty's own must go, because it reads, and would eat what is meant for the hub.
  const held = openSync(ptsName, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK)
  slave.destroy()
  makeRaw(held, baud)
  let open = true
  master.on('data', (bytes: Buffer) => receive(bytes))
  // The streams are closed by themselves. node-pty's own destroy() and kill() are never called on such a terminal:
  // it has no process, and they would signal process -1, which is every process there is.
  const close = (): void => {
    if (!open) return
    open = false
    master.destroy()
    closeSync(held)
  }
  master.on('error', close)
  return {
    path: ptsName,
    write(bytes) {
      if (!open) return 0
      try {
        return writeSync(fd, bytes)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return 0
        throw error
      }
    },
    baud: () => speedOf(fd),
    close,
  }
}
