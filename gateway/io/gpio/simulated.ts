import { connect, type Socket } from 'node:net'
import { Fault } from '../../contract/fault.ts'
import type { Edge, GpioIo, GpioLines, Level, LineInput, LineOutput } from '../../contract/io.ts'
import { EdgeQueue } from './edge-queue.ts'
import { monotonicToMonoMs } from './monotonic.ts'

/**
 * A chip that another process simulates, behind a local socket. Each side sends lines of JSON; README.md beside this
 * file describes them. Levels are those of the wire, 0 and 1; what is active low is settled here, as the kernel does it.
 */
const ANSWER_TIMEOUT_MS = 2000
const LINE_CHARACTERS_MAX = 10_000

type Requested = Parameters<GpioIo['open']>[1]

export async function openSimulated(path: string, lines: Requested, signal: AbortSignal): Promise<GpioLines> {
  signal.throwIfAborted()
  const socket = await dial(path, signal)
  const chip = new SimulatedLines(socket, path, lines)
  const release = (): void => void chip.release()
  signal.addEventListener('abort', release, { once: true })
  chip.ended = () => signal.removeEventListener('abort', release)
  try {
    await chip.request()
  } catch (error) {
    await chip.release()
    throw signal.aborted ? signal.reason : error
  }
  return chip
}

function dial(path: string, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    const timer = setTimeout(() => fail(new Error(`no answer within ${ANSWER_TIMEOUT_MS} ms`)), ANSWER_TIMEOUT_MS)
    const onAbort = (): void => fail(new Error('stopped'))
    const settle = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
      socket.removeAllListeners()
    }
    const fail = (error: Error): void => {
      settle()
      socket.on('error', () => undefined)
      socket.destroy()
      const detail = { code: 'gpio-missing', hint: 'is the simulated panel running?', cause: error }
      reject(
        signal.aborted
          ? signal.reason
          : new Fault('connection', `the GPIO chip sim:${path} is not there: ${error.message}`, detail),
      )
    }
    signal.addEventListener('abort', onAbort, { once: true })
    socket.once('error', fail)
    socket.once('connect', () => {
      settle()
      resolve(socket)
    })
  })
}

interface Asking {
  resolve(): void
  reject(error: unknown): void
}

/** What the chip says. Everything is optional: another program writes it. */
interface Message {
  readonly levels?: Readonly<Record<string, number>>
  readonly error?: string
  readonly edge?: number | string
  readonly level?: number
  readonly ns?: string
  readonly lost?: number
}

class SimulatedLines implements GpioLines {
  ended: () => void = () => undefined
  readonly #socket: Socket
  readonly #path: string
  readonly #inputs: readonly LineInput[]
  readonly #outputs: readonly LineOutput[]
  readonly #levels = new Map<string, Level>()
  readonly #settling = new Map<string, NodeJS.Timeout>()
  readonly #queue = new EdgeQueue()
  readonly #asking: Asking[] = []
  #heard = ''
  #over: Fault | undefined
  #released: Promise<void> | undefined

