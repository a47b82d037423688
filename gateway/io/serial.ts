import { readSync, writeSync } from 'node:fs'
import { autoDetect, type LinuxPortBinding } from '@serialport/bindings-cpp'
import { EVENTS, Poller } from '@serialport/bindings-cpp/dist/poller.js'
import { Fault } from '../contract/fault.ts'
import type { SerialIo, SerialSettings, SerialWire } from '../contract/io.ts'
import { listSerialPorts } from './serial-ports.ts'
import { createAlarm, setAlarm, Terminal } from './terminal.ts'

/** As much as a kernel keeps of what nobody reads (N_TTY_BUF_SIZE). */
const CHUNK_BYTES = 4096
/** Of what was read and not taken; older bytes go when a device babbles. */
const UNREAD_BYTES_MAX = 65_536

/**
 * Serial ports by the binding of `serialport` (open, lock, readiness), without its stream, which is woken for every
 * eight bytes that a UART hands over: each wake-up costs about as much as everything else about a request.
 */
export function createSerial(): SerialIo {
  return {
    async open(path, settings, signal) {
      signal.throwIfAborted()
      const { port, terminal } = await openPort(path, settings)
      const wire = new PortWire(path, port, terminal)
      const onAbort = (): void => void wire.close()
      signal.addEventListener('abort', onAbort, { once: true })
      void wire.gone.then(() => signal.removeEventListener('abort', onAbort))
      if (signal.aborted) {
        await wire.close()
        throw signal.reason
      }
      return wire
    },
    list: async () => listSerialPorts(),
  }
}

interface OpenPort {
  readonly port: LinuxPortBinding
  readonly terminal: Terminal
}

async function openPort(path: string, settings: SerialSettings): Promise<OpenPort> {
  let port: LinuxPortBinding | undefined
  try {
    port = (await autoDetect().open({ path, baudRate: 9600, lock: true, hupcl: false })) as LinuxPortBinding
    const terminal = new Terminal(port.fd!)
    terminal.setFraming(settings)
    return { port, terminal }
  } catch (error) {
    await port?.close()
    throw openFault(path, error as Error)
  }
}

function openFault(path: string, cause: Error): Fault {
  const { message } = cause
  if (/No such file|ENOENT/i.test(message)) {
    const there = listSerialPorts().map((port) => port.byPath ?? port.path)
    return new Fault('connection', `there is no serial port ${path}`, {
      code: 'port-missing',
      hint: there.length === 0 ? 'there is none at all: is the adapter plugged in?' : `there are: ${there.join(', ')}`,
      cause,
    })
  }
  if (/permission|EACCES/i.test(message)) {
    return new Fault('connection', `the serial port ${path} may not be opened`, {
      code: 'port-permission',
      hint: 'add the user of the hub to the group dialout',
      cause,
    })
  }
  if (/lock/i.test(message)) {
    return new Fault('connection', `somebody else holds the serial port ${path}`, {
      code: 'port-busy',
      hint: 'stop the other program: one line has one owner',
      cause,
    })
  }
  return new Fault('connection', `the serial port ${path} can't be opened: ${message}`, { code: 'port', cause })
}

/**
 * Wakes at a time, to a tenth of a millisecond. Those of closed ports are used again: a poller of the binding is
 * never freed (bindings-cpp 13.0.0: its callback holds it).
 */
class Alarm {
  static readonly #idle: Alarm[] = []
  ring: () => void = () => undefined
  readonly #fd = createAlarm()
  readonly #poller = new Poller(this.#fd)

  private constructor() {
    this.#poller.on('readable', () => this.ring())
  }

  static take(): Alarm {
    return Alarm.#idle.pop() ?? new Alarm()
  }

  give(): void {
    this.ring = () => undefined
    this.#poller.stop()
    Alarm.#idle.push(this)
  }

  /** Whatever it was set to before. */
  set(afterMs: number): void {
    setAlarm(this.#fd, afterMs)
    this.#poller.poll(EVENTS.UV_READABLE)
  }
}

interface Reader {
  readonly atLeast: number
  readonly untilMs: number
  readonly resolve: (bytes: Uint8Array) => void
  readonly reject: (error: unknown) => void
}

class PortWire implements SerialWire {
  readonly gone: Promise<Error | undefined>
  readonly #path: string
  readonly #port: LinuxPortBinding
  readonly #fd: number
  readonly #terminal: Terminal
  readonly #alarm = Alarm.take()
  readonly #chunk = Buffer.allocUnsafe(CHUNK_BYTES)
  #unread: Uint8Array = new Uint8Array(0)
  #reader: Reader | undefined
  #over: { readonly fault: Fault | undefined } | undefined
  #tellGone: (reason: Error | undefined) => void = () => undefined

