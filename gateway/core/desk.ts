import { type Clock, type ClockState, isTrusted } from '../contract/clock.ts'
import {
  type Asker,
  type Command,
  type CommandRecord,
  type CommandRequest,
  mayCommand,
  type Outcome,
  type Refusal,
} from '../contract/command.ts'
import type { Schema, Verb } from '../contract/driver.ts'
import type { Seen } from '../contract/event.ts'
import { isFault } from '../contract/fault.ts'
import type { Figure } from '../contract/figure.ts'
import type { Log } from '../contract/log.ts'
import { askedText, doneSeen, receivedSeen, refusedSeen } from './desk-events.ts'
import { DeskLimiter, type DeskLimits } from './desk-limits.ts'
import type { DeskMemory, Remembered } from './desk-memory.ts'
import type { Recorder } from './recorder.ts'
import type { Supervisor } from './supervisor.ts'
import { within } from './within.ts'

/** So many commands may be under way at once: more would only wait for each other's commits. */
const UNDER_WAY_MAX = 64
/** A driver that does not answer for so long has lost the command. */
const HANDLER_MS_MAX = 60_000
/** An outcome that the storage does not take is offered again so often, until it does. */
const OUTCOME_RETRY_MS = 1000
/** Clocks of askers may be ahead of ours by so much. */
const AHEAD_MS_MAX = 5000

export interface DeskParts {
  readonly devices: Pick<Supervisor, 'served'>
  readonly recorder: Pick<Recorder, 'commit'>
  readonly clock: Clock
  readonly log: Log
  /** Gives the id of a command from who asked and its key: the same for the same. */
  readonly idOf: (text: string) => string
  readonly limits: DeskLimits
  readonly signal: AbortSignal
}

/** The key was used before, for something else. */
export class KeyUsed extends Error {}
/** Too many commands are under way; nothing was recorded of this one. */
export class DeskFull extends Error {}

/**
 * Every request to act passes here, whoever asks: judged, made durable as an intent, handed to the driver, and its outcome
 * made durable before it is told. So a command acts at most once, whatever happens in between: found without an outcome
 * after a crash it is `unknown`, and the same key never acts again.
 */
export class Desk {
  readonly #parts: DeskParts
  readonly #limiter: DeskLimiter
  readonly #memory: DeskMemory
  readonly #counts = { executed: 0, rejected: 0, expired: 0, unknown: 0 }
  #underWay = 0

  /** @param memory what the log knows of earlier commands; those without an outcome get one now: `unknown` */
  constructor(parts: DeskParts, memory: DeskMemory) {
    this.#parts = parts
    this.#memory = memory
    this.#limiter = new DeskLimiter(parts.limits, parts.clock.monoMs())
    const outcome: Outcome = { result: 'unknown', reason: 'the hub ended while it was being executed' }
    for (const entry of memory.unfinished()) this.#begin(entry, this.#finish(entry, outcome))
  }

