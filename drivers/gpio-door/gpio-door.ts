import type { Command, Outcome } from '../../gateway/contract/command.ts'
import type { Driver, Host } from '../../gateway/contract/driver.ts'
import type { Seen } from '../../gateway/contract/event.ts'
import type { Edge, GpioLines, Level } from '../../gateway/contract/io.ts'
import {
  type Door,
  type DoorRules,
  type Fact,
  foundDoor,
  type Input,
  isReleased,
  nextDeadlineMs,
  stateOf,
  step,
} from './door.ts'
import { type GpioDoorOptions, gpioDoorOptions, linesOf } from './options.ts'

/** How long after a command the hub looks whether somebody opened the door. */
const OPENED_WITHIN_MS = 5000

/** A door on GPIO lines: its connection is its device. */
export const gpioDoor: Driver<GpioDoorOptions> = {
  kind: 'gpioDoor',
  options: gpioDoorOptions,
  devices: (_options, connection) => [connection],
  claims(options) {
    const { inputs, outputs } = linesOf(options)
    const { chip } = options.gpioDoor
    return [...inputs, ...outputs].map(({ name, line }) => ({
      what: `line ${line} of ${chip}`,
      path: ['gpioDoor', name],
    }))
  },

  async run(host) {
    const lines = await host.io.gpio.open(host.options.gpioDoor.chip, linesOf(host.options), host.signal)
    const door = new DoorAtWork(host, lines)
    try {
      await Promise.race([door.watch(await lines.read()), door.broken])
    } finally {
      await lines.release()
    }
  },
}

/** The machine with its lines, its clock and its voice. From an edge to the output nothing is waited for. */
class DoorAtWork {
  readonly broken: Promise<never>
  readonly #host: Host<GpioDoorOptions>
  readonly #lines: GpioLines
  readonly #rules: DoorRules
  #door: Door
  #fail: (bug: unknown) => void = () => undefined
  #cancelTimer: () => void = () => undefined
  #opened: (() => void)[] = []

  constructor(host: Host<GpioDoorOptions>, lines: GpioLines) {
    this.#host = host
    this.#lines = lines
    const { unlockFor, heldAfter, relockOn } = host.options.gpioDoor
    this.#rules = { unlockForMs: unlockFor, heldAfterMs: heldAfter, relockOn }
    this.#door = foundDoor({ open: false, fire: false, tampered: false }, host.clock.monoMs())
    this.broken = new Promise((_resolve, reject) => {
      this.#fail = reject
    })
    this.broken.catch(() => undefined)
    host.serve('unlock', (command) => this.#unlock(command))
    host.serve('lock', (command) => this.#lock(command))
  }

  /** Follow the edges until the signal aborts. @param levels of the inputs as they are found */
  async watch(levels: Readonly<Record<string, Level>>): Promise<void> {
    const { clock, signal } = this.#host
    this.#find(levels, clock.monoMs())
    try {
      while (!signal.aborted) {
        const { edges, lost } = await this.#lines.edges(signal)
        for (const edge of edges) this.#take(inputOf(edge))
        if (lost > 0) await this.#findAgain(lost)
      }
    } finally {
      this.#cancelTimer()
    }
  }

  /** The state at a start: told as it is, no alarm; but a fire that is on releases at once. */
  #find(levels: Readonly<Record<string, Level>>, nowMs: number): void {
    const is = (name: string): boolean => levels[name] === 'active'
    this.#door = foundDoor({ open: is('contact'), fire: is('fire'), tampered: is('tamper') }, nowMs)
    this.#drive(false)
    const { failMode } = this.#host.options.gpioDoor
    this.#say([this.#seen('linli.door.state', 'status', { state: stateOf(this.#door), found: true, failMode }, nowMs)])
    this.#armTimer()
  }

  async #findAgain(lost: number): Promise<void> {
    const levels = await this.#lines.read()
    const nowMs = this.#host.clock.monoMs()
    this.#say([this.#seen('linli.door.edges-lost', 'alarm', { lost }, nowMs)])
    for (const [name, level] of Object.entries(levels)) this.#take(inputOf({ name, level, monoMs: nowMs }))
  }

