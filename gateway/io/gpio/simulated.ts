import { connect, type Socket } from 'node:net'
import { Fault } from '../../contract/fault.ts'
import type { Edge, GpioIo, GpioLines, Level, LineInput, LineOutput } from '../../contract/io.ts'

/**
 * A chip that another process simulates, behind a local socket. Each side sends lines of JSON. We ask
 * `{"request":{"inputs":[17],"outputs":{"22":0}}}` and get `{"levels":{"17":0}}` or `{"error":"..."}`; we set
 * `{"set":22,"level":1}`; it tells `{"edge":27,"level":1}`. Levels are those of the wire, 0 and 1, and lines their
 * offsets; what is active low is settled here, as the kernel does it.
 */
const OPEN_TIMEOUT_MS = 2000
const LINE_CHARACTERS_MAX = 10_000
const EDGES_MAX = 1024

type Requested = Parameters<GpioIo['open']>[1]

export async function openSimulated(path: string, lines: Requested, signal: AbortSignal): Promise<GpioLines> {
  signal.throwIfAborted()
  const socket = await dial(path, signal)
  const chip = new SimulatedLines(socket, path, lines)
  signal.addEventListener('abort', () => void chip.release(), { once: true })
  await chip.request()
  return chip
}

function dial(path: string, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    const timer = setTimeout(() => fail(new Error(`no answer within ${OPEN_TIMEOUT_MS} ms`)), OPEN_TIMEOUT_MS)
    const settle = (): void => {
      clearTimeout(timer)
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
    socket.once('error', fail)
    socket.once('connect', () => {
      settle()
      resolve(socket)
    })
  })
}

class SimulatedLines implements GpioLines {
  readonly #socket: Socket
  readonly #path: string
  readonly #inputs: readonly LineInput[]
  readonly #outputs: readonly LineOutput[]
  readonly #levels = new Map<string, Level>()
  readonly #settling = new Map<string, NodeJS.Timeout>()
  #heard = ''
  #edges: Edge[] = []
  #lost = 0
  #reader: { resolve: (seen: { edges: Edge[]; lost: number }) => void; reject: (error: unknown) => void } | undefined
  #answered: { resolve: () => void; reject: (error: unknown) => void } | undefined
  #over: Fault | undefined
  #released = false

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
    return new Promise((resolve, reject) => {
      this.#answered = { resolve, reject }
      const outputs = Object.fromEntries(
        this.#outputs.map((output) => [output.line, electrical(output.initial, output)]),
      )
      this.#send({ request: { inputs: this.#inputs.map(({ line }) => line), outputs } })
    })
  }

  async read(): Promise<Readonly<Record<string, Level>>> {
    this.#mustBeThere()
    return Object.fromEntries(this.#levels)
  }

  async set(name: string, level: Level): Promise<void> {
    this.#mustBeThere()
    const output = this.#outputs.find((one) => one.name === name)
    if (output === undefined) throw new Error(`no output ${name} was asked for`)
    this.#send({ set: output.line, level: electrical(level, output) })
  }

  edges(signal: AbortSignal): Promise<{ readonly edges: readonly Edge[]; readonly lost: number }> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason)
      if (this.#edges.length > 0 || this.#lost > 0) return resolve(this.#takeEdges())
      if (this.#over !== undefined) return reject(this.#over)
      const onAbort = (): void => {
        this.#reader = undefined
        reject(signal.reason)
      }
      signal.addEventListener('abort', onAbort, { once: true })
      const forget = (): void => signal.removeEventListener('abort', onAbort)
      this.#reader = {
        resolve: (seen) => {
          forget()
          resolve(seen)
        },
        reject: (error) => {
          forget()
          reject(error)
        },
      }
    })
  }

  async release(): Promise<void> {
    if (this.#released) return
    this.#released = true
    for (const timer of this.#settling.values()) clearTimeout(timer)
    if (this.#over === undefined) {
      for (const output of this.#outputs) this.#send({ set: output.line, level: electrical(output.initial, output) })
    }
    await new Promise<void>((done) => this.#socket.end(() => done()))
    this.#socket.destroy()
  }

  #receive(text: string): void {
    this.#heard += text
    const lines = this.#heard.split('\n')
    this.#heard = lines.pop() ?? ''
    if (this.#heard.length > LINE_CHARACTERS_MAX) this.#end('it sends a line without an end')
    for (const line of lines) this.#take(JSON.parse(line))
  }

  #take(message: { levels?: Record<string, number>; error?: string; edge?: number | string; level?: number }): void {
    if (message.error !== undefined) {
      this.#answered?.reject(
        new Fault('connection', `the GPIO chip sim:${this.#path} refuses: ${message.error}`, { code: 'gpio-busy' }),
      )
    } else if (message.levels !== undefined) {
      for (const input of this.#inputs)
        this.#levels.set(input.name, meant(message.levels[String(input.line)] ?? 0, input))
      this.#answered?.resolve()
    } else if (message.edge !== undefined) this.#edge(message.edge, message.level ?? 0)
  }

  /** An edge counts once the level has stood for the debounce time, as with the kernel's own. */
  #edge(line: number | string, level: number): void {
    const input = this.#inputs.find((one) => String(one.line) === String(line))
    if (input === undefined) return
    const now: Level = meant(level, input)
    clearTimeout(this.#settling.get(input.name))
    this.#settling.delete(input.name)
    if (input.debounceUs === 0) this.#settled(input.name, now)
    else if (now !== this.#levels.get(input.name)) {
      const timer = setTimeout(() => this.#settled(input.name, now), input.debounceUs / 1000)
      this.#settling.set(input.name, timer)
    }
  }

  #settled(name: string, level: Level): void {
    if (level === this.#levels.get(name)) return
    this.#levels.set(name, level)
    if (this.#edges.length >= EDGES_MAX) {
      this.#edges.shift()
      this.#lost += 1
    }
    this.#edges.push({ name, level, monoMs: performance.now() })
    this.#reader?.resolve(this.#takeEdges())
    this.#reader = undefined
  }

  #takeEdges(): { edges: Edge[]; lost: number } {
    const seen = { edges: this.#edges, lost: this.#lost }
    this.#edges = []
    this.#lost = 0
    return seen
  }

  #mustBeThere(): void {
    if (this.#over !== undefined) throw this.#over
  }

  #send(message: object): void {
    this.#socket.write(`${JSON.stringify(message)}\n`)
  }

  #end(reason: string): void {
    if (this.#over !== undefined) return
    this.#over = new Fault('connection', `the GPIO chip sim:${this.#path} is gone: ${reason}`, { code: 'gpio-gone' })
    this.#answered?.reject(this.#over)
    this.#reader?.reject(this.#over)
    this.#reader = undefined
  }
}

function electrical(level: Level, { activeLow }: { readonly activeLow: boolean }): number {
  return (level === 'active') === activeLow ? 0 : 1
}

function meant(level: number, { activeLow }: { readonly activeLow: boolean }): Level {
  return (level === 1) === activeLow ? 'inactive' : 'active'
}
