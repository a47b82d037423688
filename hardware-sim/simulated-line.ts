import type { Clock } from '../gateway/contract/clock.ts'
import { Fault } from '../gateway/contract/fault.ts'
import type { SerialIo, SerialPortInfo, SerialSettings, SerialWire } from '../gateway/contract/io.ts'
import { Line, type LineOptions } from './line.ts'

/** As much as the kernel keeps of what nobody reads (N_TTY_BUF_SIZE); what comes then is lost. */
const UNREAD_BYTES_MAX = 4096

/**
 * A line without an operating system: the hub's end is a `SerialWire` in this process, on whatever clock is
 * given. One owner at a time, as with a locked port; it can be unplugged and plugged in again.
 */
export class SimulatedLine {
  readonly line: Line
  readonly #clock: Clock
  #wire: MemoryWire | undefined
  #plugged = true

  constructor(options: Omit<LineOptions, 'deliver'>) {
    this.#clock = options.clock
    this.line = new Line({ ...options, deliver: (bytes) => this.#wire?.receive(bytes) })
  }

  /** The hub's end. @throws Fault when it is unplugged or has an owner. */
  open(settings: SerialSettings = this.line.settings): SerialWire {
    if (!this.#plugged) throw unplugged()
    if (this.#wire !== undefined) {
      throw new Fault('connection', 'the simulated line has an owner already', { code: 'locked' })
    }
    this.line.configure(settings)
    const wire = new MemoryWire(this.#clock, this.line, () => {
      this.#wire = undefined
    })
    this.#wire = wire
    return wire
  }

  /** The adapter is pulled out of its socket. */
  unplug(): void {
    this.#plugged = false
    this.#wire?.lose(unplugged())
  }

  plug(): void {
    this.#plugged = true
  }
}

/** A `SerialIo` whose ports are these lines, by path. */
export function simulatedSerial(lines: ReadonlyMap<string, SimulatedLine>): SerialIo {
  return {
    async open(path, settings, signal): Promise<SerialWire> {
      signal.throwIfAborted()
      const line = lines.get(path)
      if (line === undefined) throw new Fault('connection', `no serial port ${path}`, { code: 'absent' })
      const wire = line.open(settings)
      signal.addEventListener('abort', () => void wire.close(), { once: true })
      return wire
    },
    async list(): Promise<readonly SerialPortInfo[]> {
      return [...lines.keys()].map((path) => ({ path }))
    },
  }
}

function unplugged(): Fault {
  return new Fault('connection', 'the simulated adapter is unplugged', { code: 'gone' })
}

interface Reader {
  readonly atLeast: number
  readonly resolve: (bytes: Uint8Array) => void
  readonly reject: (error: unknown) => void
  readonly cancel: () => void
}

class MemoryWire implements SerialWire {
  readonly gone: Promise<Error | undefined>
  readonly #clock: Clock
  readonly #line: Line
  readonly #release: () => void
  #resolveGone: (reason: Error | undefined) => void = () => undefined
  #unread: Uint8Array = new Uint8Array(0)
  #reader: Reader | undefined
  #lost: Error | undefined

  constructor(clock: Clock, line: Line, release: () => void) {
    this.#clock = clock
    this.#line = line
    this.#release = release
    this.gone = new Promise((resolve) => {
      this.#resolveGone = resolve
    })
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#lost !== undefined) throw this.#lost
    this.#line.hear(bytes)
  }

  async configure(settings: SerialSettings): Promise<void> {
    if (this.#lost !== undefined) throw this.#lost
    const leftMs = this.#line.heardUntilMs - this.#clock.monoMs()
    if (leftMs > 0) await this.#clock.sleep(leftMs)
    this.#line.configure(settings)
  }

  async read(atLeast: number, untilMonoMs: number): Promise<Uint8Array> {
    if (this.#lost !== undefined) throw this.#lost
    if (this.#reader !== undefined) throw new Error('two reads at once on one wire')
    const leftMs = untilMonoMs - this.#clock.monoMs()
    if (this.#unread.length >= atLeast || leftMs <= 0) return this.#take()
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.after(leftMs, () => this.#finish())
      this.#reader = { atLeast, resolve, reject, cancel }
    })
  }

  discard(): void {
    this.#unread = new Uint8Array(0)
  }

  async close(): Promise<void> {
    this.#end(new Fault('connection', 'the wire was closed', { code: 'closed' }), undefined)
  }

  receive(bytes: Uint8Array): void {
    const room = UNREAD_BYTES_MAX - this.#unread.length
    this.#unread = Buffer.concat([this.#unread, bytes.subarray(0, room)])
    if (this.#reader !== undefined && this.#unread.length >= this.#reader.atLeast) this.#finish()
  }

  lose(reason: Fault): void {
    this.#end(reason, reason)
  }

  #end(error: Error, reason: Error | undefined): void {
    if (this.#lost !== undefined) return
    this.#lost = error
    const reader = this.#reader
    this.#reader = undefined
    reader?.cancel()
    reader?.reject(error)
    this.#release()
    this.#resolveGone(reason)
  }

  #finish(): void {
    const reader = this.#reader
    this.#reader = undefined
    reader?.cancel()
    reader?.resolve(this.#take())
  }

  #take(): Uint8Array {
    const taken = this.#unread
    this.#unread = new Uint8Array(0)
    return taken
  }
}