  #take(input: Input | undefined): void {
    if (input === undefined) return
    const before = this.#door
    const { door, facts } = step(before, input, this.#rules)
    this.#door = door
    this.#drive(isReleased(before))
    this.#armTimer()
    if (facts.some(({ kind }) => kind === 'opened')) for (const tell of this.#opened.splice(0)) tell()
    if (facts.length > 0) this.#tell(facts, input.nowMs)
  }

  /** The output follows the state, and is touched only where the state changed. */
  #drive(wasReleased: boolean): void {
    const released = isReleased(this.#door)
    if (released === wasReleased) return
    this.#lines.set('lock', released ? 'active' : 'inactive').catch((error) => this.#fail(error))
  }

  #armTimer(): void {
    this.#cancelTimer()
    const { clock } = this.#host
    const dueMs = nextDeadlineMs(this.#door, this.#rules)
    if (dueMs === undefined) return
    this.#cancelTimer = clock.after(dueMs - clock.monoMs(), () => this.#take({ kind: 'time', nowMs: clock.monoMs() }))
  }

  async #unlock(command: Command): Promise<Outcome> {
    const { clock, signal } = this.#host
    if (clock.monoMs() > command.deadlineMonoMs) return { result: 'expired' }
    const opened = new Promise<boolean>((tell) => {
      this.#opened.push(() => tell(true))
    })
    this.#take({ kind: 'unlock', by: command.by, nowMs: clock.monoMs() })
    const late = clock.sleep(OPENED_WITHIN_MS, signal).then(
      () => false,
      () => false,
    )
    return { result: 'executed', effect: { opened: this.#door.open || (await Promise.race([opened, late])) } }
  }

  async #lock(command: Command): Promise<Outcome> {
    const { clock } = this.#host
    if (clock.monoMs() > command.deadlineMonoMs) return { result: 'expired' }
    if (this.#door.fire) return { result: 'rejected', reason: 'the fire panel holds the door released' }
    this.#take({ kind: 'lock', nowMs: clock.monoMs() })
    return { result: 'executed', effect: { open: this.#door.open } }
  }

  #tell(facts: readonly Fact[], nowMs: number): void {
    const state = stateOf(this.#door)
    const cause = facts.map(({ kind }) => kind).join(' ')
    this.#say([
      ...facts.flatMap((fact) => this.#event(fact, nowMs)),
      this.#seen('linli.door.state', 'status', { state, cause }, nowMs),
    ])
  }

  #event(fact: Fact, nowMs: number): Seen[] {
    switch (fact.kind) {
      case 'unlocked': {
        const { kind: _kind, ...why } = fact
        return [this.#seen('linli.door.unlocked', 'audit', why, nowMs)]
      }
      case 'forced':
        return [this.#seen('linli.door.forced', 'alarm', {}, nowMs)]
      case 'held':
        return [this.#seen('linli.door.held', 'alarm', { seconds: Math.round(fact.forMs / 1000) }, nowMs)]
      case 'tampered':
        return [this.#seen('linli.door.tampered', 'alarm', { active: fact.active }, nowMs)]
      case 'fire':
        return [this.#seen(fact.active ? 'linli.fire.active' : 'linli.fire.cleared', 'alarm', {}, nowMs)]
      case 'locked':
      case 'opened':
      case 'shut':
        return []
      default:
        return fact satisfies never
    }
  }

  #seen(type: string, eventClass: Seen['class'], data: Seen['data'], monoMs: number): Seen {
    return { device: this.#host.connection, type, class: eventClass, privacy: 'public', monoMs, data }
  }

  /** Nobody at the door waits for the disk. */
  #say(batch: readonly Seen[]): void {
    this.#host.emit(batch).catch((error) => this.#fail(error))
  }
}

function inputOf({ name, level, monoMs }: Edge): Input | undefined {
  const active = level === 'active'
  switch (name) {
    case 'contact':
      return { kind: 'contact', open: active, nowMs: monoMs }
    case 'exitButton':
      return { kind: 'exit', pressed: active, nowMs: monoMs }
    case 'fire':
      return { kind: 'fire', active, nowMs: monoMs }
    case 'tamper':
      return { kind: 'tamper', active, nowMs: monoMs }
    default:
      return undefined
  }
}
