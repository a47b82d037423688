import type { Clock } from '../../../../gateway/contract/clock.ts'
import type { Wire } from '../../../../gateway/contract/io.ts'
import { hex, show } from '../../../hex.ts'

/** What comes after a request went out: bytes, so many milliseconds after the call of `write`. */
export interface Said {
  readonly afterMs: number
  readonly bytes: string
}

interface Reader {
  readonly atLeast: number
  readonly finish: () => void
}

/**
 * A wire that follows a script: to each frame written, in order, come the bytes that stand beside it. What was
 * written is kept with its time, so that a test reads like the transcript of a line.
 */
export class ScriptedWire implements Wire {
  readonly gone = new Promise<Error | undefined>(() => undefined)
  /** `time > bytes` for each frame that was written. */
  readonly written: { readonly atMs: number; readonly bytes: string }[] = []
  /** How often a read was begun: each costs the process a wake-up. */
  reads = 0
  readonly #clock: Clock
  readonly #script: (readonly Said[])[]
  #unread: Uint8Array = new Uint8Array(0)
  #reader: Reader | undefined

  constructor(clock: Clock, script: readonly (readonly Said[])[]) {
    this.#clock = clock
    this.#script = [...script]
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.written.push({ atMs: this.#clock.monoMs(), bytes: show(bytes) })
    for (const { afterMs, bytes: text } of this.#script.shift() ?? []) this.say(text, afterMs)
  }

  /** Somebody speaks. */
  say(text: string, afterMs: number): void {
    this.#clock.after(afterMs, () => this.sayNow(text))
  }

  sayNow(text: string): void {
    this.#unread = Buffer.concat([this.#unread, hex(text)])
    if (this.#reader !== undefined && this.#unread.length >= this.#reader.atLeast) this.#reader.finish()
  }

  read(atLeast: number, untilMonoMs: number): Promise<Uint8Array> {
    if (this.#reader !== undefined) throw new Error('two readers on one wire')
    this.reads += 1
    const leftMs = untilMonoMs - this.#clock.monoMs()
    if (this.#unread.length >= atLeast || leftMs <= 0) return Promise.resolve(this.#take())
    return new Promise((resolve) => {
      const finish = (): void => {
        cancel()
        this.#reader = undefined
        resolve(this.#take())
      }
      const cancel = Number.isFinite(leftMs) ? this.#clock.after(leftMs, finish) : () => undefined
      this.#reader = { atLeast, finish }
    })
  }

  discard(): void {
    this.#take()
  }

  async close(): Promise<void> {
    this.#reader?.finish()
  }

  #take(): Uint8Array {
    const bytes = this.#unread
    this.#unread = new Uint8Array(0)
    return bytes
  }
}
