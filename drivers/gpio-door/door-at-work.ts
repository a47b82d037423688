import type { Command, Outcome } from '../../gateway/contract/command.ts'
import type { Host } from '../../gateway/contract/driver.ts'
import type { Seen } from '../../gateway/contract/event.ts'
import { Fault, isFault } from '../../gateway/contract/fault.ts'
import type { Edge, GpioLines, Level } from '../../gateway/contract/io.ts'
import {
  type Door,
  type DoorRules,
  type Fact,
  foundDoor,
  type Input,
  nextDeadlineMs,
  outputsOf,
  refusalOf,
  STILL_PASSING_MS,
  step,
} from './door.ts'
import type { GpioDoorOptions } from './options.ts'
import { seenOf, stateSeen } from './telling.ts'
import { unmet } from './verbs.ts'
import { Voice } from './voice.ts'

/** How long an answer to `unlock` waits at most for somebody to open the door. */
const OPENED_WITHIN_MS = 10_000
/** So many commands may wait for that at once. */
const WAITING_MAX = 32

/** Levels that are read together came about in an order that nobody knows: what releases comes before what opens. */
const CAUSES_FIRST = ['fire', 'exitButton', 'tamper', 'contact'] as const

type Passage = 'opened' | 'nobody came' | 'stopped' | 'chip lost'

/** The machine with its lines, its clock and its voice. From an edge to the output nothing is waited for. */
export class DoorAtWork {
  readonly #host: Host<GpioDoorOptions>
  readonly #lines: GpioLines
  readonly #rules: DoorRules
  readonly #seesOpening: boolean
  readonly #voice: Voice
  readonly #broken: Promise<never>
  #fail: (reason: unknown) => void = () => undefined
  #door: Door
  #cancelTimer: () => void = () => undefined
  readonly #waiting = new Set<(passage: Passage) => void>()
  #edgesLost = 0
  #releases = 0
  #over = false

