import type { Clock } from '../../contract/clock.ts'
import type { View } from '../../contract/driver.ts'
import type { Json } from '../../contract/event.ts'
import type { Supervisor } from '../../core/supervisor.ts'
import { within } from '../../core/within.ts'
import { refuseUnknown } from '../parameters.ts'
import { ApiProblem, badParameter } from '../problem.ts'
import { type Answer, type ApiRequest, callerWithAllRights, type Route } from '../route.ts'

const JSON_TYPE = 'application/json; charset=utf-8'
const LINES_TYPE = 'application/x-ndjson; charset=utf-8'
const PATH = '/v1/connections'
/** On a stream that has nothing to say an empty line comes so often, before somebody takes it for dead. */
const SIGN_OF_LIFE_MS = 20_000
const SIGN_OF_LIFE = Buffer.from('\n')

export interface ConnectionsParts {
  readonly connections: Pick<Supervisor, 'accounts' | 'views'>
  readonly clock: Pick<Clock, 'after'>
}

/** `GET /v1/connections`, and `GET /v1/connections/{id}/{view}`: what a connection shows of itself. */
export function connectionRoutes(parts: ConnectionsParts): readonly Route[] {
  return [
    { method: 'GET', path: PATH, handle: async (request) => list(request, parts) },
    { method: 'GET', path: `${PATH}/:id/:view`, handle: async (request) => look(request, parts) },
  ]
}

function list(request: ApiRequest, { connections }: ConnectionsParts): Answer {
  callerWithAllRights(request)
  refuseUnknown(request.query, [])
  return { status: 200, type: JSON_TYPE, body: JSON.stringify({ connections: connections.accounts() }) }
}

function look(request: ApiRequest, { connections, clock }: ConnectionsParts): Answer {
  callerWithAllRights(request)
  const view = viewOf(request, connections)
  const parsed = view.parameters.safeParse(textsOf(request.query))
  if (!parsed.success) throw parameterProblem(request.query, parsed.error.issues)
  const shown = view.look(parsed.data, request.signal)
  return isStream(shown)
    ? { status: 200, type: LINES_TYPE, body: linesOf(shown, clock) }
    : { status: 200, type: JSON_TYPE, body: JSON.stringify(shown) }
}

/** @throws ApiProblem 404 that says what there is */
function viewOf({ path }: ApiRequest, connections: ConnectionsParts['connections']): View {
  const id = path.id ?? ''
  const views = connections.views(id)
  if (views === undefined) {
    const hint = `there are ${
      connections
        .accounts()
        .map((account) => account.id)
        .join(', ') || 'none'
    }`
    throw new ApiProblem(404, 'not-found', `there is no connection ${id.slice(0, 60)}; ${hint}`, { members: { hint } })
  }
  const view = views.get(path.view ?? '')
  if (view !== undefined) return view
  const hint = views.size === 0 ? 'it shows nothing' : `it shows ${[...views.keys()].join(', ')}`
  const detail = `${id} does not show ${(path.view ?? '').slice(0, 60)}; ${hint}`
  throw new ApiProblem(404, 'not-found', detail, { members: { hint } })
}

function textsOf(query: ApiRequest['query']): Record<string, string> {
  return Object.fromEntries(
    Object.entries(query).map(([name, values]) => {
      if (values.length > 1) throw badParameter(name, values.join(','), 'give it once')
      return [name, values[0] ?? '']
    }),
  )
}

interface Issue {
  readonly path: readonly PropertyKey[]
  readonly message: string
  /** Of names that are not known. */
  readonly keys?: readonly string[]
}

function parameterProblem(query: ApiRequest['query'], issues: readonly Issue[]): ApiProblem {
  const { path, message, keys } = issues[0]!
  const name = keys?.[0] ?? String(path[0] ?? '')
  const hint = keys === undefined ? message : 'there is no such parameter'
  return badParameter(name, query[name]?.join(',') ?? '', hint)
}

function isStream(shown: Json | AsyncIterable<Json>): shown is AsyncIterable<Json> {
  return typeof shown === 'object' && shown !== null && Symbol.asyncIterator in shown
}

/** One object a line. The first, empty line lets the answer begin before there is something to show. */
async function* linesOf(stream: AsyncIterable<Json>, clock: Pick<Clock, 'after'>): AsyncGenerator<Buffer> {
  const objects = stream[Symbol.asyncIterator]()
  try {
    yield SIGN_OF_LIFE
    for (let next = objects.next(); ; ) {
      const found = await within(SIGN_OF_LIFE_MS, next, clock)
      if (found?.done === true) return
      yield found === undefined ? SIGN_OF_LIFE : Buffer.from(`${JSON.stringify(found.value)}\n`)
      if (found !== undefined) next = objects.next()
    }
  } finally {
    // Who goes away in the middle leaves nothing running behind.
    await objects.return?.()
  }
}
