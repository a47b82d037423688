import type { Json } from '../contract/event.ts'

/** What is wrong with a request, for programs; the full type is `urn:linli:problem:` and this word. */
export type ProblemKind =
  | 'unauthorized'
  | 'forbidden'
  | 'not-found'
  | 'method-not-allowed'
  | 'bad-request'
  | 'bad-parameter'
  | 'cursor-malformed'
  | 'cursor-forged'
  | 'cursor-ahead'
  | 'cursor-epoch'
  | 'key-used'
  | 'command-refused'
  | 'command-expired'
  | 'too-large'
  | 'timeout'
  | 'too-many-requests'
  | 'unavailable'
  | 'bug'

export interface ProblemDetail {
  readonly headers?: Readonly<Record<string, string>>
  /** Members beside the standard ones, such as `parameter`, `value`, `hint`. */
  readonly members?: { readonly [name: string]: Json | undefined }
}

/** An answer that says what is wrong and the way out (RFC 9457). Thrown where it is found, written in one place. */
export class ApiProblem extends Error {
  readonly status: number
  readonly kind: ProblemKind
  readonly headers: Readonly<Record<string, string>>
  readonly #members: { readonly [name: string]: Json | undefined }

  constructor(status: number, kind: ProblemKind, detail: string, { headers = {}, members = {} }: ProblemDetail = {}) {
    super(detail)
    this.name = 'ApiProblem'
    this.status = status
    this.kind = kind
    this.headers = headers
    this.#members = members
  }

  /** The body, `application/problem+json`. */
  json(): string {
    return JSON.stringify({
      type: `urn:linli:problem:${this.kind}`,
      title: TITLES[this.kind],
      status: this.status,
      detail: this.message,
      ...this.#members,
    })
  }
}

/** The same for each kind (RFC 9457, 3.1.3); what differs is in `detail`. */
const TITLES: Readonly<Record<ProblemKind, string>> = {
  unauthorized: 'A token is needed',
  forbidden: 'This consumer may not do that',
  'not-found': 'There is nothing here',
  'method-not-allowed': 'This method does not apply here',
  'bad-request': 'The request is not understood',
  'bad-parameter': 'A parameter is not understood',
  'cursor-malformed': 'The cursor is none',
  'cursor-forged': 'The cursor was not given out by this hub',
  'cursor-ahead': 'The cursor lies ahead of the log',
  'cursor-epoch': 'The cursor belongs to another log',
  'key-used': 'The key belongs to another command',
  'command-refused': 'The command is not understood',
  'command-expired': 'The command came too late',
  'too-large': 'The request is too large',
  timeout: 'The request came too slowly',
  'too-many-requests': 'Too many requests at once',
  unavailable: 'The hub cannot do that now',
  bug: 'The hub made a mistake',
}

/** A parameter with the value found and the way out. */
export function badParameter(parameter: string, value: string, hint: string): ApiProblem {
  const shown = value.length > 100 ? `${value.slice(0, 100)}…` : value
  return new ApiProblem(400, 'bad-parameter', `${parameter} is ${JSON.stringify(shown)}; ${hint}`, {
    members: { parameter, value: shown, hint },
  })
}
