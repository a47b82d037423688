import { gpioDoor } from '../../../../drivers/gpio-door/gpio-door.ts'
import type { Clock } from '../../../../gateway/contract/clock.ts'
import type { Command, Outcome } from '../../../../gateway/contract/command.ts'
import type { Host } from '../../../../gateway/contract/driver.ts'
import type { Seen } from '../../../../gateway/contract/event.ts'
import { type Fault, isFault } from '../../../../gateway/contract/fault.ts'
import type { GpioIo, Io } from '../../../../gateway/contract/io.ts'
import type { Log } from '../../../../gateway/contract/log.ts'
import { VirtualClock } from '../../../../hardware-sim/clock.ts'
import { directGpio } from '../../../../hardware-sim/direct-gpio.ts'
import { DOOR_LINES, DoorPanel } from '../../../../hardware-sim/door-panel.ts'
import { seededRandom } from '../../../../hardware-sim/random.ts'

const silent: Log = { debug() {}, info() {}, warn() {}, error() {}, with: () => silent }

/** One life of the driver, with everything that it says. */
export class Life {
  readonly seen: Seen[] = []
  readonly marks: (string | undefined)[] = []
  readonly end: Promise<unknown>
  figures: Readonly<Record<string, number>> = {}
  /** While it is set nothing that is said becomes durable. */
  stuck: Promise<void> | undefined
  readonly #handlers = new Map<string, (command: Command) => Promise<Outcome>>()
  readonly #ending = new AbortController()
  readonly #clock: Clock

  constructor(clock: Clock, gpio: GpioIo, options: object) {
    this.#clock = clock
    const host: Host<ReturnType<typeof gpioDoor.options.parse>> = {
      connection: 'gate',
      options: gpioDoor.options.parse({ gpioDoor: options }),
      signal: this.#ending.signal,
      clock,
      log: silent,
      io: { gpio } as unknown as Io,
      emit: async (batch) => {
        this.seen.push(...batch)
        await this.stuck
      },
      mark: (_device, fault) => void this.marks.push(fault?.code),
      serve: (verb, handler) => void this.#handlers.set(verb, handler),
      show() {},
      keep: (_name, make) => make(),
      lastReading: () => undefined,
      figures: (values) => {
        this.figures = values
      },
    }
    this.end = gpioDoor.run(host).then(
      () => 'ended',
      (error: unknown) => (isFault(error) ? `${error.reach}: ${error.code}` : error),
    )
  }

  stop(): Promise<unknown> {
    this.#ending.abort(new Error('stopped') as Fault)
    return this.end
  }

  /** @param withinMs to its deadline */
  async command(verb: 'unlock' | 'lock', withinMs = 1000, expect = {}): Promise<Outcome> {
    const handler = this.#handlers.get(verb)
    if (handler === undefined) throw new Error(`nobody serves ${verb}`)
    const deadlineMonoMs = this.#clock.monoMs() + withinMs
    return handler({ id: 'c1', device: 'gate', verb, arguments: {}, expect, deadlineMonoMs, by: 'property' })
  }

  /** The types of what was said, and the one word that says most. */
  get told(): readonly string[] {
    return this.seen.map(({ type, data }) => {
      const word =
        type === 'linli.door.state' ? data.state : (data.cause ?? data.active ?? data.lost ?? data.count ?? '')
      return `${type.replace(/^linli\./, '')} ${String(word)}`.trim()
    })
  }
}

export const WIRING = { chip: 'sim:direct', ...DOOR_LINES }

/** A door on virtual time: what happens is the same every time. */
export class Rig {
  readonly clock = new VirtualClock()
  readonly panel: DoorPanel
  readonly #world = new AbortController()

  constructor(seed = 1) {
    this.panel = new DoorPanel({ clock: this.clock, random: seededRandom(seed), signal: this.#world.signal })
  }

  /** A driver on this door, once it works. */
  start(more: object = {}): Promise<Life> {
    return this.startWith({ ...WIRING, ...more })
  }

  async startWith(options: object): Promise<Life> {
    const life = new Life(this.clock, directGpio(this.panel.chip, this.clock), options)
    await this.clock.advance(0)
    return life
  }

  /** Let somebody do something, and as much time pass as is given for it. */
  async during<T>(doing: Promise<T>, ms: number): Promise<T> {
    await this.clock.advance(ms)
    return doing
  }
}
