import type { AddressInfo } from 'node:net'
import { createServer, type Server, type Socket } from 'node:net'
import type { Clock } from '../gateway/contract/clock.ts'
import type { Random } from '../gateway/contract/io.ts'
import { FaultSlot, type InjectedFault } from './fault.ts'
import { exception, type ModbusMeter } from './modbus-meter.ts'

/* MODBUS Messaging on TCP/IP Implementation Guide V1.0b, 3.1.3: transaction, protocol 0, length, unit. */
const HEADER_BYTES = 7
/** Unit identifier and a PDU of at most 253 bytes. */
const LENGTH_MAX = 254
/** Modbus Application Protocol V1.1b3, section 7: what a gateway says for a unit that is not there. */
const GATEWAY_TARGET_SILENT = 0x0b

export interface ModbusTcpOptions {
  readonly clock: Clock
  readonly random: Random
  readonly meters: readonly ModbusMeter[]
  readonly host?: string
  /** 0: whichever is free. */
  readonly port?: number
  /** From the request to its answer; requests in flight wait side by side. */
  readonly turnaroundMs?: number
}

export interface ModbusTcpStatistics {
  readonly requests: number
  readonly answers: number
  readonly answersByMeter: Readonly<Record<string, number>>
  readonly connections: number
}

/** A Modbus TCP host with some meters behind it, told apart by unit identifier. */
export class ModbusTcpHost {
  readonly host: string
  readonly #options: ModbusTcpOptions
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #slots = new Map<string, FaultSlot>()
  readonly #hostSlot = new FaultSlot()
  #port: number
  #requests = 0
  readonly #answers = new Map<string, number>()
  readonly #pending = new Set<() => void>()

  private constructor(options: ModbusTcpOptions) {
    this.#options = options
    this.host = options.host ?? '127.0.0.1'
    this.#port = options.port ?? 0
    for (const meter of options.meters) this.#slots.set(meter.id, new FaultSlot())
    this.#server = createServer({ noDelay: true }, (socket) => this.#serve(socket))
  }

  static async start(options: ModbusTcpOptions): Promise<ModbusTcpHost> {
    const host = new ModbusTcpHost(options)
    await host.restore()
    return host
  }

  get port(): number {
    return this.#port
  }

  get meters(): readonly ModbusMeter[] {
    return this.#options.meters
  }

  statistics(): ModbusTcpStatistics {
    const answers = [...this.#answers.values()].reduce((sum, count) => sum + count, 0)
    const answersByMeter = Object.fromEntries(this.#answers)
    return { requests: this.#requests, answers, answersByMeter, connections: this.#sockets.size }
  }

  /** @param meter its id; undefined: every meter of this host. */
  setFault(meter: string | undefined, fault: InjectedFault | undefined): void {
    const slot = meter === undefined ? this.#hostSlot : this.#slots.get(meter)
    if (slot === undefined) throw new Error(`no meter ${meter} on this host; there are ${[...this.#slots.keys()]}`)
    slot.set(fault)
  }

  /** Every connection is dropped and the port closed. */
  async cut(): Promise<void> {
    if (!this.#server.listening) return
    const closed = new Promise((resolve) => this.#server.close(resolve))
    for (const socket of this.#sockets) socket.destroy()
    for (const cancel of this.#pending) cancel()
    this.#pending.clear()
    await closed
  }

  /** Listen again, on the same port. */
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

  #serve(socket: Socket): void {
    this.#sockets.add(socket)
    let unread: Buffer = Buffer.alloc(0)
    socket.on('close', () => this.#sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    socket.on('data', (bytes: Buffer) => {
      unread = unread.length === 0 ? bytes : Buffer.concat([unread, bytes])
      while (unread.length >= HEADER_BYTES) {
        const length = unread.readUInt16BE(4)
        // A stream that has lost its place can't find it again.
        if (unread.readUInt16BE(2) !== 0 || length < 2 || length > LENGTH_MAX) {
          socket.destroy()
          return
        }
        if (unread.length < 6 + length) break
        this.#answer(socket, unread.subarray(0, 6 + length))
        unread = unread.subarray(6 + length)
      }
    })
  }

  #answer(socket: Socket, request: Buffer): void {
    this.#requests += 1
    const unit = request[6]!
    const pdu = request.subarray(HEADER_BYTES)
    const meter = this.#options.meters.find((one) => one.unit === unit)
    const draw = (): number => this.#options.random.next()
    const slot = meter === undefined ? undefined : this.#slots.get(meter.id)
    const fault = slot?.take(draw) ?? this.#hostSlot.take(draw)
    if (fault?.kind === 'silence') return
    const right = meter === undefined ? exception(pdu[0]!, GATEWAY_TARGET_SILENT) : meter.pdu(pdu)
    const body = fault?.kind === 'refuse' ? exception(pdu[0]!, fault.code) : right
    const transaction = (request.readUInt16BE(0) + (fault?.kind === 'wrong-transaction' ? 1 : 0)) & 0xffff
    const answer = tcpFrame(transaction, fault?.kind === 'wrong-unit' ? fault.unit : unit, body)
    const delayMs = (this.#options.turnaroundMs ?? 0) + (fault?.kind === 'late' ? fault.byMs : 0)
    const who = meter?.id ?? `unit ${unit}`
    if (fault?.kind !== 'half') {
      this.#later(socket, answer, delayMs, who)
      return
    }
    const half = answer.length >> 1
    this.#later(socket, answer.subarray(0, half), delayMs, undefined)
    if (fault.restAfterMs !== undefined) {
      this.#later(socket, answer.subarray(half), delayMs + fault.restAfterMs, who)
    }
  }

  /** @param who whose answer is whole with these bytes */
  #later(socket: Socket, bytes: Uint8Array, delayMs: number, who: string | undefined): void {
    const write = (): void => {
      if (socket.destroyed) return
      if (who !== undefined) this.#answers.set(who, (this.#answers.get(who) ?? 0) + 1)
      socket.write(bytes)
    }
    if (delayMs === 0) {
      write()
      return
    }
    const cancel = this.#options.clock.after(delayMs, () => {
      this.#pending.delete(cancel)
      write()
    })
    this.#pending.add(cancel)
  }
}

function tcpFrame(transaction: number, unit: number, pdu: Uint8Array): Buffer {
  const frame = Buffer.alloc(HEADER_BYTES + pdu.length)
  frame.writeUInt16BE(transaction, 0)
  frame.writeUInt16BE(pdu.length + 1, 4)
  frame[6] = unit
  frame.set(pdu, HEADER_BYTES)
  return frame
}
