import type { Random } from '../../gateway/contract/io.ts'
import { type Dial, type Link, LinkLost } from '../../gateway/upstream/link.ts'
import type { VirtualClock } from '../../hardware-sim/clock.ts'

export interface BrokerManners {
  /** Of a thousand publishes so many are acknowledged never, or refused with a reason that passes. */
  lostPerMille: number
  refusedPerMille: number
  latencyMs: number
}

/** A platform that is there or not, loses acknowledgements, and refuses for a while. */
export class SimulatedBroker {
  readonly manners: BrokerManners = { lostPerMille: 0, refusedPerMille: 0, latencyMs: 50 }
  readonly #clock: VirtualClock
  readonly #random: Random
  readonly #delivered: (place: string) => void
  readonly #links = new Set<() => void>()
  #down = false

  /** @param delivered called with `epoch/place` when the platform keeps an event, just before it says so */
  constructor(clock: VirtualClock, random: Random, delivered: (place: string) => void) {
    this.#clock = clock
    this.#random = random
    this.#delivered = delivered
  }

  set down(down: boolean) {
    this.#down = down
    if (down) for (const cut of [...this.#links]) cut()
  }

  readonly dial: Dial = async (signal) => {
    await this.#clock.sleep(20, signal)
    if (this.#down) throw new LinkLost('nobody answers')
    return this.#link()
  }

  #link(): Link {
    const { promise, resolve } = Promise.withResolvers<LinkLost | undefined>()
    let over = false
    const end = (lost: LinkLost | undefined): void => {
      over = true
      this.#links.delete(cut)
      resolve(lost)
    }
    const cut = (): void => end(new LinkLost('the connection broke'))
    this.#links.add(cut)
    return {
      protocol: 'simulated',
      receiveMaximum: 100,
      packetBytesMax: 1_000_000,
      packetBytes: (topic, bytes) => topic.length + bytes,
      gone: promise,
      publish: (_topic, payload, settled) => {
        this.#clock.after(this.manners.latencyMs * this.#random.next(), () => {
          if (over) return
          const chance = this.#random.next() * 1000
          if (chance < this.manners.refusedPerMille) return settled({ reasonCode: 0x97, message: 'quota exceeded' })
          this.#keep(payload)
          // The acknowledgement is lost with the connection.
          if (chance < this.manners.refusedPerMille + this.manners.lostPerMille) return cut()
          settled(undefined)
        })
      },
      close: async () => end(undefined),
      destroy: () => end(undefined),
    }
  }

  #keep(payload: Buffer): void {
    const { id, linliseq } = JSON.parse(payload.toString()) as { id: string; linliseq?: number }
    if (linliseq !== undefined) this.#delivered(id.split('/').slice(1).join('/'))
  }
}
