import { z } from 'zod'
import type { Position, Store } from '../../store/store.ts'
import type { CursorCodec } from '../cursor.ts'
import { positionProblem } from '../positions.ts'
import { ApiProblem } from '../problem.ts'
import { type Answer, type ApiRequest, callerOf, type Route } from '../route.ts'

const JSON_TYPE = 'application/json; charset=utf-8'
const HINT = 'send {"cursor":"..."} with the `next` of a page'
const bodySchema = z.strictObject({ cursor: z.string() })

export interface ConsumersParts {
  readonly store: Store
  readonly cursors: CursorCodec
}

/** Under what name the cursor of a pulling consumer is kept in the log. */
export function pullConsumer(id: string): string {
  return `pull:${id}`
}

/** `GET` and `PUT /v1/consumers/{id}/cursor`: where a consumer has confirmed, kept by the hub. */
export function consumerRoutes(parts: ConsumersParts): readonly Route[] {
  const path = '/v1/consumers/:id/cursor'
  return [
    {
      method: 'GET',
      path,
      handle: async (request) => answer(await parts.store.cursor(pullConsumer(ownId(request))), parts.cursors),
    },
    { method: 'PUT', path, handle: (request) => confirm(request, parts) },
  ]
}

/** Confirm up to a cursor. Never moves back: of two that come at once the later one wins, in whatever order. */
async function confirm(request: ApiRequest, { store, cursors }: ConsumersParts): Promise<Answer> {
  const id = ownId(request)
  const position = cursors.read(cursorOf(request.body), 'cursor')
  try {
    return answer(await store.confirm(pullConsumer(id), position), cursors)
  } catch (error) {
    throw positionProblem(error, cursors)
  }
}

function answer(position: Position | undefined, cursors: CursorCodec): Answer {
  const cursor = position === undefined ? null : cursors.write(position)
  return { status: 200, type: JSON_TYPE, body: JSON.stringify({ cursor }) }
}

function ownId(request: ApiRequest): string {
  const { id } = callerOf(request)
  if (request.path.id === id) return id
  const hint = `the token is that of ${id}; its cursor is at /v1/consumers/${id}/cursor`
  throw new ApiProblem(403, 'forbidden', `this cursor belongs to another consumer; ${hint}`, { members: { hint } })
}

function cursorOf(body: string): string {
  let json: unknown
  try {
    json = JSON.parse(body)
  } catch (cause) {
    const members = { hint: HINT }
    throw new ApiProblem(400, 'bad-request', `the body is not JSON: ${(cause as Error).message}; ${HINT}`, { members })
  }
  const parsed = bodySchema.safeParse(json)
  if (parsed.success) return parsed.data.cursor
  const issue = parsed.error.issues[0]
  const where = issue?.path.join('.') ?? ''
  const detail = `the body is not understood: ${where === '' ? '' : `${where}: `}${issue?.message}; ${HINT}`
  throw new ApiProblem(400, 'bad-request', detail, { members: { hint: HINT } })
}
