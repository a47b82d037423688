import type { Random } from '../../gateway/contract/io.ts'
import { type Dial, type Link, LinkLost } from '../../gateway/upstream/link.ts'
import type { VirtualClock } from '../../hardware-sim/clock.ts'

export interface BrokerManners {
  /** Of a thousand publishes so many are acknowledged never, or refused with a reason that passes. */
  lostPerMille: number
  refusedPerMille: number
  latencyMs: number
  /** What it does about an event that it can't read. */
  poison: 'refuse' | 'close'
}

/** What the platform has now, told just before it says so. */
export interface Platform {
  event(epoch: string, seq: number): void
  gap(epoch: string, gap: { readonly fromSeq: number; readonly toSeq: number; readonly reason: string }): void
}

/** An event with this in its body is one that the platform never takes. */
export const POISON = 'poison'
const [QUOTA_EXCEEDED, PAYLOAD_INVALID] = [0x97, 0x99]

/** A platform that is there or not, loses acknowledgements, refuses for a while, and some events for good. */
export class SimulatedBroker {
  readonly manners: BrokerManners = { lostPerMille: 0, refusedPerMille: 0, latencyMs: 50, poison: 'refuse' }
  readonly #clock: VirtualClock
  readonly #random: Random
  readonly #platform: Platform
  readonly #links = new Set<() => void>()
  #down = false

  constructor(clock: VirtualClock, random: Random, platform: Platform) {
    this.#clock = clock
    this.#random = random
    this.#platform = platform
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
        const poison = payload.includes(`"${POISON}"`)
        // Whoever closes does so as soon as he sees it: what was sent behind it he has not read.
        const closes = poison && this.manners.poison === 'close'
        this.#clock.after(closes ? 0 : this.manners.latencyMs * this.#random.next(), () => {
          if (over) return
          if (closes) return cut()
          const chance = this.#random.next() * 1000
          if (chance < this.manners.refusedPerMille)
            return settled({ reasonCode: QUOTA_EXCEEDED, message: 'quota exceeded' })
          if (poison) return settled({ reasonCode: PAYLOAD_INVALID, message: 'payload format invalid' })
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
    const event = JSON.parse(payload.toString())
    if (event.linliseq !== undefined) this.#platform.event(event.id.split('/')[1], event.linliseq)
    else if (event.type === 'linli.log.gap') this.#platform.gap(event.data.epoch, event.data)
  }
}
