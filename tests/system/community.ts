import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HubClient } from '../../hardware-sim/demo/client.ts'
import {
  changeSettings,
  createToken,
  freePort,
  type HubOptions,
  HubProcess,
  type PlainSettings,
} from '../../hardware-sim/demo/hub.ts'
import { Simulator } from '../../hardware-sim/demo/simulator.ts'
import { eventually } from './eventually.ts'

const START_MS = 15_000
/** Readings wait so long for each other here: by default it is a second, which is longer than most tests look. */
const GATHER = '50ms'

/** A simulated world, a settings file that fits it, and hubs that are started and ended as processes of their own. */
export class Community {
  readonly folder: string
  readonly simulator: Simulator
  readonly client: HubClient
  readonly logFile: string
  #hub: HubProcess | undefined

  private constructor(folder: string, simulator: Simulator, client: HubClient) {
    this.folder = folder
    this.simulator = simulator
    this.client = client
    this.logFile = join(folder, 'hub.log')
  }

  /**
   * @param scenario as `npm run sim -- --scenario` takes it; the hub's interface gets a port of its own
   * @param change what shall be other in the settings than the simulator writes them
   */
  static async start(
    scenario: object,
    change: (settings: PlainSettings) => PlainSettings = (settings) => settings,
  ): Promise<Community> {
    const folder = mkdtempSync(join(tmpdir(), 'linli-system-'))
    const listen = `127.0.0.1:${await freePort()}`
    const simulator = await Simulator.start(folder, { ...scenario, api: { listen } })
    changeSettings(simulator.ready.settings, (settings) => change(gatheringShortly(settings)))
    const token = await createToken(simulator.ready.settings, 'property')
    return new Community(folder, simulator, new HubClient(`http://${listen}`, token))
  }

  get settings(): string {
    return this.simulator.ready.settings
  }

  get database(): string {
    return join(this.folder, 'var/hub.db')
  }

  /** A new process on the same settings and the same log; it may not listen yet. */
  spawnHub(options: Partial<HubOptions> = {}): HubProcess {
    this.#hub = new HubProcess({ settings: this.settings, logFile: this.logFile, ...options })
    return this.#hub
  }

  /** The same, once it answers. */
  async startHub(options: Partial<HubOptions> = {}): Promise<HubProcess> {
    const hub = this.spawnHub(options)
    await eventually(
      async () => {
        if (!hub.child.running) throw new Error(`the hub has ended:\n${hub.child.tail()}`)
        return (await this.client.health().catch(() => undefined)) !== undefined
      },
      START_MS,
      `the hub answers; it said:\n${hub.child.tail()}`,
    )
    return hub
  }

  /** Wait until the platform has every event of the log as it is now, and say what it has. */
  async delivered(limitMs = 30_000): ReturnType<Simulator['deliveries']> {
    const { lastSeq } = (await this.client.health()).log
    return eventually(
      async () => {
        const platform = await this.simulator.deliveries()
        return platform.missing === 0 && (platform.lastSeq ?? 0) >= lastSeq ? platform : undefined
      },
      limitMs,
      `the platform gets everything up to ${lastSeq}`,
    )
  }

  async end(): Promise<void> {
    this.#hub?.child.kill('SIGKILL')
    await this.#hub?.child.ended.catch(() => undefined)
    await this.simulator.end()
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 3 })
  }
}

function gatheringShortly(settings: PlainSettings): PlainSettings {
  return { ...settings, storage: { ...(settings.storage as object | undefined), gather: GATHER } }
}

/** `count` meters on one Modbus TCP host, each read every `every`. */
export function tcpMeters(count: number, every: string): object {
  const meters = Array.from({ length: count }, (_, index) => ({ id: `meter-${index + 1}`, address: index + 1, every }))
  return { id: 'plant', meters, turnaroundMs: 0 }
}
