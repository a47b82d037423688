import { connect, type Socket } from 'node:net'
import { Fault } from '../contract/fault.ts'
import type { TcpIo, Wire } from '../contract/io.ts'

/** Of what was received and not read; then the peer is made to wait. */
const UNREAD_BYTES_MAX = 262_144
/** One for all connections: what the kernel hands over is copied out of it at once. */
const CHUNK = Buffer.alloc(65_536)
const KEEP_ALIVE_MS = 30_000
const NOTHING = new Uint8Array(0)

/** TCP connections with Nagle's delay off: a request is one small packet. */
export function createTcp(): TcpIo {
  return {
    async dial(host, port, timeoutMs, signal) {
      signal.throwIfAborted()
      const wire = new SocketWire(host, port)
      const onAbort = (): void => void wire.close()
      signal.addEventListener('abort', onAbort, { once: true })
      void wire.gone.then(() => signal.removeEventListener('abort', onAbort))
      const timer = setTimeout(() => wire.giveUp(mute(host, port, timeoutMs)), timeoutMs)
      try {
        await wire.connected
        return wire
      } catch (error) {
        throw signal.aborted ? signal.reason : error
      } finally {
        clearTimeout(timer)
      }
    },
  }
}

function mute(host: string, port: number, timeoutMs: number): Fault {
  return new Fault('connection', `${host}:${port} does not answer within ${timeoutMs} ms`, {
    code: 'timeout',
    hint: 'is the host on, and on this network?',
  })
}

function dialFault(host: string, port: number, error: NodeJS.ErrnoException): Fault {
  const hints: Record<string, string> = {
    ECONNREFUSED: 'the host is there, but nothing listens on this port',
    ENOTFOUND: 'the name is not known: is the network up, and is it spelled right?',
    EHOSTUNREACH: 'no way to this host: is it on this network?',
    ENETUNREACH: 'no way to this network',
  }
  const hint = hints[error.code ?? '']
  const detail = { code: error.code?.toLowerCase() ?? 'tcp', cause: error }
  return new Fault(
    'connection',
    `${host}:${port} can't be reached: ${error.message}`,
    hint === undefined ? detail : { ...detail, hint },
  )
}

interface Reader {
  readonly atLeast: number
  readonly resolve: (bytes: Uint8Array) => void
  readonly reject: (error: unknown) => void
  readonly timer: NodeJS.Timeout | undefined
}

class SocketWire implements Wire {
  readonly gone: Promise<Error | undefined>
  /** Rejects when it never stood. */
  readonly connected: Promise<void>
  readonly #socket: Socket
  readonly #name: string
  #unread: Uint8Array = new Uint8Array(0)
  #reader: Reader | undefined
  #paused = false
  #over: { readonly fault: Fault | undefined } | undefined
  #tellGone: (reason: Error | undefined) => void = () => undefined

  constructor(host: string, port: number) {
    this.#name = `${host}:${port}`
    this.gone = new Promise((resolve) => {
      this.#tellGone = resolve
    })
    const socket = connect({
      host,
      port,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_MS,
      // Past the stream, which would cost more than everything else about an answer.
      onread: { buffer: CHUNK, callback: (length, chunk) => this.#received(chunk, length) },
    })
    this.#socket = socket
    let stood = false
    this.connected = new Promise((resolve, reject) => {
      socket.once('connect', () => {
        stood = true
        resolve()
      })
      void this.gone.then(() => reject(this.#closedFault()))
    })
    socket.on('error', (error) => this.#end(stood ? this.#fault(error.message) : dialFault(host, port, error)))
    socket.on('end', () => this.#end(this.#fault('the other side hung up')))
    socket.on('close', () => this.#end(this.#fault('the other side hung up')))
  }

  /** It does not stand in time. */
  giveUp(fault: Fault): void {
    this.#end(fault)
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#over !== undefined) throw this.#closedFault()
    this.#socket.write(bytes)
    // The kernel mostly takes it all at once; only where it did not is it waited for.
    if (this.#socket.writableLength === 0) return
    await new Promise<void>((resolve, reject) => {
      this.#socket.write(NOTHING, (error) => (error ? reject(this.#fault(error.message)) : resolve()))
    })
  }

  read(atLeast: number, untilMonoMs: number): Promise<Uint8Array> {
    if (this.#reader !== undefined) throw new Error('two readers on one wire')
    const enough = this.#unread.length >= atLeast
    if (this.#over !== undefined && !(enough && this.#unread.length > 0)) return Promise.reject(this.#closedFault())
    const leftMs = untilMonoMs - performance.now()
    if (enough || leftMs <= 0) return Promise.resolve(this.#take())
    return new Promise((resolve, reject) => {
      const timer = Number.isFinite(leftMs) ? setTimeout(() => this.#settle(), Math.ceil(leftMs)) : undefined
      this.#reader = { atLeast, resolve, reject, timer }
    })
  }

  discard(): void {
    this.#take()
  }

  async close(): Promise<void> {
    this.#end(undefined)
    await this.gone
  }

  /** @returns false to be spared more of it until something was read */
  #received(chunk: Uint8Array, length: number): boolean {
    const before = this.#unread
    const both = new Uint8Array(before.length + length)
    both.set(before)
    both.set(chunk.subarray(0, length), before.length)
    this.#unread = both
    if (this.#reader !== undefined && both.length >= this.#reader.atLeast) this.#settle()
    this.#paused = this.#unread.length > UNREAD_BYTES_MAX
    return !this.#paused
  }

  #settle(): void {
    const reader = this.#reader
    this.#reader = undefined
    clearTimeout(reader?.timer)
    reader?.resolve(this.#take())
  }

  #take(): Uint8Array {
    const bytes = this.#unread
    this.#unread = new Uint8Array(0)
    if (this.#paused && this.#over === undefined) {
      this.#paused = false
      this.#socket.resume()
    }
    return bytes
  }

  #fault(reason: string): Fault {
    return new Fault('connection', `the connection to ${this.#name} is gone: ${reason}`, { code: 'tcp-gone' })
  }

  #closedFault(): Fault {
    return (
      this.#over?.fault ?? new Fault('connection', `the connection to ${this.#name} was closed`, { code: 'tcp-closed' })
    )
  }

  #end(fault: Fault | undefined): void {
    if (this.#over !== undefined) return
    this.#over = { fault }
    this.#socket.destroy()
    const reader = this.#reader
    this.#reader = undefined
    clearTimeout(reader?.timer)
    reader?.reject(this.#closedFault())
    this.#tellGone(fault)
  }
}
