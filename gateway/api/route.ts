import type { CommandRight } from '../contract/command.ts'
import { type Rights, seesAll } from '../contract/rights.ts'
import { ApiProblem } from './problem.ts'

/** Who asks: the consumer that the token belongs to. */
export interface Caller {
  readonly id: string
  readonly rights: Rights
  readonly commands: readonly CommandRight[]
}

/** A request as a route sees it. What carries it over the network is the business of `server.ts`. */
export interface ApiRequest {
  /** Undefined on open routes when no valid token came with it. */
  readonly caller: Caller | undefined
  /** The named parts of the path. */
  readonly path: Readonly<Record<string, string>>
  /** Each parameter with all its values, in order. */
  readonly query: Readonly<Record<string, readonly string[]>>
  /** By lower-case name. */
  header(name: string): string | undefined
  /** Empty when there is none. */
  readonly body: string
  /** Aborts when the caller goes away or the hub stops. */
  readonly signal: AbortSignal
}

export interface Answer {
  readonly status: number
  /** Media type. */
  readonly type: string
  readonly headers?: Readonly<Record<string, string>>
  /** The body at once, or piece by piece: the next is made when the caller has taken the one before. */
  readonly body: string | AsyncIterable<Buffer>
}

export interface Route {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE'
  /** Such as `/v1/consumers/:id/cursor`. */
  readonly path: string
  /** Without a token too; every other route wants one. */
  readonly open?: true
  handle(request: ApiRequest): Promise<Answer>
}

/** The caller of a route that is not open. */
export function callerOf(request: ApiRequest): Caller {
  if (request.caller === undefined) throw new Error('a route that is not open was called without a caller')
  return request.caller
}

/** The caller of a route that shows what no right of its own is for. @throws ApiProblem 403 for who may not see all */
export function callerWithAllRights(request: ApiRequest): Caller {
  const caller = callerOf(request)
  if (seesAll(caller.rights)) return caller
  const hint = 'it needs rights: { types: ["*"], devices: ["*"], privacy: sensitive }, and all classes'
  throw new ApiProblem(403, 'forbidden', `${caller.id} may not see everything; ${hint}`, { members: { hint } })
}

/** What to say of a request that no route takes: 405 where another method would do, else 404. */
export function nowhere(method: string, url: string, routes: readonly Route[]): ApiProblem {
  const path = url.split('?')[0] ?? ''
  const methods = routes.filter((route) => fits(route.path, path)).map((route) => route.method)
  if (methods.length === 0) {
    const hint = `there are ${[...new Set(routes.map((route) => route.path))].join(', ')}`
    return new ApiProblem(404, 'not-found', `there is no ${path.slice(0, 100)}; ${hint}`, { members: { hint } })
  }
  const allow = methods.join(', ')
  const detail = `${method} does not apply to ${path}; ${allow} does`
  return new ApiProblem(405, 'method-not-allowed', detail, { headers: { allow } })
}

function fits(pattern: string, path: string): boolean {
  const wanted = pattern.split('/')
  const found = path.split('/')
  return wanted.length === found.length && wanted.every((part, n) => part.startsWith(':') || part === found[n])
}
