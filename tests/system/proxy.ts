import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** An MQTT control packet, whole, as it stands on the wire (MQTT 5, 2.1). */
export interface Packet {
  /** High half of the first byte: 1 CONNECT, 2 CONNACK, 3 PUBLISH, 4 PUBACK, 14 DISCONNECT. */
  readonly kind: number
  readonly bytes: Buffer
}

export const CONNECT = 1
export const PUBLISH = 3
export const PUBACK = 4

/** What becomes of a packet: itself, others in its place, or nothing. */
export type Mangle = (packet: Packet) => readonly Buffer[]

const asItIs: Mangle = ({ bytes }) => [bytes]

/**
 * A TCP proxy that stands between a client and a broker and does what networks do: it cuts, it falls silent while
 * both ends believe that the connection stands, it loses and repeats packets. It keeps account of what passed.
 */
export class MqttProxy {
  /** Event ids in PUBLISH packets that reached the broker, in order, repetitions included. */
  readonly published: string[] = []
  /** Event ids whose PUBACK reached the client. */
  readonly acknowledged = new Set<string>()
  /** The most that the client had in flight on one connection. */
  inFlightMax = 0
  connections = 0
  toClient: Mangle = asItIs
  toBroker: Mangle = asItIs
  readonly #server: Server
  readonly #target: { host: string; port: number }
  readonly #pairs = new Set<{ client: Socket; broker: Socket }>()
  #stalled = false

  private constructor(target: { host: string; port: number }) {
    this.#target = target
    this.#server = createServer({ noDelay: true }, (client) => this.#accept(client))
  }

  static async start(port: number, host = '127.0.0.1'): Promise<MqttProxy> {
    const proxy = new MqttProxy({ host, port })
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  get url(): string {
    return `mqtt://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Publishes that repeat an id. */
  get duplicates(): number {
    return this.published.length - new Set(this.published).size
  }

  /** Every connection is reset, as by a router that was restarted. */
  cut(): void {
    for (const { client, broker } of this.#pairs) {
      client.resetAndDestroy()
      broker.resetAndDestroy()
    }
  }

  /** From now on nothing passes, in either direction, and nobody is told: a half-open connection. */
  stall(on: boolean): void {
    this.#stalled = on
    if (!on) this.cut()
  }

  async close(): Promise<void> {
    this.cut()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }

  #accept(client: Socket): void {
    this.connections += 1
    const broker = connect({ ...this.#target, noDelay: true })
    const pair = { client, broker }
    this.#pairs.add(pair)
    const inFlight = new Map<number, string>()
    const end = (): void => {
      this.#pairs.delete(pair)
      client.destroy()
      broker.destroy()
    }
    for (const socket of [client, broker]) {
      socket.on('error', () => undefined)
      socket.on('close', end)
    }
    const onward = splitter((packet) => {
      this.#note(packet, inFlight)
      for (const bytes of this.toBroker(packet)) broker.write(bytes)
    })
    const back = splitter((packet) => {
      for (const bytes of this.toClient(packet)) {
        if (bytes[0]! >> 4 === PUBACK) this.#settle(bytes, inFlight)
        client.write(bytes)
      }
    })
    client.on('data', (bytes) => this.#stalled || onward(bytes))
    broker.on('data', (bytes) => this.#stalled || back(bytes))
  }

  #note(packet: Packet, inFlight: Map<number, string>): void {
    const event = packet.kind === PUBLISH ? eventOf(packet.bytes) : undefined
    if (event === undefined) return
    this.published.push(event.id)
    inFlight.set(event.packetId, event.id)
    this.inFlightMax = Math.max(this.inFlightMax, inFlight.size)
  }

  #settle(bytes: Buffer, inFlight: Map<number, string>): void {
    const packetId = bytes.readUInt16BE(2)
    const id = inFlight.get(packetId)
    inFlight.delete(packetId)
    const reasonCode = bytes.length > 4 ? bytes[4]! : 0
    if (id !== undefined && reasonCode < 0x80) this.acknowledged.add(id)
  }
}

/** Cuts a stream into packets: a byte of kind, the length of the rest in one to four bytes, the rest. */
function splitter(give: (packet: Packet) => void): (bytes: Buffer) => void {
  let held: Buffer = Buffer.alloc(0)
  return (bytes) => {
    held = held.length === 0 ? bytes : Buffer.concat([held, bytes])
    for (;;) {
      const size = packetSize(held)
      if (size === undefined || held.length < size) return
      give({ kind: held[0]! >> 4, bytes: held.subarray(0, size) })
      held = held.subarray(size)
    }
  }
}

function packetSize(bytes: Buffer): number | undefined {
  let length = 0
  for (let index = 1; index <= 4; index++) {
    const byte = bytes[index]
    if (byte === undefined) return undefined
    length += (byte & 0x7f) * 128 ** (index - 1)
    if ((byte & 0x80) === 0) return 1 + index + length
  }
  throw new Error('no MQTT packet: the length has more than four bytes')
}

/** The CloudEvent in a PUBLISH of QoS 1, by its id and its packet identifier; undefined for other messages. */
export function eventOf(publish: Buffer): { id: string; packetId: number } | undefined {
  let at = 1
  while ((publish[at]! & 0x80) !== 0) at += 1
  const topicBytes = publish.readUInt16BE(at + 1)
  const packetId = publish.readUInt16BE(at + 3 + topicBytes)
  const id = /"id":"([^"]+)"/.exec(publish.toString('latin1'))?.[1]
  return id === undefined ? undefined : { id, packetId }
}
