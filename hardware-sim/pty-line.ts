import { renameSync, rmSync, symlinkSync } from 'node:fs'
import type { SerialSettings } from '../gateway/contract/io.ts'
import { Line, type LineOptions } from './line.ts'
import { createPty, type Pty } from './pty.ts'
import type { PtySettings } from './termios.ts'
import { sameFraming, sameSpeed } from './wire-time.ts'

/**
 * A line behind a serial port of this machine. The path given to the hub is a symbolic link that stays the same
 * when the adapter is unplugged and plugged in again, as /dev/serial/by-path does.
 *
 * The line follows the speed and the stop bits that the hub sets. Of parity and data bits a pty shows nothing, so the
 * hub is believed to have those of who listens at this speed, and a meter does not notice when it has others.
 */
export class PtyLine {
  readonly line: Line
  /** What the hub opens. */
  readonly path: string
  /** Bytes lost because nobody read them, as in a UART whose buffer is full. */
  overrunBytes = 0
  readonly #settings: SerialSettings
  #pty: Pty | undefined

  /** @param path where the link stands; its folder must be there. */
  constructor(path: string, options: Omit<LineOptions, 'deliver'>) {
    this.path = path
    this.#settings = options.settings
    this.line = new Line({ ...options, understands: sameSpeed, deliver: (bytes) => this.#deliver(bytes) })
    this.plug()
  }

  get plugged(): boolean {
    return this.#pty !== undefined
  }

  plug(): void {
    if (this.#pty !== undefined) return
    const pty = createPty(this.#settings, (bytes) => this.#receive(pty, bytes))
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
    const set = pty.settings()
    // Speed 0 hangs up (termios(3)): nothing that is written then is on the wire.
    if (set.baud === 0) return
    const settings = this.#believed(set)
    if (!sameFraming(settings, this.line.settings)) this.line.configure(settings)
    this.line.hear(bytes)
  }

  /** What a pty does not show is as on the line itself at its own speed, and at another as with a meter that has it. */
  #believed(set: PtySettings): SerialSettings {
    if (sameSpeed(set, this.#settings)) return this.#settings
    const others = this.line.meters.flatMap(({ settings }) => settings ?? [])
    return { ...(others.find((settings) => sameSpeed(settings, set)) ?? this.#settings), ...set }
  }

  #deliver(bytes: Uint8Array): void {
    if (this.#pty !== undefined) this.overrunBytes += bytes.length - this.#pty.write(bytes)
  }
}
