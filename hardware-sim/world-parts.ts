import { chmodSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../gateway/contract/clock.ts'
import type { Random } from '../gateway/contract/io.ts'
import { Broker } from './broker.ts'
import { CameraPower } from './camera-power.ts'
import { type DoorPanel, startDoorPanel } from './door-panel.ts'
import { ModbusTcpHost } from './modbus-tcp.ts'
import { PtyLine } from './pty-line.ts'
import type { Scenario } from './scenario.ts'
import { makeLineMeter, makeModbusMeter } from './scenario-meter.ts'
import type { CameraLogin, WorldAddresses } from './settings-file.ts'

export interface PartsOptions {
  readonly scenario: Scenario
  readonly folder: string
  readonly clock: Clock
  readonly random: Random
}

/** The things of a world themselves, so that a start that fails half-way can end what it had begun. */
export class Parts {
  readonly lines = new Map<string, PtyLine>()
  readonly hosts = new Map<string, ModbusTcpHost>()
  readonly login: CameraLogin
  readonly #end = new AbortController()
  #doorSocket: string | undefined
  door: DoorPanel | undefined
  camera: CameraPower | undefined
  broker: Broker | undefined

  constructor(random: Random) {
    this.login = { username: 'linli', password: Buffer.from(random.bytes(12)).toString('base64url') }
  }

  async start({ scenario, folder, clock, random }: PartsOptions): Promise<void> {
    const { signal } = this.#end
    mkdirSync(join(folder, 'lines'), { recursive: true })
    chmodSync(folder, 0o700)
    for (const { id, baud, parity, stopBits, strict, meters, fault } of scenario.lines) {
      const settings = { baud, dataBits: 8, parity, stopBits } as const
      const line = new PtyLine(join(folder, 'lines', id), { clock, random, settings, strict })
      this.lines.set(id, line)
      for (const meter of meters) {
        line.line.attach(makeLineMeter(meter, { clock, seed: scenario.seed, settings }))
        line.line.setFault(meter.id, meter.fault)
      }
      line.line.setFault(undefined, fault)
    }
    for (const { id, port, turnaroundMs, meters } of scenario.modbusTcp) {
      const made = meters.map((meter) => makeModbusMeter(meter, { clock, seed: scenario.seed }))
      const host = await ModbusTcpHost.start({ clock, random, port, turnaroundMs, meters: made })
      this.hosts.set(id, host)
      for (const meter of meters) host.setFault(meter.id, meter.fault)
    }
    if (scenario.door !== false) {
      const socketPath = join(folder, 'door.sock')
      this.#doorSocket = socketPath
      // One that was left by a simulator that was killed.
      rmSync(socketPath, { force: true })
      this.door = await startDoorPanel({ socketPath, clock, random, signal })
    }
    if (scenario.camera !== false) {
      this.camera = await CameraPower.start({ ...this.login, port: scenario.camera.port, clock, random, signal })
    }
    if (scenario.broker !== false) this.broker = await Broker.start({ clock, port: scenario.broker.port })
  }

  /** Where each is to be found. */
  addresses({ door, camera, broker }: Scenario): WorldAddresses {
    return {
      lines: [...this.lines].map(([id, { path }]) => ({ id, path })),
      modbusTcp: [...this.hosts].map(([id, { host, port }]) => ({ id, host, port })),
      ...(door === false ? {} : { door: { id: door.id, chip: `sim:${this.#doorSocket}` } }),
      ...(camera === false ? {} : { camera: { id: camera.id, host: '127.0.0.1', port: this.camera!.port } }),
      ...(broker === false ? {} : { broker: { id: broker.id, url: this.broker!.url } }),
    }
  }

  async close(): Promise<void> {
    this.#end.abort(new Error('the world ends'))
    for (const line of this.lines.values()) line.close()
    await Promise.all([...this.hosts.values()].map((host) => host.cut()))
    await this.camera?.cut()
    await this.broker?.close()
  }
}