  constructor(host: Host<GpioDoorOptions>, lines: GpioLines) {
    this.#host = host
    this.#lines = lines
    const { unlockFor, heldAfter, relockOn, contact } = host.options.gpioDoor
    this.#rules = { unlockForMs: unlockFor, heldAfterMs: heldAfter, relockOn }
    this.#seesOpening = contact !== undefined
    this.#broken = new Promise((_resolve, reject) => {
      this.#fail = reject
    })
    // It may break while nobody waits for it yet.
    this.#broken.catch(() => undefined)
    this.#voice = new Voice(host, (bug) => this.#fail(bug))
    this.#door = foundDoor({ open: false, exit: false, fire: false, tampered: false }, host.clock.monoMs()).door
  }

  /** Follow the edges until the signal aborts; rejects with its reason, or with the Fault of a chip that is gone. */
  async work(): Promise<never> {
    const host = this.#host
    try {
      this.#find(await this.#lines.read())
      host.mark(host.connection, undefined)
      host.serve('unlock', (command) => this.#unlock(command))
      host.serve('lock', (command) => this.#lock(command))
      return await Promise.race([this.#follow(), this.#broken])
    } catch (error) {
      if (!host.signal.aborted && isFault(error)) this.#fault()
      throw error
    } finally {
      this.#over = true
      this.#cancelTimer()
      this.#answerWaiting('stopped')
    }
  }

  async #follow(): Promise<never> {
    const { signal } = this.#host
    for (;;) {
      const { edges, lost } = await this.#lines.edges(signal)
      for (const edge of edges) this.#edge(edge)
      // A last answer may come when the lines are given back already.
      if (this.#over) throw new Fault('connection', 'the door is not watched any more')
      if (lost > 0) await this.#findAgain(lost)
    }
  }

  /** The state at a start: told as it is found, no alarm; but a fire that is on releases at once. */
  #find(levels: Readonly<Record<string, Level>>): void {
    const is = (name: string): boolean => levels[name] === 'active'
    const nowMs = this.#host.clock.monoMs()
    const found = { open: is('contact'), exit: is('exitButton'), fire: is('fire'), tampered: is('tamper') }
    const { door, facts } = foundDoor(found, nowMs)
    this.#enter(door)
    const { connection, options } = this.#host
    const { failMode } = options.gpioDoor
    const unseen = seenOf(connection, { before: door, after: door, facts }, nowMs)
    // What was so before we looked is marked: nobody is to count it as new.
    const marked = unseen.map((seen): Seen => ({ ...seen, data: { ...seen.data, found: true } }))
    this.#voice.say([...marked, stateSeen(connection, door, { cause: 'start', found: true, failMode }, nowMs)])
  }

  /** Edges are missing: what they would have brought about is read off the levels. */
  async #findAgain(lost: number): Promise<void> {
    this.#edgesLost += lost
    const levels = await this.#lines.read()
    const monoMs = this.#host.clock.monoMs()
    const device = this.#host.connection
    this.#voice.say([
      { device, type: 'linli.door.edges-lost', class: 'alarm', privacy: 'public', monoMs, data: { lost } },
    ])
    for (const name of CAUSES_FIRST) {
      const level = levels[name]
      if (level !== undefined) this.#edge({ name, level, monoMs })
    }
  }

  #edge(edge: Edge): void {
    const input = inputOf(edge, this.#host.clock.monoMs())
    if (input !== undefined && !this.#over) this.#take(input, edge.monoMs)
  }

  /**
   * The machine lives by when an edge is heard, because only then the lock moves: who presses while the hub is busy
   * gets the whole passage. The record has when the world spoke.
   * @returns when the output has its level
   */
  #take(input: Input, spokenMs = input.nowMs): Promise<void> {
    const before = this.#door
    const { door, facts } = step(before, input, this.#rules)
    const driven = this.#enter(door)
    if (facts.length > 0) this.#tell(before, facts, spokenMs)
    return driven
  }

  /** The chip is gone: told, and nothing is asked of it any more. */
  #fault(): void {
    const before = this.#door
    const nowMs = this.#host.clock.monoMs()
    const { door, facts } = step(before, { kind: 'fault', active: true, nowMs }, this.#rules)
    this.#door = door
    this.#answerWaiting('chip lost')
    this.#tell(before, facts, nowMs)
  }

  /** The output follows the state, first of all, and is touched only where the state changed it. */
  #enter(door: Door): Promise<void> {
    const level = outputsOf(door).lock
    const driven = level === outputsOf(this.#door).lock ? Promise.resolve() : this.#lines.set('lock', level)
    this.#door = door
    driven.catch((error) => this.#fail(error))
    this.#armTimer()
    return driven
  }

  #armTimer(): void {
    this.#cancelTimer()
    const { clock } = this.#host
    const dueMs = nextDeadlineMs(this.#door, this.#rules)
    if (dueMs === undefined) return
    this.#cancelTimer = clock.after(dueMs - clock.monoMs(), () => {
      void this.#take({ kind: 'time', nowMs: clock.monoMs() })
    })
  }

  #tell(before: Door, facts: readonly Fact[], monoMs: number): void {
    if (facts.some(({ kind }) => kind === 'opened')) this.#answerWaiting('opened')
    if (facts.some(({ kind }) => kind === 'unlocked')) this.#releases += 1
    const { connection, figures } = this.#host
    this.#voice.say(seenOf(connection, { before, after: this.#door, facts }, monoMs))
    figures({ releases: this.#releases, edgesLost: this.#edgesLost, eventsUntold: this.#voice.untold })
  }

  async #unlock(command: Command): Promise<Outcome> {
    const { clock } = this.#host
    const refused = this.#judge(command, 'unlock')
    if (refused !== undefined) return refused
    const wasOpen = this.#door.open
    const { id, by } = command
    // Between the look at the deadline and the pulse nothing is waited for.
    const driven = this.#take({ kind: 'unlock', asker: { by, command: id }, nowMs: clock.monoMs() })
    const opened = wasOpen || !this.#seesOpening ? undefined : this.#opening()
    try {
      await driven
    } catch (error) {
      return { result: 'unknown', reason: error instanceof Error ? error.message : String(error) }
    }
    if (!this.#seesOpening) return { result: 'executed', effect: { opened: null } }
    if (opened === undefined) return { result: 'executed', effect: { opened: true, wasOpen } }
    const passage = await opened
    // The lock may have stayed released, or fallen back: the chip can't be asked any more.
    if (passage === 'chip lost') return { result: 'unknown', reason: 'the chip was lost while the lock was released' }
    return { result: 'executed', effect: { opened: passage === 'opened' } }
  }

  async #lock(command: Command): Promise<Outcome> {
    const refused = this.#judge(command, 'lock')
    if (refused !== undefined) return refused
    try {
      await this.#take({ kind: 'lock', nowMs: this.#host.clock.monoMs() })
    } catch (error) {
      return { result: 'unknown', reason: error instanceof Error ? error.message : String(error) }
    }
    return { result: 'executed', effect: this.#seesOpening ? { open: this.#door.open } : {} }
  }

  #judge(command: Command, verb: 'unlock' | 'lock'): Outcome | undefined {
    const { clock, signal } = this.#host
    if (clock.monoMs() > command.deadlineMonoMs) return { result: 'expired' }
    if (signal.aborted) return { result: 'rejected', reason: 'the door is being stopped' }
    const refusal = refusalOf(this.#door, verb) ?? unmet(command.expect, this.#door)
    if (refusal !== undefined) return { result: 'rejected', reason: refusal }
    if (verb === 'lock' || this.#waiting.size < WAITING_MAX) return undefined
    return { result: 'rejected', reason: `${WAITING_MAX} commands wait for somebody to open the door already` }
  }

  /** Whether somebody opens the door in the time that a grant gives. */
  #opening(): Promise<Passage> {
    const withinMs = Math.min(this.#rules.unlockForMs + STILL_PASSING_MS, OPENED_WITHIN_MS)
    return new Promise((resolve) => {
      const answer = (passage: Passage): void => {
        this.#waiting.delete(answer)
        cancel()
        resolve(passage)
      }
      const cancel = this.#host.clock.after(withinMs, () => answer('nobody came'))
      this.#waiting.add(answer)
    })
  }

  #answerWaiting(passage: Passage): void {
    for (const answer of [...this.#waiting]) answer(passage)
  }
}

function inputOf({ name, level }: Edge, nowMs: number): Input | undefined {
  const active = level === 'active'
  switch (name) {
    case 'contact':
      return { kind: 'contact', open: active, nowMs }
    case 'exitButton':
      return { kind: 'exit', pressed: active, nowMs }
    case 'fire':
      return { kind: 'fire', active, nowMs }
    case 'tamper':
      return { kind: 'tamper', active, nowMs }
    default:
      return undefined
  }
}
