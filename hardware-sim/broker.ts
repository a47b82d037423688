import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { Aedes } from 'aedes'
import type { Clock } from '../gateway/contract/clock.ts'
import { DeliveryRecord } from './delivery-record.ts'

/** MQTT 3.1 asked for at most 23 characters; 3.1.1 lets a broker take more, and hubs have longer names. */
const CLIENT_ID_CHARACTERS_MAX = 256

/**
 * `well`: as it should be. `mute`: takes connections and never says a word. `withhold`: takes messages and
 * confirms none. `slow`: confirms each after `pubackMs`. `refuse`: lets nobody log in.
 */
export type BrokerManner =
  | { readonly kind: 'well' | 'mute' | 'withhold' | 'refuse' }
  | { readonly kind: 'slow'; readonly pubackMs: number }

export interface BrokerOptions {
  readonly clock: Clock
  readonly host?: string
  /** 0: whichever is free. */
  readonly port?: number
  /** Who may log in, by user name; left out, everybody. */
  readonly users?: Readonly<Record<string, string>>
}

/** The platform at the other end: an MQTT 3.1.1 broker that keeps account, and can be cut off and brought back. */
export class Broker {
  readonly record = new DeliveryRecord()
  readonly host: string
  readonly #options: BrokerOptions
  readonly #aedes: Aedes
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #pending = new Set<() => void>()
  #manner: BrokerManner = { kind: 'well' }
  #port: number

  private constructor(options: BrokerOptions, aedes: Aedes) {
    this.#options = options
    this.#aedes = aedes
    this.host = options.host ?? '127.0.0.1'
    this.#port = options.port ?? 0
    this.#server = createServer({ noDelay: true }, (socket) => this.#accept(socket))
    aedes.authenticate = (_client, username, password, done) => done(null, this.#knows(username, password?.toString()))
    aedes.authorizePublish = (client, packet, done) => {
      if (client === null || packet.topic.startsWith('$SYS/')) {
        done(client === null ? null : new Error('$SYS/ topics are reserved'))
        return
      }
      this.record.add(packet.topic, Buffer.from(packet.payload))
      this.#confirm(done)
    }
  }

  static async start(options: BrokerOptions): Promise<Broker> {
    const aedes = await Aedes.createBroker({ maxClientsIdLength: CLIENT_ID_CHARACTERS_MAX })
    const broker = new Broker(options, aedes)
    try {
      await broker.restore()
    } catch (error) {
      // Its heartbeat would keep the process alive.
      await new Promise<void>((resolve) => aedes.close(resolve))
      throw error
    }
    return broker
  }

  get port(): number {
    return this.#port
  }

  get url(): string {
    return `mqtt://${this.host}:${this.#port}`
  }

  get connections(): number {
    return this.#sockets.size
  }

  get cutOff(): boolean {
    return !this.#server.listening
  }

  behave(manner: BrokerManner): void {
    this.#manner = manner
  }

  /** Every connection is dropped and the port closed, as when the Internet is gone. */
  async cut(): Promise<void> {
    if (!this.#server.listening) return
    const closed = new Promise((resolve) => this.#server.close(resolve))
    for (const socket of this.#sockets) socket.destroy()
    for (const cancel of this.#pending) cancel()
    this.#pending.clear()
    await closed
  }

  /** Listen again, on the same port; retained messages and sessions are still there. */
  async restore(): Promise<void> {
    if (this.#server.listening) return
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(this.#port, this.host, () => {
        this.#server.off('error', reject)
        resolve()
      })
    })
    this.#port = (this.#server.address() as AddressInfo).port
  }

  /** Say something to whoever has subscribed, such as a command to the hub. */
  publish(topic: string, payload: string, options: { readonly qos?: 0 | 1; readonly retain?: boolean } = {}) {
    const { qos = 1, retain = false } = options
    return new Promise<void>((resolve, reject) => {
      this.#aedes.publish({ cmd: 'publish', topic, payload, qos, retain, dup: false }, (error) =>
        error ? reject(error) : resolve(),
      )
    })
  }

  async close(): Promise<void> {
    await this.cut()
    await new Promise<void>((resolve) => this.#aedes.close(resolve))
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('close', () => this.#sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    if (this.#manner.kind === 'mute') socket.resume()
    else this.#aedes.handle(socket)
  }

  #knows(username: string | undefined, password: string | undefined): boolean {
    if (this.#manner.kind === 'refuse') return false
    const { users } = this.#options
    return users === undefined || (username !== undefined && users[username] === password)
  }

  #confirm(done: () => void): void {
    if (this.#manner.kind === 'withhold') return
    if (this.#manner.kind !== 'slow') {
      done()
      return
    }
    const cancel = this.#options.clock.after(this.#manner.pubackMs, () => {
      this.#pending.delete(cancel)
      done()
    })
    this.#pending.add(cancel)
  }
}
