import { closeSync, writeSync } from 'node:fs'
import { createRequire } from 'node:module'
import { ReadStream } from 'node:tty'
import { closeOnExec, makeRaw, type PtySettings, settingsOf } from './termios.ts'

/**
 * The native half of node-pty. Its JavaScript half is left alone: `open()` there reads from the slave, which eats
 * what is meant for the hub; it loses one descriptor each time; and `destroy()` and `kill()` of a terminal without
 * a process signal process -1, which is every process there is.
 */
interface NativePty {
  open(columns: number, rows: number): { readonly master: number; readonly slave: number; readonly pty: string }
}
interface NodePtyBinary {
  requireBinary(file: string): NativePty
}

/** A pseudo-terminal: whoever opens `path` has a serial port, whose far end is in this process. */
export interface Pty {
  /** Such as `/dev/pts/7`. */
  readonly path: string
  /** @returns how many bytes the kernel took: fewer than given when nobody reads at the other end. */
  write(bytes: Uint8Array): number
  /** How the program at the other end has set it. Parity and data bits are not to be had: a pty in Linux has none. */
  settings(): PtySettings
  /** Hangs up: the program at the other end sees its port go. */
  close(): void
}

/**
 * @param settings how it is set before anybody sets it.
 * @param receive is called with what the program at the other end wrote.
 */
export function createPty(settings: PtySettings, receive: (bytes: Uint8Array) => void): Pty {
  const { requireBinary } = createRequire(import.meta.url)('@lydell/node-pty/requireBinary.js') as NodePtyBinary
  const { master, slave, pty } = requireBinary('pty.node').open(80, 24)
  closeOnExec(master)
  closeOnExec(slave)
  makeRaw(slave, settings)
  const stream = new ReadStream(master)
  let open = true
  // The slave stays open here, unread, so that the terminal outlives each program that opens and closes it.
  const close = (): void => {
    if (!open) return
    open = false
    stream.destroy()
    closeSync(slave)
  }
  stream.on('data', (bytes: Buffer) => receive(bytes))
  stream.on('error', close)
  return {
    path: pty,
    write(bytes) {
      if (!open) return 0
      try {
        return writeSync(master, bytes)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return 0
        throw error
      }
    },
    settings: () => settingsOf(slave),
    close,
  }
}