  constructor(socket: Socket, path: string, { inputs, outputs }: Requested) {
    this.#socket = socket
    this.#path = path
    this.#inputs = inputs
    this.#outputs = outputs
    socket.setEncoding('utf8')
    socket.on('data', (text: string) => this.#receive(text))
    socket.on('error', (error) => this.#end(error.message))
    socket.on('close', () => this.#end('its process has ended'))
  }

  /** Ask for all lines at once. */
  request(): Promise<void> {
    const outputs = Object.fromEntries(this.#outputs.map((output) => [output.line, electrical(output.initial, output)]))
    return this.#ask({ request: { inputs: this.#inputs.map(({ line }) => line), outputs } })
  }

  async read(): Promise<Readonly<Record<string, Level>>> {
    await this.#ask({ read: true })
    return Object.fromEntries(this.#levels)
  }

  async set(name: string, level: Level): Promise<void> {
    if (this.#over !== undefined) throw this.#over
    const output = this.#outputs.find((one) => one.name === name)
    if (output === undefined) throw new Error(`no output ${name} was asked for`)
    this.#send({ set: output.line, level: electrical(level, output) })
  }

  edges(signal: AbortSignal): Promise<{ readonly edges: readonly Edge[]; readonly lost: number }> {
    return this.#queue.next(signal)
  }

  release(): Promise<void> {
    this.#released ??= this.#letGo()
    return this.#released
  }

  async #letGo(): Promise<void> {
    this.ended()
    if (this.#over === undefined) {
      for (const output of this.#outputs) this.#send({ set: output.line, level: electrical(output.initial, output) })
    }
    await new Promise<void>((done) => {
      // The panel may have ended at the same time: then there is nothing to wait for.
      this.#socket.once('close', () => done())
      this.#socket.end(() => done())
    })
    this.#end('its lines were given back')
    this.#socket.destroy()
  }

  #ask(message: object): Promise<void> {
    if (this.#over !== undefined) return Promise.reject(this.#over)
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#end(`no answer within ${ANSWER_TIMEOUT_MS} ms`), ANSWER_TIMEOUT_MS)
      this.#asking.push({
        resolve: () => {
          clearTimeout(timer)
          resolve()
        },
        reject: (error) => {
          clearTimeout(timer)
          reject(error)
        },
      })
      this.#send(message)
    })
  }

  #receive(text: string): void {
    this.#heard += text
    const lines = this.#heard.split('\n')
    this.#heard = lines.pop() ?? ''
    if (this.#heard.length > LINE_CHARACTERS_MAX) this.#end('it sends a line without an end')
    for (const line of lines) {
      const message = messageOf(line)
      if (message === undefined) this.#end(`it sends what is no message: ${line.slice(0, 80)}`)
      if (message === undefined || this.#over !== undefined) return
      this.#take(message)
    }
  }

  #take(message: Message): void {
    if (message.error !== undefined) {
      this.#end(`it refuses: ${message.error}`, /held by/.test(message.error) ? 'gpio-busy' : 'gpio-refused')
    } else if (message.levels !== undefined) {
      this.#found(message.levels)
      this.#asking.shift()?.resolve()
    } else if (message.edge !== undefined) {
      const monoMs = message.ns === undefined ? performance.now() : monotonicToMonoMs()(BigInt(message.ns))
      this.#edge(message.edge, message.level ?? 0, monoMs)
    } else if (message.lost !== undefined) {
      // What they would have told is read off the levels: a change that was settling may be over.
      for (const name of [...this.#settling.keys()]) this.#unsettle(name)
      this.#queue.lose(message.lost)
    }
  }

  /** A level that is still settling is what it was, as with the kernel's own debounce. */
  #found(levels: Readonly<Record<string, number>>): void {
    for (const input of this.#inputs) {
      if (!this.#settling.has(input.name)) this.#levels.set(input.name, meant(levels[String(input.line)] ?? 0, input))
    }
  }

  /** An edge counts once the level has stood for the debounce time. */
  #edge(line: number | string, level: number, monoMs: number): void {
    const input = this.#inputs.find((one) => one.line === line)
    if (input === undefined) return
    const now = meant(level, input)
    this.#unsettle(input.name)
    if (input.debounceUs === 0) this.#settled(input.name, now, monoMs)
    else if (now !== this.#levels.get(input.name)) {
      const timer = setTimeout(() => {
        this.#settling.delete(input.name)
        this.#settled(input.name, now, performance.now())
      }, input.debounceUs / 1000)
      this.#settling.set(input.name, timer)
    }
  }

  #settled(name: string, level: Level, monoMs: number): void {
    if (level === this.#levels.get(name)) return
    this.#levels.set(name, level)
    this.#queue.push({ name, level, monoMs })
  }

  #unsettle(name: string): void {
    clearTimeout(this.#settling.get(name))
    this.#settling.delete(name)
  }

  #send(message: object): void {
    this.#socket.write(`${JSON.stringify(message)}\n`)
  }

  #end(reason: string, code = 'gpio-gone'): void {
    if (this.#over !== undefined) return
    this.#over = new Fault('connection', `the GPIO chip sim:${this.#path}: ${reason}`, { code })
    for (const name of [...this.#settling.keys()]) this.#unsettle(name)
    for (const asking of this.#asking.splice(0)) asking.reject(this.#over)
    this.#queue.end(this.#over)
    this.#socket.destroy()
  }
}

function messageOf(line: string): Message | undefined {
  let message: unknown
  try {
    message = JSON.parse(line)
  } catch {
    return undefined
  }
  if (typeof message !== 'object' || message === null) return undefined
  const { ns } = message as Message
  return ns === undefined || /^\d{1,20}$/.test(ns) ? message : undefined
}

function electrical(level: Level, { activeLow }: { readonly activeLow: boolean }): number {
  return (level === 'active') === activeLow ? 0 : 1
}

function meant(level: number, { activeLow }: { readonly activeLow: boolean }): Level {
  return (level === 1) === activeLow ? 'inactive' : 'active'
}
