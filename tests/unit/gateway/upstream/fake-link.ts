import type { Link, LinkLost, Refusal } from '../../../../gateway/upstream/link.ts'

export interface Published {
  readonly topic: string
  readonly text: string
  /** The id of the CloudEvent. */
  readonly id: string
  readonly settled: (refusal: Refusal | undefined) => void
}

export interface FakeLinkOptions {
  readonly receiveMaximum?: number
  readonly packetBytesMax?: number
}

/** A connection whose other end is the test: it acknowledges, refuses and goes when told to. */
export class FakeLink implements Link {
  readonly protocol = 'MQTT 5'
  readonly receiveMaximum: number
  readonly packetBytesMax: number
  readonly gone: Promise<LinkLost | undefined>
  /** Everything published on this connection, in order. */
  readonly published: Published[] = []
  /** How this connection ended from our side. */
  ended: 'closed' | 'destroyed' | undefined
  /** The most that were in flight at once. */
  inFlightMax = 0
  /** Acknowledges each message after this many milliseconds of a clock; never when undefined. */
  acknowledge: ((published: Published) => void) | undefined
  #waiting = 0
  readonly #going = Promise.withResolvers<LinkLost | undefined>()

  constructor(options: FakeLinkOptions = {}) {
    this.receiveMaximum = options.receiveMaximum ?? 65_535
    this.packetBytesMax = options.packetBytesMax ?? 268_435_460
    this.gone = this.#going.promise
  }

  packetBytes(topic: string, payloadBytes: number): number {
    return topic.length + payloadBytes
  }

  publish(topic: string, payload: Buffer, settled: (refusal: Refusal | undefined) => void): void {
    this.#waiting += 1
    this.inFlightMax = Math.max(this.inFlightMax, this.#waiting)
    const text = payload.toString()
    let open = true
    const published: Published = {
      topic,
      text,
      id: (JSON.parse(text) as { id: string }).id,
      settled: (refusal) => {
        if (open) this.#waiting -= 1
        open = false
        settled(refusal)
      },
    }
    this.published.push(published)
    this.acknowledge?.(published)
  }

  /** The last part of the ids published since `from`: `1`, `2`, `gap-evicted-1-3`. */
  ids(from = 0): string[] {
    return this.published.slice(from).map(({ id }) => id.split('/').at(-1) ?? '')
  }

  /** Acknowledge messages by their index on this connection. */
  ack(...indexes: readonly number[]): void {
    for (const index of indexes) this.#at(index).settled(undefined)
  }

  refuse(index: number, reasonCode: number): void {
    this.#at(index).settled({ reasonCode, message: `reason ${reasonCode}` })
  }

  lose(reason: LinkLost): void {
    this.#going.resolve(reason)
  }

  async close(): Promise<void> {
    this.ended ??= 'closed'
    this.#going.resolve(undefined)
  }

  destroy(): void {
    this.ended ??= 'destroyed'
    this.#going.resolve(undefined)
  }

  #at(index: number): Published {
    const published = this.published[index]
    if (published === undefined) throw new Error(`only ${this.published.length} were published, not ${index + 1}`)
    return published
  }
}
