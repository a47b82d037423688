import { connect, type Socket } from 'node:net'
import { Fault } from '../contract/fault.ts'
import type { TcpIo, Wire } from '../contract/io.ts'

/** Of what was received and not read; then the peer is made to wait. */
const UNREAD_BYTES_MAX = 262_144

/** TCP connections with Nagle's delay off: a request is one small packet. */
export function createTcp(): TcpIo {
  return {
    dial(host, port, timeoutMs, signal) {
      return new Promise<Wire>((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason)
        const socket = connect({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: 30_000 })
        const fail = (error: unknown): void => {
          clearTimeout(timer)
          signal.removeEventListener('abort', onAbort)
          socket.removeAllListeners()
          socket.on('error', () => undefined)
          socket.destroy()
          reject(error)
        }
        const onAbort = (): void => fail(signal.reason)
        const timer = setTimeout(
          () =>
            fail(
              new Fault('connection', `${host}:${port} does not answer within ${timeoutMs} ms`, {
                code: 'timeout',
                hint: 'is the host on, and on this network?',
              }),
            ),
          timeoutMs,
        )
        signal.addEventListener('abort', onAbort, { once: true })
        socket.once('error', (error: NodeJS.ErrnoException) => fail(dialFault(host, port, error)))
        socket.once('connect', () => {
          clearTimeout(timer)
          signal.removeEventListener('abort', onAbort)
          socket.removeAllListeners()
          const wire = new SocketWire(socket, `${host}:${port}`)
          signal.addEventListener('abort', () => void wire.close(), { once: true })
          resolve(wire)
        })
      })
    },
  }
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
  readonly #socket: Socket
  readonly #name: string
  #unread: Buffer[] = []
  #unreadBytes = 0
  #reader: Reader | undefined
  #over: { readonly fault: Fault | undefined } | undefined
  #tellGone: (reason: Error | undefined) => void = () => undefined

  constructor(socket: Socket, name: string) {
    this.#socket = socket
    this.#name = name
    this.gone = new Promise((resolve) => {
      this.#tellGone = resolve
    })
    socket.on('data', (bytes: Buffer) => this.#received(bytes))
    socket.on('error', (error) => this.#end(this.#fault(error.message)))
    socket.on('close', () => this.#end(this.#fault('the other side hung up')))
  }

  write(bytes: Uint8Array): Promise<void> {
    if (this.#over !== undefined) return Promise.reject(this.#closedFault())
    return new Promise((resolve, reject) => {
      this.#socket.write(bytes, (error) => (error ? reject(this.#fault(error.message)) : resolve()))
    })
  }

  read(atLeast: number, untilMonoMs: number): Promise<Uint8Array> {
    if (this.#reader !== undefined) throw new Error('two readers on one wire')
    const restMs = untilMonoMs - performance.now()
    if (this.#unreadBytes >= atLeast && this.#unreadBytes > 0) return Promise.resolve(this.#take())
    if (this.#over !== undefined) return Promise.reject(this.#closedFault())
    if (atLeast === 0 || restMs <= 0) return Promise.resolve(this.#take())
    return new Promise((resolve, reject) => {
      const timer = Number.isFinite(restMs) ? setTimeout(() => this.#settle(), Math.ceil(restMs)) : undefined
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

  #received(bytes: Buffer): void {
    this.#unread.push(bytes)
    this.#unreadBytes += bytes.length
    if (this.#reader !== undefined && this.#unreadBytes >= this.#reader.atLeast) this.#settle()
    else if (this.#unreadBytes > UNREAD_BYTES_MAX) this.#socket.pause()
  }

  #settle(): void {
    const reader = this.#reader
    this.#reader = undefined
    clearTimeout(reader?.timer)
    reader?.resolve(this.#take())
  }

  #take(): Uint8Array {
    const bytes = this.#unread.length === 1 ? this.#unread[0]! : Buffer.concat(this.#unread)
    this.#unread = []
    this.#unreadBytes = 0
    if (this.#socket.isPaused()) this.#socket.resume()
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
