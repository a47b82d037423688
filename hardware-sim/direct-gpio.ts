import type { Clock } from '../gateway/contract/clock.ts'
import { Fault } from '../gateway/contract/fault.ts'
import type { Edge, GpioIo, GpioLines, Level, LineInput, LineOutput } from '../gateway/contract/io.ts'
import type { ChipOwner, GpioChip, LineKey, WireLevel } from './gpio-chip.ts'

const EDGES_MAX = 1024

/** The hub's end of a simulated chip in this process, without a socket: on a virtual clock too. Debounces as the kernel does. */
export function directGpio(chip: GpioChip, clock: Clock): GpioIo {
  return {
    async open(_name, lines, signal) {
      signal.throwIfAborted()
      const direct = new DirectLines(chip, clock, lines)
      direct.request()
      return direct
    },
  }
}

interface Reader {
  resolve(seen: { readonly edges: readonly Edge[]; readonly lost: number }): void
  reject(reason: unknown): void
}

class DirectLines implements GpioLines, ChipOwner {
  readonly #chip: GpioChip
  readonly #clock: Clock
  readonly #inputs: readonly LineInput[]
  readonly #outputs: readonly LineOutput[]
  readonly #levels = new Map<string, Level>()
  readonly #raw = new Map<string, Level>()
  readonly #settling = new Map<string, () => void>()
  #edges: Edge[] = []
  #lost = 0
  #reader: Reader | undefined
  #over: Fault | undefined

  constructor(chip: GpioChip, clock: Clock, lines: Parameters<GpioIo['open']>[1]) {
    this.#chip = chip
    this.#clock = clock
    this.#inputs = lines.inputs
    this.#outputs = lines.outputs
  }

  request(): void {
    const inputs = this.#inputs.map(({ line }) => line)
    const outputs = this.#outputs.map((output) => [output.line, onTheWire(output.initial, output)] as const)
    try {
      const levels = this.#chip.request(this, { inputs, outputs })
      for (const [at, input] of this.#inputs.entries()) {
        this.#levels.set(input.name, meant(levels[at]!, input))
        this.#raw.set(input.name, meant(levels[at]!, input))
      }
    } catch (error) {
      const code = this.#chip.plugged ? 'gpio-busy' : 'gpio-missing'
      throw new Fault('connection', `the simulated chip refuses: ${(error as Error).message}`, { code, cause: error })
    }
  }

  async read(): Promise<Readonly<Record<string, Level>>> {
    if (this.#over !== undefined) throw this.#over
    return Object.fromEntries(this.#levels)
  }

  async set(name: string, level: Level): Promise<void> {
    if (this.#over !== undefined) throw this.#over
    const output = this.#outputs.find((one) => one.name === name)
    if (output === undefined) throw new Error(`no output ${name} was asked for`)
    this.#chip.set(this, output.line, onTheWire(level, output))
  }

  edges(signal: AbortSignal): Promise<{ readonly edges: readonly Edge[]; readonly lost: number }> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason)
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
        reject: (reason) => {
          forget()
          reject(reason)
        },
      }
      this.#answer()
    })
  }

  async release(): Promise<void> {
    for (const cancel of this.#settling.values()) cancel()
    if (this.#over === undefined) {
      for (const output of this.#outputs) this.#chip.set(this, output.line, onTheWire(output.initial, output))
    }
    this.#over ??= new Fault('connection', 'the lines were given back', { code: 'gpio-gone' })
    this.#chip.letGo(this)
  }

  edge(line: LineKey, level: WireLevel): void {
    const input = this.#inputs.find((one) => one.line === line)
    if (input === undefined) return
    const now = meant(level, input)
    this.#raw.set(input.name, now)
    this.#settling.get(input.name)?.()
    this.#settling.delete(input.name)
    if (input.debounceUs === 0) this.#settled(input.name)
    else if (now !== this.#levels.get(input.name)) {
      this.#settling.set(
        input.name,
        this.#clock.after(input.debounceUs / 1000, () => this.#settled(input.name)),
      )
    }
  }

  /** What was dropped left the lines as they are now. */
  lost(count: number): void {
    this.#lost += count
    for (const input of this.#inputs) {
      this.#settling.get(input.name)?.()
      const level = meant(this.#chip.level(input.line), input)
      this.#raw.set(input.name, level)
      this.#levels.set(input.name, level)
    }
    this.#answer()
  }

  gone(): void {
    this.#over = new Fault('connection', 'the simulated chip is gone', { code: 'gpio-gone' })
    this.#reader?.reject(this.#over)
    this.#reader = undefined
  }

  #settled(name: string): void {
    const level = this.#raw.get(name)!
    if (level === this.#levels.get(name)) return
    this.#levels.set(name, level)
    if (this.#edges.length >= EDGES_MAX) {
      this.#edges.shift()
      this.#lost += 1
    }
    this.#edges.push({ name, level, monoMs: this.#clock.monoMs() })
    this.#answer()
  }

  #answer(): void {
    if (this.#reader === undefined || (this.#edges.length === 0 && this.#lost === 0)) return
    const { resolve } = this.#reader
    this.#reader = undefined
    const seen = { edges: this.#edges, lost: this.#lost }
    this.#edges = []
    this.#lost = 0
    resolve(seen)
  }
}

function onTheWire(level: Level, { activeLow }: { readonly activeLow: boolean }): WireLevel {
  return (level === 'active') === activeLow ? 0 : 1
}

function meant(level: WireLevel, { activeLow }: { readonly activeLow: boolean }): Level {
  return (level === 1) === activeLow ? 'inactive' : 'active'
}
