import type { Json } from './event.ts'

/** A request to act, as a driver's handler gets it: rights and deadline were judged before. */
export interface Command {
  readonly id: string
  readonly device: string
  /** Such as `unlock`; the driver serves it with `host.serve`. */
  readonly verb: string
  readonly arguments: { readonly [name: string]: Json | undefined }
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
