import { renameSync, rmSync, symlinkSync } from 'node:fs'
import { Line, type LineOptions } from './line.ts'
import { createPty, type Pty } from './pty.ts'

/**
 * A line behind a serial port of this machine. The path given to the hub is a symbolic link that stays the same
 * when the adapter is unplugged and plugged in again, as /dev/serial/by-path does.
 */
export class PtyLine {
  readonly line: Line
  /** What the hub opens. */
  readonly path: string
  /** Bytes lost because nobody read them, as in a UART whose buffer is full. */
  overrunBytes = 0
  readonly #baud: number
  #pty: Pty | undefined

  /** @param path where the link stands; its folder must be there. */
  constructor(path: string, options: Omit<LineOptions, 'deliver'>) {
    this.path = path
    this.#baud = options.settings.baud
    this.line = new Line({ ...options, deliver: (bytes) => this.#deliver(bytes) })
    this.plug()
  }

  get plugged(): boolean {
    return this.#pty !== undefined
  }

  plug(): void {
    if (this.#pty !== undefined) return
    const pty = createPty(this.#baud, (bytes) => this.#receive(pty, bytes))
    this.#pty = pty
    // A rename puts the new link in place of an old one in one step.
    rmSync(`${this.path}.new`, { force: true })
    symlinkSync(pty.path, `${this.path}.new`)
    renameSync(`${this.path}.new`, this.path)
  }

  unplug(): void {
    rmSync(this.path, { force: true })
    this.#pty?.close()
    this.#pty = undefined
  }

  close(): void {
    this.line.close()
    this.unplug()
  }

  #receive(pty: Pty, bytes: Uint8Array): void {
    const baud = pty.baud()
    // Speed 0 hangs up (termios(3)): nothing that is written then is on the wire.
    if (baud === 0) return
    if (baud !== this.line.settings.baud) this.line.configure({ ...this.line.settings, baud })
    this.line.hear(bytes)
  }

  #deliver(bytes: Uint8Array): void {
    if (this.#pty !== undefined) this.overrunBytes += bytes.length - this.#pty.write(bytes)
  }
}