  /**
   * Have it done, once. `done` resolves with its record once the outcome is durable; for a key that was used before with
   * what became of that request. It rejects with the Fault of the storage when the intent can't be made durable: then
   * nothing was done.
   * @throws KeyUsed, DeskFull
   */
  request(asker: Asker, request: CommandRequest): { readonly id: string; readonly done: Promise<CommandRecord> } {
    const id = this.#parts.idOf(`${asker.by} ${request.key}`)
    const asked = askedText(request)
    const known = this.#memory.get(id)
    if (known !== undefined) {
      if (known.asked !== asked) throw new KeyUsed(`key ${request.key} was used before, for something else`)
      return { id, done: known.done ?? Promise.resolve(known.record) }
    }
    if (this.#underWay >= UNDER_WAY_MAX) throw new DeskFull(`${UNDER_WAY_MAX} commands are under way`)
    const { by } = asker
    const { device, verb } = request
    const entry: Remembered = {
      record: { id, by, device, verb, receivedMs: this.#parts.clock.wallMs() },
      asked,
      // It has no place yet; nothing forgets it before it has an outcome.
      seq: 0,
      sinceMs: this.#parts.clock.monoMs(),
    }
    // Before anything is waited for: the same request that comes meanwhile joins this one.
    this.#memory.add(entry)
    return { id, done: this.#begin(entry, this.#handle(entry, asker, request)) }
  }

  /** Resolves when no command is under way any more. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#memory.unfinished().map(({ done }) => done))
  }

  #begin(entry: Remembered, work: Promise<CommandRecord>): Promise<CommandRecord> {
    this.#underWay += 1
    const done = work.finally(() => {
      this.#underWay -= 1
      delete entry.done
    })
    entry.done = done
    // Whoever asked may be gone.
    done.catch(() => undefined)
    return done
  }

  find(id: string): CommandRecord | undefined {
    return this.#memory.get(id)?.record
  }

  figures(): readonly Figure[] {
    return [
      ...Object.entries(this.#counts).map(
        ([result, value]): Figure => ({
          name: 'linli_commands_total',
          help: 'Commands by how they ended.',
          kind: 'counter',
          labels: { result },
          value,
        }),
      ),
      { name: 'linli_commands_under_way', help: 'Commands without an outcome.', kind: 'gauge', value: this.#underWay },
    ]
  }

  async #handle(entry: Remembered, asker: Asker, request: CommandRequest): Promise<CommandRecord> {
    const { clock, recorder } = this.#parts
    const { id, by } = entry.record
    const receivedMonoMs = clock.monoMs()
    const judged = this.#judge(asker, request, receivedMonoMs)
    try {
      const seen =
        'refusal' in judged
          ? refusedSeen(id, by, request, judged, receivedMonoMs)
          : receivedSeen(id, by, request, receivedMonoMs)
      entry.seq = await recorder.commit([seen])
    } catch (error) {
      this.#memory.delete(id)
      throw error
    }
    if ('refusal' in judged) return this.#settle(entry, judged.outcome, judged.refusal)
    return this.#finish(entry, await this.#act({ ...judged.command, id }))
  }

  async #finish(entry: Remembered, outcome: Outcome): Promise<CommandRecord> {
    await this.#commitOutcome(doneSeen(entry.record, outcome, this.#parts.clock.monoMs()))
    return this.#settle(entry, outcome)
  }

  #settle(entry: Remembered, outcome: Outcome, refusal?: Refusal): CommandRecord {
    entry.record = { ...entry.record, outcome, ...(refusal === undefined ? {} : { refusal }) }
    this.#counts[outcome.result] += 1
    return entry.record
  }

  /** Hand it to the driver, unless the disk took so long that its time is over. */
  async #act(command: Command): Promise<Outcome> {
    const { clock, devices, log } = this.#parts
    if (clock.monoMs() > command.deadlineMonoMs) return { result: 'expired' }
    const handler = devices.served(command.device)?.handler(command.verb)
    if (handler === undefined) return { result: 'rejected', reason: 'the connection of this device does not run now' }
    try {
      const reason = `the device did not answer within ${HANDLER_MS_MAX / 1000} s`
      return (await within(HANDLER_MS_MAX, handler(command), clock)) ?? { result: 'unknown', reason }
    } catch (error) {
      if (!isFault(error)) log.error('a command ended in a bug', { command: command.id, error })
      return { result: 'unknown', reason: error instanceof Error ? error.message : String(error) }
    }
  }

  /** Until the storage takes it. Where the hub ends before, the next start finds no outcome and says `unknown`. */
  async #commitOutcome(seen: Seen): Promise<void> {
    const { recorder, clock, signal } = this.#parts
    for (;;) {
      try {
        await recorder.commit([seen])
        return
      } catch (error) {
        if (!isFault(error)) throw error
        await clock.sleep(OUTCOME_RETRY_MS, signal)
      }
    }
  }

  #judge(asker: Asker, request: CommandRequest, nowMs: number): Judged {
    const { devices, clock } = this.#parts
    const { device, verb } = request
    const served = devices.served(device)
    const no = (refusal: Refusal, reason: string): Judged => ({
      refusal,
      outcome: { result: 'rejected', reason },
      known: served !== undefined,
    })
    if (!mayCommand(asker.rights, device, verb)) {
      return no('right', `${asker.by} may not ${verb} ${device}; \`commands\` in its settings says what it may`)
    }
    if (served === undefined) return no('device', `there is no device ${device}`)
    const accepts = served.verbs[verb]
    if (accepts === undefined) {
      const there = Object.keys(served.verbs).join(', ')
      return no('verb', `${device} knows no ${verb}; ${there === '' ? 'it takes no commands' : `there are ${there}`}`)
    }
    const wrong = misfit(accepts, request)
    if (wrong !== undefined) return no('arguments', wrong)
    const age = ageOf(request, clock.wallMs(), clock.state())
    if (typeof age === 'string') return no('issued', age)
    if (age > request.withinMs) return { refusal: 'deadline', outcome: { result: 'expired' }, known: true }
    const over = this.#limiter.take(device, nowMs)
    if (over !== undefined) {
      return no('rate', `too many commands for ${over.of}; the next one may come in ${over.afterMs} ms`)
    }
    const { arguments: given, expect, withinMs } = request
    const deadlineMonoMs = nowMs + withinMs - age
    return { command: { id: '', device, verb, arguments: given, expect, deadlineMonoMs, by: asker.by } }
  }
}

type Judged =
  | { readonly command: Command }
  | { readonly refusal: Refusal; readonly outcome: Outcome; readonly known: boolean }

/** What does not fit the verb, in words. */
function misfit(verb: Verb, request: CommandRequest): string | undefined {
  for (const part of ['arguments', 'expect'] as const) {
    const schema: Schema<unknown> = verb[part]
    const issue = schema.safeParse(request[part]).error?.issues[0]
    if (issue !== undefined) return `${[part, ...issue.path].join('.')}: ${issue.message}`
  }
  return undefined
}

/** How old a request was when it came, or why nobody can say. */
function ageOf({ issuedMs }: CommandRequest, wallMs: number, clock: ClockState): number | string {
  if (issuedMs === undefined) return 0
  if (!isTrusted(clock)) {
    return 'the clock of this hub is not set, so the age of a command that was on its way is not known'
  }
  const ageMs = wallMs - issuedMs
  if (ageMs < -AHEAD_MS_MAX)
    return `it was issued ${Math.round(-ageMs / 1000)} s in the future: one of the clocks is wrong`
  return Math.max(0, ageMs)
}
