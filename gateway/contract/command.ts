import type { Json } from './event.ts'
import { matches } from './rights.ts'

export type CommandArguments = { readonly [name: string]: Json | undefined }

/** A request to act, as a driver's handler gets it: rights and deadline were judged before. */
export interface Command {
  readonly id: string
  readonly device: string
  /** Such as `unlock`; the driver serves it with `host.serve`. */
  readonly verb: string
  readonly arguments: CommandArguments
  /** What the asker takes for granted, such as `{ open: false }`: it is looked at right before the act, and where it is not so nothing is done. */
  readonly expect: CommandArguments
  /** On `Clock.monoMs`: the act must not begin after this. */
  readonly deadlineMonoMs: number
  /** Who asked, for the record. */
  readonly by: string
}

/** How a command ended. `unknown`: it may or may not have acted (a crash or a silent device); never a reason to repeat it. */
export type Outcome =
  | { readonly result: 'executed'; readonly effect?: Json }
  | { readonly result: 'rejected'; readonly reason: string }
  | { readonly result: 'expired' }
  | { readonly result: 'unknown'; readonly reason: string }

/** What somebody may have done: these verbs of these devices, by name or by their beginning and `*`. */
export interface CommandRight {
  readonly verbs: readonly string[]
  readonly devices: readonly string[]
}

/** Who asks: `consumer:property`, `upstream:city`; and what it may have done. */
export interface Asker {
  readonly by: string
  readonly rights: readonly CommandRight[]
}

/** A command as it was asked for. */
export interface CommandRequest {
  readonly device: string
  readonly verb: string
  readonly arguments: CommandArguments
  readonly expect: CommandArguments
  /** The asker's own name for this request: the same one never acts twice. */
  readonly key: string
  /** So long after it was issued the act must have begun. */
  readonly withinMs: number
  /** When the asker issued it, by its wall clock; left out where the request can't have been on its way for long. */
  readonly issuedMs?: number
}

/** Why the desk itself refused a command, before any driver heard of it. */
export type Refusal = 'right' | 'device' | 'verb' | 'arguments' | 'rate' | 'issued' | 'deadline'

/** A command on the desk. It is being executed for as long as it has no outcome; an outcome that stands here is durable. */
export interface CommandRecord {
  readonly id: string
  readonly by: string
  readonly device: string
  readonly verb: string
  /** By the hub's wall clock. */
  readonly receivedMs: number
  readonly outcome?: Outcome
  /** Only where the desk refused it. */
  readonly refusal?: Refusal
}

export function mayCommand(rights: readonly CommandRight[], device: string, verb: string): boolean {
  return rights.some(
    ({ verbs, devices }) =>
      verbs.some((pattern) => matches(pattern, verb)) && devices.some((pattern) => matches(pattern, device)),
  )
}