  constructor(path: string, port: LinuxPortBinding, terminal: Terminal) {
    this.#path = path
    this.#port = port
    this.#fd = port.fd!
    this.#terminal = terminal
    this.gone = new Promise((resolve) => {
      this.#tellGone = resolve
    })
    port.poller.on('readable', (error: Error | null) => this.#ready(error))
    port.poller.on('disconnect', () => void this.#lose(new Error('it was hung up')))
    this.#alarm.ring = () => this.#ring()
    // A port that nobody reads tells all the same when it is pulled out.
    port.poller.poll(EVENTS.UV_DISCONNECT)
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#mustBeOpen()
    try {
      const done = this.#writeNow(bytes)
      if (done < bytes.length) await this.#port.write(Buffer.from(bytes.subarray(done)))
    } catch (error) {
      throw this.#lose(error as Error)
    }
  }

  async read(atLeast: number, untilMonoMs: number): Promise<Uint8Array> {
    this.#mustBeOpen()
    if (this.#reader !== undefined) throw new Error('two readers on one wire')
    this.#pull()
    this.#mustBeOpen()
    const leftMs = untilMonoMs - performance.now()
    if (this.#unread.length >= atLeast || leftMs <= 0) return this.#take()
    return new Promise((resolve, reject) => {
      this.#reader = { atLeast, untilMs: untilMonoMs, resolve, reject }
      if (Number.isFinite(leftMs)) this.#alarm.set(leftMs)
      this.#arm(atLeast)
    })
  }

  discard(): void {
    this.#pull()
    this.#take()
  }

  async configure(settings: SerialSettings): Promise<void> {
    this.#mustBeOpen()
    try {
      await this.#port.drain()
      this.#mustBeOpen()
      this.#terminal.setFraming(settings)
    } catch (error) {
      throw this.#lose(error as Error)
    }
  }

  close(): Promise<void> {
    return this.#end(undefined)
  }

  /** What the kernel takes without waiting: all of it, unless its buffer is full. */
  #writeNow(bytes: Uint8Array): number {
    try {
      return writeSync(this.#fd, bytes)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return 0
      throw error
    }
  }

  /** Take what the kernel has, without waiting. */
  #pull(): void {
    try {
      for (let bytes = this.#terminal.unreadBytes(); bytes > 0; ) {
        const count = readSync(this.#fd, this.#chunk, 0, Math.min(bytes, CHUNK_BYTES), null)
        if (count === 0) throw new Error('it was hung up')
        const kept = this.#unread.subarray(Math.max(0, this.#unread.length + count - UNREAD_BYTES_MAX))
        this.#unread = Buffer.concat([kept, this.#chunk.subarray(0, count)])
        bytes -= count
      }
    } catch (error) {
      this.#lose(error as Error)
    }
  }

  /** Be woken when so many more bytes are there; by nothing but the time and the end when there is no number. */
  #arm(atLeast: number): void {
    if (!Number.isFinite(atLeast)) return
    try {
      this.#terminal.wakeAt(atLeast - this.#unread.length)
      this.#port.poller.poll(EVENTS.UV_READABLE | EVENTS.UV_DISCONNECT)
    } catch (error) {
      this.#lose(error as Error)
    }
  }

  #ready(error: Error | null): void {
    if (this.#over !== undefined) return
    if (error !== null) return void this.#lose(new Error('it was hung up'))
    if (this.#reader === undefined) return
    this.#pull()
    // What was lost while it was pulled has ended the reader.
    if (this.#reader === undefined) return
    if (this.#unread.length >= this.#reader.atLeast) this.#settle()
    else this.#arm(this.#reader.atLeast)
  }

  #ring(): void {
    if (this.#over !== undefined || this.#reader === undefined) return
    const leftMs = this.#reader.untilMs - performance.now()
    if (leftMs > 0) {
      if (Number.isFinite(leftMs)) this.#alarm.set(leftMs)
      return
    }
    this.#pull()
    this.#settle()
  }

  #settle(): void {
    const reader = this.#reader
    this.#reader = undefined
    reader?.resolve(this.#take())
  }

  #take(): Uint8Array {
    const bytes = this.#unread
    this.#unread = new Uint8Array(0)
    return bytes
  }

  #mustBeOpen(): void {
    if (this.#over === undefined) return
    throw (
      this.#over.fault ?? new Fault('connection', `the serial port ${this.#path} was closed`, { code: 'port-closed' })
    )
  }

  /** The world took it away. */
  #lose(cause: Error): Fault {
    const fault =
      this.#over?.fault ??
      new Fault('connection', `the serial port ${this.#path} is gone: ${cause.message}`, {
        code: 'port-gone',
        hint: 'was the adapter unplugged? It is opened again when it is back',
        cause,
      })
    void this.#end(fault)
    return fault
  }

  async #end(fault: Fault | undefined): Promise<void> {
    if (this.#over !== undefined) {
      await this.gone
      return
    }
    this.#over = { fault }
    const reader = this.#reader
    this.#reader = undefined
    reader?.reject(
      fault ?? new Fault('connection', `the serial port ${this.#path} was closed`, { code: 'port-closed' }),
    )
    this.#alarm.give()
    // A port that is gone may refuse to be closed: it is gone all the same.
    await this.#port.close().catch(() => undefined)
    this.#tellGone(fault)
  }
}
