import { readdirSync, readSync, realpathSync } from 'node:fs'
import { autoDetect, type LinuxBindingInterface, type LinuxPortBinding } from '@serialport/bindings-cpp'
import { Fault } from '../contract/fault.ts'
import type { SerialIo, SerialPortInfo, SerialSettings, SerialWire } from '../contract/io.ts'

/** As much as a kernel keeps of what nobody reads (N_TTY_BUF_SIZE). */
const READ_BYTES = 4096
/** Of what was read and not taken; more is a device that babbles. */
const UNREAD_BYTES_MAX = 65_536

/**
 * Serial ports through the binding of `serialport`, without its stream: a line discipline wants to say when it
 * reads, because each piece that it is woken for costs a quarter of a millisecond.
 */
export function createSerial(): SerialIo {
  const binding = autoDetect() as LinuxBindingInterface
  return {
    async open(path, settings, signal) {
      signal.throwIfAborted()
      const port = await openPort(binding, path, settings)
      const wire = new PortWire(binding, path, port, settings)
      signal.addEventListener('abort', () => void wire.close(), { once: true })
      if (signal.aborted) await wire.close()
      return wire
    },
    list: () => listPorts(binding),
  }
}

async function openPort(
  binding: LinuxBindingInterface,
  path: string,
  settings: SerialSettings,
): Promise<LinuxPortBinding> {
  const { baud, dataBits, parity, stopBits } = settings
  try {
    return await binding.open({
      path,
      baudRate: baud,
      dataBits,
      parity,
      stopBits,
      rtscts: false,
      lock: true,
      hupcl: false,
    })
  } catch (error) {
    throw await openFault(binding, path, error as Error)
  }
}

async function openFault(binding: LinuxBindingInterface, path: string, error: Error): Promise<Fault> {
  const { message } = error
  if (/No such file|ENOENT/i.test(message)) {
    const there = (await listPorts(binding)).map((port) => port.byPath ?? port.path)
    return new Fault('connection', `there is no serial port ${path}`, {
      code: 'port-missing',
      hint:
        there.length === 0
          ? 'no serial port is there at all: is the adapter plugged in?'
          : `there are: ${there.join(', ')}`,
      cause: error,
    })
  }
  if (/permission|EACCES/i.test(message)) {
    return new Fault('connection', `the serial port ${path} may not be opened`, {
      code: 'port-permission',
      hint: 'add the user of the hub to the group dialout',
      cause: error,
    })
  }
  if (/lock/i.test(message)) {
    return new Fault('connection', `somebody else holds the serial port ${path}`, {
      code: 'port-busy',
      hint: 'stop the other program: one line has one owner',
      cause: error,
    })
  }
  return new Fault('connection', `the serial port ${path} can't be opened: ${message}`, { code: 'port', cause: error })
}

async function listPorts(binding: LinuxBindingInterface): Promise<SerialPortInfo[]> {
  const [byPath, byId] = [links('/dev/serial/by-path'), links('/dev/serial/by-id')]
  const ports = await binding.list()
  return ports
    .filter(({ path }) => !/\/ttyS\d+$/.test(path) || byPath.has(path))
    .map(({ path, serialNumber, manufacturer }) => ({
      path,
      ...given('byPath', byPath.get(path)),
      ...given('byId', byId.get(path)),
      ...given('serialNumber', serialNumber),
      ...given('maker', manufacturer),
    }))
}

function given<Name extends string>(name: Name, value: string | undefined): { [name in Name]?: string } {
  return (value === undefined ? {} : { [name]: value }) as { [name in Name]?: string }
}

