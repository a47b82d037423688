import type { AnswerFault } from './faults.ts'

/** A request as it came over the wire, whatever the wire was. */
export interface Asked {
  readonly method: string
  /** With its query. */
  readonly path: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: string
}

/** What goes back, and how. `off`: nobody is there, the port is closed. */
export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  readonly body: Buffer
  readonly manner: AnswerFault | { readonly kind: 'well' } | { readonly kind: 'off' }
}

/** Whoever answers requests: a camera. */
export interface Exchanging {
  /** @param caller the client's signal: it may leave before it is answered */
  exchange(asked: Asked, caller: AbortSignal): Promise<Reply>
}
