import type { Clock } from '../gateway/contract/clock.ts'
import type { Random } from '../gateway/contract/io.ts'
import type { Broker } from './broker.ts'
import type { CameraPower } from './camera-power.ts'
import { command as commandSchema, type WorldCommand } from './command.ts'
import type { DoorPanel } from './door-panel.ts'
import type { InjectedFault } from './fault.ts'
import { live } from './life.ts'
import type { ModbusTcpHost } from './modbus-tcp.ts'
import type { PtyLine } from './pty-line.ts'
import type { Scenario } from './scenario.ts'
import { type WorldAddresses, writeSettings } from './settings-file.ts'
import { Parts } from './world-parts.ts'

export interface WorldOptions {
  readonly scenario: Scenario
  /** Must be there; everything that the world writes goes below it. */
  readonly folder: string
  readonly clock: Clock
  readonly random: Random
  /** Told of each command of the scenario's script when it was carried out. */
  readonly scripted?: (what: WorldAnswer) => void
}

type DoorAct = Extract<WorldCommand, { readonly do: 'door' }>['act']

/** The answer to a command: what it asked for, or an empty object. */
export type WorldAnswer = Readonly<Record<string, unknown>>

/** Everything outside of the hub, on ports and sockets of this machine, and the settings file that points at it. */
export class World {
  readonly folder: string
  readonly settings: string
  readonly addresses: WorldAddresses
  readonly #options: WorldOptions
  readonly #parts: Parts
  readonly #startedMonoMs: number
  readonly #end = new AbortController()

  private constructor(options: WorldOptions, parts: Parts) {
    this.#options = options
    this.#parts = parts
    this.folder = options.folder
    this.#startedMonoMs = options.clock.monoMs()
    this.addresses = parts.addresses(options.scenario)
    this.settings = writeSettings(options.folder, options.scenario, this.addresses, parts.login)
    this.#live()
  }

  static async start(options: WorldOptions): Promise<World> {
    const parts = new Parts(options.random)
    try {
      await parts.start(options)
      return new World(options, parts)
    } catch (error) {
      await parts.close()
      throw error
    }
  }

  /** The line that says where everything is. */
  ready(): object {
    const { lines, modbusTcp, door, camera, broker } = this.addresses
    return { ready: true, folder: this.folder, settings: this.settings, lines, modbusTcp, camera, door, broker }
  }

  /** The same for a person. */
  describe(): string {
    const { lines, modbusTcp, door, camera, broker } = this.addresses
    const rows = [
      ['settings', this.settings],
      ...lines.map(({ id, path }) => [id, path]),
      ...modbusTcp.map(({ id, host, port }) => [id, `modbus-tcp://${host}:${port}`]),
      ...(door === undefined ? [] : [[door.id, door.chip]]),
      ...(camera === undefined ? [] : [[camera.id, `http://${camera.host}:${camera.port}`]]),
      ...(broker === undefined ? [] : [[broker.id, broker.url]]),
    ]
    const list = rows.map(([name, place]) => `  ${name!.padEnd(12)} ${place}`).join('\n')
    return `A simulated community is up; Ctrl-C ends it.\n${list}\nTry: {"do":"report"}`
  }

