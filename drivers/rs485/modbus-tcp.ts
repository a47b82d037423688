import type { Driver, Host } from '../../gateway/contract/driver.ts'
import type { Seen } from '../../gateway/contract/event.ts'
import { isFault } from '../../gateway/contract/fault.ts'
import type { Meter } from './meter.ts'
import { checkMeters, loadMeters, Outlet } from './meters.ts'
import { type ModbusTcpOptions, modbusTcpOptions } from './options.ts'
import { ModbusTcpClient } from './tcp-client.ts'

/** Readings of a round that are ready within so long of each other go to the log together. */
const GATHER_MS = 10

/** A Modbus TCP host: several requests in flight, one a unit. */
export const modbusTcp: Driver<ModbusTcpOptions> = {
  kind: 'modbusTcp',
  options: modbusTcpOptions,
  devices: ({ devices }) => devices.map(({ id }) => id),
  check: ({ devices }, io) => checkMeters(devices, io.profiles),

  async run(host) {
    const { host: address, port, timeout, inFlight } = host.options.modbusTcp
    const meters = await loadMeters(host.options.devices, host)
    const wire = await host.io.tcp.dial(address, port, timeout, host.signal)
    try {
      const client = new ModbusTcpClient(wire, timeout, host.clock)
      const outlet = new Outlet(host)
      await Promise.race([client.listen(), new Round(host, client, meters, outlet, inFlight).run(), outlet.broken])
    } finally {
      await wire.close()
    }
  },
}

/** All meters of a host, each when it is due, so many at once as the host takes. */
class Round {
  readonly #host: Host<ModbusTcpOptions>
  readonly #client: ModbusTcpClient
  readonly #meters: readonly Meter[]
  readonly #outlet: Outlet
  readonly #inFlightMax: number
  readonly #polling = new Map<Meter, Promise<void>>()
  #ready: Seen[] = []

  constructor(
    host: Host<ModbusTcpOptions>,
    client: ModbusTcpClient,
    meters: readonly Meter[],
    outlet: Outlet,
    inFlight: number,
  ) {
    this.#host = host
    this.#client = client
    this.#meters = meters
    this.#outlet = outlet
    this.#inFlightMax = inFlight
  }

  async run(): Promise<void> {
    const { clock, signal } = this.#host
    const startMs = clock.monoMs()
    while (!signal.aborted) {
      const idle = this.#meters.filter((meter) => !this.#polling.has(meter)).sort((a, b) => a.nextMs - b.nextMs)
      for (const meter of idle) {
        if (meter.nextMs > clock.monoMs() || this.#polling.size >= this.#inFlightMax) break
        this.#polling.set(meter, this.#poll(meter, startMs))
      }
      const next = idle.find((meter) => !this.#polling.has(meter))
      const restMs =
        next === undefined || this.#polling.size >= this.#inFlightMax ? undefined : next.nextMs - clock.monoMs()
      await this.#wait(restMs)
    }
  }

  /** Until a poll has ended, or until the next meter is due. */
  async #wait(restMs: number | undefined): Promise<void> {
    const { clock, signal } = this.#host
    const ended = [...this.#polling.values()]
    if (restMs === undefined) return void (await Promise.race(ended))
    const turn = new AbortController()
    const due = clock.sleep(Math.max(0, restMs), AbortSignal.any([signal, turn.signal])).catch((reason) => {
      if (signal.aborted) throw reason
    })
    try {
      await Promise.race([due, ...ended])
    } finally {
      turn.abort()
    }
  }

  async #poll(meter: Meter, startMs: number): Promise<void> {
    const { clock, signal } = this.#host
    try {
      this.#give(await meter.poll(this.#client.read.bind(this.#client)))
      this.#host.mark(meter.id, undefined)
      meter.well(clock.monoMs(), startMs)
    } catch (error) {
      if (!isFault(error) || error.reach === 'connection' || signal.aborted) throw error
      if (meter.failed(clock.monoMs())) this.#host.mark(meter.id, error)
    } finally {
      this.#polling.delete(meter)
    }
    this.#host.figures({ ...this.#client.counts })
  }

  #give(seen: Seen): void {
    this.#ready.push(seen)
    if (this.#ready.length > 1) return
    this.#host.clock.after(GATHER_MS, () => {
      this.#outlet.send(this.#ready)
      this.#ready = []
    })
  }
}