/** Where the links of a folder of udev lead, the other way round. */
function links(folder: string): Map<string, string> {
  let names: string[] = []
  try {
    names = readdirSync(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  return new Map(names.map((name) => [realpathSync(`${folder}/${name}`), `${folder}/${name}`]))
}

interface Reader {
  readonly atLeast: number
  readonly resolve: (bytes: Uint8Array) => void
  readonly reject: (error: unknown) => void
  readonly timer: NodeJS.Timeout | undefined
}

class PortWire implements SerialWire {
  readonly gone: Promise<Error | undefined>
  readonly #binding: LinuxBindingInterface
  readonly #path: string
  readonly #chunk = Buffer.allocUnsafe(READ_BYTES)
  #port: LinuxPortBinding
  #settings: SerialSettings
  #unread: Buffer[] = []
  #unreadBytes = 0
  #reader: Reader | undefined
  #armed = false
  #over: { readonly fault: Fault | undefined } | undefined
  #tellGone: (reason: Error | undefined) => void = () => undefined

  constructor(binding: LinuxBindingInterface, path: string, port: LinuxPortBinding, settings: SerialSettings) {
    this.#binding = binding
    this.#path = path
    this.#port = port
    this.#settings = settings
    this.gone = new Promise((resolve) => {
      this.#tellGone = resolve
    })
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#mustBeOpen()
    try {
      await this.#port.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
    } catch (error) {
      throw this.#lost(error as Error)
    }
  }

  read(atLeast: number, untilMonoMs: number): Promise<Uint8Array> {
    this.#mustBeOpen()
    if (this.#reader !== undefined) throw new Error('two readers on one wire')
    this.#pull()
    const restMs = untilMonoMs - performance.now()
    if (this.#over !== undefined) return Promise.reject(this.#closedFault())
    if (this.#unreadBytes >= atLeast || restMs <= 0) return Promise.resolve(this.#take())
    return new Promise((resolve, reject) => {
      const timer = Number.isFinite(restMs) ? setTimeout(() => this.#settle(), restMs) : undefined
      this.#reader = { atLeast, resolve, reject, timer }
      this.#arm()
    })
  }

  discard(): void {
    this.#pull()
    this.#take()
  }

  async configure(settings: SerialSettings): Promise<void> {
    this.#mustBeOpen()
    const { baud, ...framing } = settings
    const { baud: _before, ...framingBefore } = this.#settings
    await this.#port.drain()
    if (JSON.stringify(framing) === JSON.stringify(framingBefore)) await this.#port.update({ baudRate: baud })
    else {
      await this.#port.close()
      this.#armed = false
      this.#port = await openPort(this.#binding, this.#path, settings)
    }
    this.#settings = settings
  }

  async close(): Promise<void> {
    await this.#end(undefined)
  }

  /** Take what the kernel has, without waiting. */
  #pull(): void {
    const { fd } = this.#port
    if (this.#over !== undefined || fd === null) return
    try {
      while (this.#unreadBytes < UNREAD_BYTES_MAX) {
        const count = readSync(fd, this.#chunk, 0, READ_BYTES, null)
        // With VMIN=1 nothing to read is EAGAIN; an end of file is a line that was hung up.
        if (count === 0) return void this.#lost(new Error('hung up'))
        this.#unread.push(Buffer.from(this.#chunk.subarray(0, count)))
        this.#unreadBytes += count
        if (count < READ_BYTES) return
      }
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code !== 'EAGAIN' && code !== 'EINTR') this.#lost(error as Error)
    }
  }

  /** Be woken once when something arrives. */
  #arm(): void {
    if (this.#armed || this.#over !== undefined) return
    this.#armed = true
    this.#port.poller.once('readable', (error: Error | null) => {
      this.#armed = false
      if (this.#over !== undefined) return
      if (error !== null) return void this.#lost(error)
      if (this.#reader === undefined) return
      this.#pull()
      if (this.#reader === undefined) return
      if (this.#unreadBytes >= this.#reader.atLeast) this.#settle()
      else this.#arm()
    })
  }

  #settle(): void {
    const reader = this.#reader
    this.#reader = undefined
    clearTimeout(reader?.timer)
    this.#pull()
    if (this.#over === undefined) reader?.resolve(this.#take())
    else reader?.reject(this.#closedFault())
  }

  #take(): Uint8Array {
    const bytes = this.#unread.length === 1 ? this.#unread[0]! : Buffer.concat(this.#unread)
    this.#unread = []
    this.#unreadBytes = 0
    return bytes
  }

  #mustBeOpen(): void {
    if (this.#over !== undefined) throw this.#closedFault()
  }

  #closedFault(): Fault {
    return (
      this.#over?.fault ?? new Fault('connection', `the serial port ${this.#path} was closed`, { code: 'port-closed' })
    )
  }

  #lost(cause: Error): Fault {
    const fault = new Fault('connection', `the serial port ${this.#path} is gone: ${cause.message}`, {
      code: 'port-gone',
      hint: 'was the adapter unplugged? It is opened again when it is back',
      cause,
    })
    void this.#end(fault)
    return fault
  }

  async #end(fault: Fault | undefined): Promise<void> {
    if (this.#over !== undefined) return
    this.#over = { fault }
    const reader = this.#reader
    this.#reader = undefined
    clearTimeout(reader?.timer)
    reader?.reject(this.#closedFault())
    // A port that is gone may refuse to be closed: it is gone all the same.
    await this.#port.close().catch(() => undefined)
    this.#tellGone(fault)
  }
}
