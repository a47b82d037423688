import { z } from 'zod'
import type { Clock } from '../../contract/clock.ts'
import type { CommandRecord, CommandRequest, Outcome, Refusal } from '../../contract/command.ts'
import { duration, name } from '../../contract/units.ts'
import { type Desk, DeskFull, KeyUsed } from '../../core/desk.ts'
import { within } from '../../core/within.ts'
import { readBody } from '../body.ts'
import { readWait, refuseUnknown } from '../parameters.ts'
import { ApiProblem, type ProblemKind } from '../problem.ts'
import { type Answer, type ApiRequest, type Caller, callerOf, type Route } from '../route.ts'

const JSON_TYPE = 'application/json; charset=utf-8'
const PATH = '/v1/commands'
/** An answer is waited for so long, unless `wait` says otherwise: somebody may take ten seconds to open a door. */
const WAIT_MS = 30_000
/** Nobody wants a door to open later than that. */
const WITHIN_MS_MAX = 300_000
const HINT =
  'send {"device":"gate","verb":"unlock"}; beside it may stand "arguments", "expect", "within" such as "10s", and "issued"'

const anything = z.record(z.string().max(60), z.json())
const bodySchema = z.strictObject({
  device: name,
  verb: name,
  arguments: anything.default({}),
  expect: anything.default({}),
  within: duration.refine((ms) => ms >= 100 && ms <= WITHIN_MS_MAX, 'from 100ms to 5m').prefault('10s'),
  issued: z.iso.datetime({ offset: true }).exactOptional(),
})

export interface CommandsParts {
  readonly desk: Pick<Desk, 'request' | 'find'>
  readonly clock: Clock
}

/** `POST /v1/commands` and `GET /v1/commands/{id}`: have something done, once, and see what became of it. */
export function commandRoutes(parts: CommandsParts): readonly Route[] {
  return [
    { method: 'POST', path: PATH, handle: (request) => post(request, parts) },
    { method: 'GET', path: `${PATH}/:id`, handle: (request) => get(request, parts) },
  ]
}

async function post(request: ApiRequest, { desk, clock }: CommandsParts): Promise<Answer> {
  const caller = callerOf(request)
  refuseUnknown(request.query, ['wait'])
  const waitMs = readWait(request.query, WAIT_MS)
  const asked: CommandRequest = { ...bodyOf(request.body), key: keyOf(request) }
  try {
    const { id, done } = desk.request({ by: byOf(caller), rights: caller.commands }, asked)
    // The command goes on without whoever asked for it.
    const record = (await within(waitMs, done, clock)) ?? desk.find(id)
    if (record === undefined) throw new Error(`command ${id} is under way and nobody knows it`)
    return answer(record)
  } catch (error) {
    if (error instanceof KeyUsed) {
      const hint = 'take a new key for every new command, and the same one only to ask again'
      throw new ApiProblem(409, 'key-used', `${error.message}; ${hint}`, { members: { hint } })
    }
    if (error instanceof DeskFull) {
      const headers = { 'retry-after': '1' }
      throw new ApiProblem(429, 'too-many-requests', `${error.message}; nothing was done`, { headers })
    }
    throw error
  }
}

async function get(request: ApiRequest, { desk }: CommandsParts): Promise<Answer> {
  const id = request.path.id ?? ''
  const record = desk.find(id)
  if (record?.by === byOf(callerOf(request))) return { ...answer(record), status: 200 }
  const hint =
    'commands are known for a day at least, to whoever asked for them; older ones are in the log, class audit'
  throw new ApiProblem(404, 'not-found', `there is no command ${id.slice(0, 60)}; ${hint}`, { members: { hint } })
}

function byOf({ id }: Caller): string {
  return `consumer:${id}`
}

/** 200 with what became of it, 202 while it is being executed, a problem where the desk refused it. */
function answer(record: CommandRecord): Answer {
  const { id, by, device, verb, receivedMs, outcome, refusal } = record
  if (outcome !== undefined && refusal !== undefined) throw refused(id, refusal, outcome)
  const { result: state = 'executing', ...more } = outcome ?? {}
  const body = { id, by, device, verb, received: new Date(receivedMs).toISOString(), state, ...more }
  return {
    status: outcome === undefined ? 202 : 200,
    type: JSON_TYPE,
    headers: { location: `${PATH}/${id}` },
    body: JSON.stringify(body),
  }
}

const REFUSED: Readonly<Record<Refusal, readonly [status: number, kind: ProblemKind]>> = {
  right: [403, 'forbidden'],
  device: [404, 'not-found'],
  verb: [422, 'command-refused'],
  arguments: [422, 'command-refused'],
  issued: [422, 'command-refused'],
  deadline: [422, 'command-expired'],
  rate: [429, 'too-many-requests'],
}

/** Such an answer stands in the log too, and the same key gets it again. */
function refused(command: string, refusal: Refusal, outcome: Outcome): ApiProblem {
  const [status, kind] = REFUSED[refusal]
  const detail = outcome.result === 'rejected' ? outcome.reason : 'its time was over when it came'
  return new ApiProblem(status, kind, detail, { members: { command, refusal } })
}

function keyOf(request: ApiRequest): string {
  const key = request.header('idempotency-key')
  if (key !== undefined && /^[\x21-\x7e]{1,100}$/.test(key)) return key
  const hint =
    'send the header Idempotency-Key with a text of its own for each command: when the answer is lost, asking again with it never acts twice'
  const found =
    key === undefined ? 'there is no Idempotency-Key' : 'the Idempotency-Key is not 1 to 100 printable ASCII characters'
  throw new ApiProblem(400, 'bad-request', `${found}; ${hint}`, { members: { hint } })
}

function bodyOf(body: string): Omit<CommandRequest, 'key'> {
  const { within, issued, ...rest } = readBody(bodySchema, body, HINT)
  return { ...rest, withinMs: within, ...(issued === undefined ? {} : { issuedMs: Date.parse(issued) }) }
}
