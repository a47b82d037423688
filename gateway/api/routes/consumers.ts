import { z } from 'zod'
import { EVENT_CLASSES } from '../../contract/event.ts'
import type { Position, Store } from '../../store/store.ts'
import { readBody } from '../body.ts'
import type { CursorCodec } from '../cursor.ts'
import { pullConsumer } from '../options.ts'
import { positionProblem } from '../positions.ts'
import { ApiProblem } from '../problem.ts'
import { type Answer, type ApiRequest, callerOf, type Route } from '../route.ts'

const JSON_TYPE = 'application/json; charset=utf-8'
const HINT =
  'send {"cursor":"..."} with the `next` of a page, and {"classes":["alarm"]} beside it to confirm only those'
const bodySchema = z.strictObject({
  cursor: z.string(),
  classes: z.array(z.enum(EVENT_CLASSES)).nonempty().max(EVENT_CLASSES.length).exactOptional(),
})

export interface ConsumersParts {
  readonly store: Store
  /** The cursors of one consumer. */
  readonly cursors: (consumer: string) => CursorCodec
}

/** `GET` and `PUT /v1/consumers/{id}/cursor`: where a consumer has confirmed, in all and by class, kept by the hub. */
export function consumerRoutes(parts: ConsumersParts): readonly Route[] {
  const path = '/v1/consumers/:id/cursor'
  return [
    { method: 'GET', path, handle: (request) => answer(ownId(request), parts) },
    { method: 'PUT', path, handle: (request) => confirm(request, parts) },
  ]
}

/** Confirm up to a cursor. Never moves back: of two that come at once the later one wins, in whatever order. */
async function confirm(request: ApiRequest, parts: ConsumersParts): Promise<Answer> {
  const id = ownId(request)
  const cursors = parts.cursors(id)
  const { cursor, classes } = readBody(bodySchema, request.body, HINT)
  const position = cursors.read(cursor, 'cursor')
  try {
    await parts.store.confirm(pullConsumer(id), position, classes)
  } catch (error) {
    throw positionProblem(error, cursors)
  }
  return answer(id, parts)
}

/** `cursor` is the place up to which all classes are confirmed; `classes` says how far each one is. */
async function answer(id: string, { store, cursors }: ConsumersParts): Promise<Answer> {
  const codec = cursors(id)
  const write = (position: Position | undefined): string | null =>
    position === undefined ? null : codec.write(position)
  const each = await Promise.all(
    EVENT_CLASSES.map(async (name) => [name, write(await store.cursor(pullConsumer(id), [name]))] as const),
  )
  const cursor = write(await store.cursor(pullConsumer(id)))
  return { status: 200, type: JSON_TYPE, body: JSON.stringify({ cursor, classes: Object.fromEntries(each) }) }
}

function ownId(request: ApiRequest): string {
  const { id } = callerOf(request)
  if (request.path.id === id) return id
  const hint = `the token is that of ${id}; its cursor is at /v1/consumers/${id}/cursor`
  throw new ApiProblem(403, 'forbidden', `this cursor belongs to another consumer; ${hint}`, { members: { hint } })
}
