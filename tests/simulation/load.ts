import type { Clock } from '../../gateway/contract/clock.ts'
import type { EventClass, NewEvent } from '../../gateway/contract/event.ts'
import type { Random } from '../../gateway/contract/io.ts'
import { POISON } from './broker.ts'

const DEVICES = 6
const QUARTER_MS = 900_000

/** What the connections of a hub see, one event unlike any other. */
export class Load {
  readonly #clock: Clock
  readonly #random: Random
  readonly #offered: (event: NewEvent, n: number) => void
  #count = 0
  #poisonous = 0
  /** Bodies that the platform never takes. */
  readonly poison = new Set<string>()

  /** @param offered is told of each event, and its number */
  constructor(clock: Clock, random: Random, offered: (event: NewEvent, n: number) => void) {
    this.#clock = clock
    this.#random = random
    this.#offered = offered
  }

  /** So many events to come, which are no readings, are poison for the platform. */
  poisoned(count: number): void {
    this.#poisonous += count
  }

  /** None of those to come is poison. */
  wholesome(): void {
    this.#poisonous = 0
  }

  batch(count: number, name: EventClass): NewEvent[] {
    // Others come each quarter of an hour, so that there is always something that the writer has not heard of.
    const quarter = Math.floor(this.#clock.monoMs() / QUARTER_MS)
    const device = Math.floor(this.#random.next() * DEVICES) + DEVICES * quarter
    return Array.from({ length: count }, () => this.event(name, `devices/${name}-${device}`))
  }

  event(
    name: EventClass,
    source: string,
    type = name === 'telemetry' ? 'linli.meter.reading' : `test.${name}`,
  ): NewEvent {
    const n = ++this.#count
    // Nothing makes noise smaller, so the room is full after some hours, and something is let go of.
    const noise = Buffer.from(this.#random.bytes(Math.floor(this.#random.next() * 200))).toString('base64')
    const event: NewEvent = {
      class: name,
      type,
      source,
      privacy: 'personal',
      monoMs: Math.round((this.#clock.monoMs() - 5 * this.#random.next()) * 1000) / 1000,
      wallMs: Math.floor(this.#clock.wallMs()),
      clock: this.#clock.state(),
      body: JSON.stringify(name === 'telemetry' ? readings(n, noise) : { n, noise, ...this.#poison(n) }),
    }
    if (event.body.includes(`"${POISON}"`)) this.poison.add(event.body)
    this.#offered(event, n)
    return event
  }

  #poison(n: number): Readonly<Record<string, number>> {
    if (this.#poisonous === 0) return {}
    this.#poisonous -= 1
    return { [POISON]: n }
  }
}

function readings(n: number, noise: string) {
  return { points: { n: { v: n }, noise: { v: noise }, energy_import: { v: n / 10, u: 'kWh' } }, quality: 'good' }
}
