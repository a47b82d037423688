import { isFault } from '../contract/fault.ts'
import type { Log } from '../contract/log.ts'
import { ApiProblem } from './problem.ts'
import type { Caller } from './route.ts'
import type { TokenBook } from './tokens.ts'

/** Requests of one consumer that may run at once; a long poll is one. */
export const REQUESTS_PER_CONSUMER_MAX = 16
const CHALLENGE = { 'www-authenticate': 'Bearer realm="linli"' }

export interface AccessParts {
  readonly tokens: Pick<TokenBook, 'verify'>
  readonly consumers: readonly Caller[]
  readonly log: Log
}

/** Who asks, by the token that came along, and how much at once. */
export class Access {
  refusals = 0
  readonly #parts: AccessParts
  readonly #callers: ReadonlyMap<string, Caller>
  readonly #running = new Map<string, number>()
  #tokensBroken = false

  constructor(parts: AccessParts) {
    this.#parts = parts
    this.#callers = new Map(parts.consumers.map((consumer) => [consumer.id, consumer]))
  }

  /** @throws ApiProblem: 401 without a valid token, 403 for a consumer that is not in the settings. */
  callerOf(authorization: string | undefined): Caller {
    const token = /^Bearer +([\x21-\x7e]+) *$/i.exec(authorization ?? '')?.[1]
    const owner = token === undefined ? undefined : this.#verify(token)
    if (owner === undefined) {
      this.refusals += 1
      const hint = 'send the header Authorization: Bearer TOKEN; `linli token create CONSUMER` makes a token'
      const found = authorization === undefined ? 'no token came with the request' : 'the token is not valid'
      throw new ApiProblem(401, 'unauthorized', `${found}; ${hint}`, { headers: CHALLENGE, members: { hint } })
    }
    const caller = this.#callers.get(owner.consumer)
    if (caller !== undefined) return caller
    this.refusals += 1
    const hint = `add ${owner.consumer} to consumers in the settings, or use another token`
    throw new ApiProblem(403, 'forbidden', `consumer ${owner.consumer} is not in the settings; ${hint}`, {
      members: { hint },
    })
  }

  /** Call before serving; the function returned ends the request. @throws ApiProblem 429 */
  begin(caller: Caller): () => void {
    const running = this.#running.get(caller.id) ?? 0
    if (running >= REQUESTS_PER_CONSUMER_MAX) {
      const hint = 'wait for an answer before asking again'
      const detail = `${caller.id} has ${running} requests running; ${hint}`
      throw new ApiProblem(429, 'too-many-requests', detail, { headers: { 'retry-after': '1' }, members: { hint } })
    }
    this.#running.set(caller.id, running + 1)
    return () => {
      const left = (this.#running.get(caller.id) ?? 1) - 1
      if (left > 0) this.#running.set(caller.id, left)
      else this.#running.delete(caller.id)
    }
  }

  /** With a damaged file of tokens nobody is let in; the log says so once. */
  #verify(token: string): { readonly consumer: string } | undefined {
    try {
      const owner = this.#parts.tokens.verify(token)
      this.#tokensBroken = false
      return owner
    } catch (error) {
      if (!isFault(error)) throw error
      if (!this.#tokensBroken) this.#parts.log.error(`nobody is let in: ${error.message}`, { hint: error.hint })
      this.#tokensBroken = true
      throw new ApiProblem(503, 'unavailable', 'the hub cannot read its tokens; its log says why')
    }
  }
}
