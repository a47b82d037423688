import { onvif } from '../../../../drivers/onvif/onvif.ts'
import type { Host } from '../../../../gateway/contract/driver.ts'
import type { Seen } from '../../../../gateway/contract/event.ts'
import { Fault, isFault } from '../../../../gateway/contract/fault.ts'
import type { HttpIo, HttpRequest, Io } from '../../../../gateway/contract/io.ts'
import type { Log } from '../../../../gateway/contract/log.ts'
import { actionFor, WELL_AFTER_MS } from '../../../../gateway/core/policy.ts'
import { type CameraOptions, SimulatedCamera } from '../../../../hardware-sim/camera/camera.ts'
import { directHttp } from '../../../../hardware-sim/camera/direct-http.ts'
import { VirtualClock } from '../../../../hardware-sim/clock.ts'
import { seededRandom } from '../../../../hardware-sim/random.ts'

const silent: Log = { debug() {}, info() {}, warn() {}, error() {}, with: () => silent }
export const CAMERA_HOST = '192.0.2.7'
const STEP_MS = 100

export interface RigOptions {
  readonly camera?: Partial<CameraOptions>
  readonly options?: Readonly<Record<string, unknown>>
  readonly password?: string
  /** Whoever answers at the address of the settings in place of a camera. */
  readonly http?: HttpIo
}

/** A camera and the driver, supervised as the hub does it, in a time that passes when told to. */
export class Rig {
  readonly clock = new VirtualClock()
  readonly seen: Seen[] = []
  readonly faults: Fault[] = []
  readonly marks: (string | undefined)[] = []
  /** Every request that was made, in order. */
  readonly asked: HttpRequest[] = []
  readonly camera: SimulatedCamera
  password: string
  figures: Readonly<Record<string, number>> = {}
  readonly #world = new AbortController()
  readonly #ending = new AbortController()
  readonly #random = seededRandom(7)
  readonly #http: HttpIo
  readonly #options: ReturnType<typeof onvif.options.parse>
  #done: Promise<void> | undefined

  constructor({ camera = {}, options = {}, password = 'lobby', http }: RigOptions = {}) {
    const place = { host: CAMERA_HOST, port: 80, username: 'hub', password: 'lobby' }
    const parts = { clock: this.clock, random: seededRandom(5), signal: this.#world.signal }
    this.camera = new SimulatedCamera({ ...place, ...parts, ...camera })
    this.password = password
    const direct = http ?? directHttp(this.clock, (at) => (at === CAMERA_HOST ? this.camera : undefined))
    this.#http = {
      request: (request, signal) => {
        this.asked.push(request)
        return direct.request(request, signal)
      },
    }
    const settings = { host: CAMERA_HOST, username: 'hub', password: { secret: 'cam' }, ...options }
    this.#options = onvif.options.parse({ onvif: settings })
  }

  /** One life of the driver; resolves with the Fault that ended it, with undefined after `stop`. */
  async live(): Promise<Fault | undefined> {
    const io = { http: this.#http, random: this.#random, secrets: { load: async () => this.password } }
    const life = new AbortController()
    const host: Host<ReturnType<typeof onvif.options.parse>> = {
      connection: 'cam-lobby',
      options: this.#options,
      signal: AbortSignal.any([this.#ending.signal, life.signal]),
      clock: this.clock,
      log: silent,
      io: io as unknown as Io,
      emit: async (batch) => void this.seen.push(...batch),
      mark: (_device, fault) => {
        if (this.marks.at(-1) !== fault?.code || this.marks.length === 0) this.marks.push(fault?.code)
      },
      serve() {},
      show() {},
      keep: (_name, make) => make(),
      lastReading: () => undefined,
      figures: (values) => {
        this.figures = values
      },
    }
    try {
      await onvif.run(host)
      return undefined
    } catch (error) {
      if (this.#ending.signal.aborted) return undefined
      if (!isFault(error)) throw error
      this.faults.push(error)
      return error
    } finally {
      life.abort(new Fault('connection', 'this life is over'))
    }
  }

  /** Run it under the policy of the supervisor until `stop`. */
  supervise(): void {
    this.#done = this.#run()
  }

  async #run(): Promise<void> {
    for (let attempt = 0; !this.#ending.signal.aborted; attempt++) {
      const startedMs = this.clock.monoMs()
      const fault = await this.live()
      if (fault === undefined) return
      if (this.clock.monoMs() - startedMs >= WELL_AFTER_MS) attempt = 0
      const action = actionFor(fault.reach, attempt, this.#random.next())
      if (action.kind === 'park') return
      await this.clock.sleep(action.afterMs, this.#ending.signal).catch(() => undefined)
    }
  }

  async stop(): Promise<void> {
    this.#ending.abort(new Fault('connection', 'stopped'))
    await this.clock.advance(2000)
    await this.#done
    this.#world.abort(new Error('over'))
  }

  advance(ms: number): Promise<void> {
    return this.clock.advance(ms)
  }

  /** Let time pass until this holds. @returns how long it took, in steps of 100 ms */
  async until(what: () => boolean, maxMs = 60_000): Promise<number> {
    const startedMs = this.clock.monoMs()
    while (!what()) {
      if (this.clock.monoMs() - startedMs > maxMs) throw new Error(`not within ${maxMs} ms`)
      await this.clock.advance(STEP_MS)
    }
    return this.clock.monoMs() - startedMs
  }

  of(type: string): Seen[] {
    return this.seen.filter((event) => event.type === type)
  }

  /** Active and initial of each motion event, such as `moves`, `still (initial)`. */
  motions(): string[] {
    return this.of('linli.camera.motion').map(
      ({ data }) => `${data.active === true ? 'moves' : 'still'}${data.initial === true ? ' (initial)' : ''}`,
    )
  }

  blind(): Seen['data'][] {
    return this.of('linli.camera.blind').map(({ data }) => data)
  }
}
