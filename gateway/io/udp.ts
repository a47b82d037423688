import { createSocket, type Socket } from 'node:dgram'
import { networkInterfaces } from 'node:os'
import { Fault } from '../contract/fault.ts'
import type { UdpIo, UdpSocket } from '../contract/io.ts'

/** Datagrams that wait to be received; what comes beyond is dropped, oldest first. */
const WAITING_MAX = 256

type Datagram = { readonly bytes: Uint8Array; readonly from: string }

export function createUdp(): UdpIo {
  return {
    async addresses() {
      const all = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
      return all.filter(({ family }) => family === 'IPv4').map(({ address }) => address)
    },
    open(address, signal) {
      return new Promise<UdpSocket>((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason)
        const socket = createSocket({ type: 'udp4' })
        const end = (): void => {
          socket.close()
          reject(signal.reason)
        }
        socket.once('error', (cause) => {
          signal.removeEventListener('abort', end)
          socket.close()
          reject(lost(`no UDP socket on ${address ?? 'any address'}`, cause))
        })
        signal.addEventListener('abort', end, { once: true })
        socket.bind(0, address, () => {
          signal.removeEventListener('abort', end)
          socket.removeAllListeners('error')
          resolve(new Ears(socket, address, signal))
        })
      })
    },
  }
}

class Ears implements UdpSocket {
  readonly #socket: Socket
  readonly #waiting: Datagram[] = []
  /** Each is called once, when a datagram came or the socket is gone. */
  readonly #listeners = new Set<() => void>()
  #gone: unknown

  constructor(socket: Socket, address: string | undefined, signal: AbortSignal) {
    this.#socket = socket
    // Probes go out on this interface, and not on the one that the routing table prefers.
    if (address !== undefined) socket.setMulticastInterface(address)
    socket.on('message', (bytes, { address: from, port }) => {
      this.#waiting.push({ bytes, from: `${from}:${port}` })
      if (this.#waiting.length > WAITING_MAX) this.#waiting.shift()
      this.#wake()
    })
    const end = (reason: unknown): void => {
      if (this.#gone !== undefined) return
      this.#gone = reason
      signal.removeEventListener('abort', onAbort)
      socket.close()
      this.#wake()
    }
    const onAbort = (): void => end(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    socket.on('error', (cause) => end(lost('the UDP socket is gone', cause)))
    if (signal.aborted) onAbort()
  }

  async send(bytes: Uint8Array, port: number, host: string): Promise<void> {
    if (this.#gone !== undefined) throw this.#gone
    await new Promise<void>((sent, failed) => {
      this.#socket.send(bytes, port, host, (error) =>
        error === null || error === undefined ? sent() : failed(lost(`nothing can be sent to ${host}:${port}`, error)),
      )
    })
  }

  async receive(untilMonoMs: number): Promise<Datagram | undefined> {
    if (this.#waiting.length === 0 && this.#gone === undefined) {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          clearTimeout(timer)
          this.#listeners.delete(done)
          resolve()
        }
        const timer = setTimeout(done, Math.max(0, Math.ceil(untilMonoMs - performance.now())))
        this.#listeners.add(done)
      })
    }
    const datagram = this.#waiting.shift()
    if (datagram === undefined && this.#gone !== undefined) throw this.#gone
    return datagram
  }

  #wake(): void {
    for (const listener of [...this.#listeners]) listener()
  }
}

function lost(what: string, cause: Error): Fault {
  return new Fault('connection', `${what}: ${cause.message}`, { code: 'udp', cause })
}