  line(id: string): PtyLine {
    return found(this.#parts.lines, id, 'line')
  }

  host(id: string): ModbusTcpHost {
    return found(this.#parts.hosts, id, 'Modbus TCP host')
  }

  get broker(): Broker {
    if (this.#parts.broker === undefined) throw new Error('this scenario has no broker')
    return this.#parts.broker
  }

  /** @throws Error that names what is not there, or a ZodError for what is no command. */
  async obey(asked: WorldCommand): Promise<WorldAnswer> {
    const command = commandSchema.parse(asked)
    switch (command.do) {
      case 'cut':
      case 'restore':
        await this.#turn(command.what, command.do)
        return {}
      case 'silence':
        this.#fault(command.meter, { kind: 'silence' })
        return {}
      case 'fault':
        this.#fault(command.what, command.fault ?? undefined)
        return {}
      case 'broker':
        this.broker.behave(command.manner)
        return {}
      case 'publish':
        await this.broker.publish(command.topic, command.payload, { retain: command.retain })
        return {}
      case 'door':
        return actAtDoor(this.#door(), command.act)
      case 'motion':
        this.#camera().motion(command.active)
        return {}
      case 'report':
        return this.report({ reset: command.reset })
      case 'end':
        await this.close()
        return {}
      default:
        return command satisfies never
    }
  }

  /** @param options.reset begin the lines' account anew */
  report(options: { readonly reset?: boolean } = {}): WorldAnswer {
    const { lines, hosts, broker, door } = this.#parts
    return {
      elapsedMs: Math.round(this.#options.clock.monoMs() - this.#startedMonoMs),
      ...(broker === undefined ? {} : { broker: { ...broker.record.report(), cutOff: broker.cutOff } }),
      lines: Object.fromEntries(
        [...lines].map(([id, one]) => [id, { ...one.line.statistics(options), overrunBytes: one.overrunBytes }]),
      ),
      modbusTcp: Object.fromEntries([...hosts].map(([id, host]) => [id, host.statistics()])),
      ...(door === undefined ? {} : { door: door.state() }),
    }
  }

  /** End everything that was started. May be called twice. */
  async close(): Promise<void> {
    if (this.#end.signal.aborted) return
    this.#end.abort(new Error('the world ends'))
    await this.#parts.close()
  }

  #live(): void {
    const { scenario, clock, random } = this.#options
    const { door, camera } = this.#parts
    if (scenario.life !== false) live({ clock, random, signal: this.#end.signal, door, camera, ...scenario.life })
    for (const { at, command } of scenario.script) {
      const cancel = clock.after(at, () => void this.#act(command))
      this.#end.signal.addEventListener('abort', cancel, { once: true })
    }
  }

  async #act(command: WorldCommand): Promise<void> {
    const told = { script: true, do: command.do }
    try {
      this.#options.scripted?.({ ...told, ok: true, ...(await this.obey(command)) })
    } catch (error) {
      this.#options.scripted?.({ ...told, ok: false, error: error instanceof Error ? error.message : String(error) })
    }
  }

  async #turn(what: string, way: 'cut' | 'restore'): Promise<void> {
    const { lines, hosts, camera } = this.#parts
    const line = lines.get(what)
    if (line !== undefined) {
      if (way === 'cut') line.unplug()
      else line.plug()
      return
    }
    const isBroker = what === 'broker' || what === this.addresses.broker?.id
    const isCamera = what === 'camera' || what === this.addresses.camera?.id
    const part = hosts.get(what) ?? (isBroker ? this.broker : isCamera ? camera : undefined)
    if (part === undefined) throw new Error(`nothing called ${what} to ${way}; there are ${this.#names()}`)
    await (way === 'cut' ? part.cut() : part.restore())
  }

  #fault(what: string, fault: InjectedFault | undefined): void {
    const { lines, hosts } = this.#parts
    const holders = [...[...lines.values()].map(({ line }) => line), ...hosts.values()]
    const holder = holders.find(({ meters }) => meters.some(({ id }) => id === what))
    if (holder !== undefined) {
      holder.setFault(what, fault)
      return
    }
    const whole = lines.get(what)?.line ?? hosts.get(what)
    if (whole === undefined) throw new Error(`no meter, line or host ${what}; there are ${this.#names()}`)
    whole.setFault(undefined, fault)
  }

  #names(): string {
    const { lines, hosts, broker, camera } = this.#parts
    const meters = [...lines.values()]
      .flatMap(({ line }) => line.meters)
      .concat([...hosts.values()].flatMap((h) => h.meters))
    const others = [...(broker === undefined ? [] : ['broker']), ...(camera === undefined ? [] : ['camera'])]
    const whole = [...lines.keys(), ...hosts.keys(), ...others]
    return [...whole, ...meters.map(({ id }) => id)].join(', ')
  }

  #door(): DoorPanel {
    if (this.#parts.door === undefined) throw new Error('this scenario has no door')
    return this.#parts.door
  }

  #camera(): CameraPower {
    if (this.#parts.camera === undefined) throw new Error('this scenario has no camera')
    return this.#parts.camera
  }
}

function found<Part>(parts: ReadonlyMap<string, Part>, id: string, kind: string): Part {
  const part = parts.get(id)
  if (part === undefined) throw new Error(`no ${kind} ${id}; there are ${[...parts.keys()].join(', ')}`)
  return part
}

async function actAtDoor(door: DoorPanel, act: DoorAct): Promise<WorldAnswer> {
  switch (act) {
    case 'open':
      return { passed: await door.openDoor(), door: door.state() }
    case 'visit':
      return { passed: await door.visit(), door: door.state() }
    case 'exit':
      await door.pressExit()
      break
    case 'shut':
      await door.shutDoor()
      break
    case 'force':
      await door.force()
      break
    case 'fire':
    case 'fire-over':
      door.fire(act === 'fire')
      break
    default:
      act satisfies never
  }
  return { door: door.state() }
}
