import { readFile } from 'node:fs/promises'
import { createServer as createHttp } from 'node:http'
import { createServer as createHttps } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { Readable } from 'node:stream'
import Fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { Clock } from '../contract/clock.ts'
import { Fault, isFault } from '../contract/fault.ts'
import type { Figure } from '../contract/figure.ts'
import type { SecretIo } from '../contract/io.ts'
import type { Log } from '../contract/log.ts'
import type { Desk } from '../core/desk.ts'
import type { Supervisor } from '../core/supervisor.ts'
import type { Store } from '../store/store.ts'
import { Access } from './access.ts'
import { type CursorCodec, createCursorCodec } from './cursor.ts'
import { API_LIMITS, type ApiLimits } from './limits.ts'
import type { ApiTlsOptions, ConsumerOptions } from './options.ts'
import { ApiProblem } from './problem.ts'
import { type Answer, type ApiRequest, type Caller, nowhere, type Route } from './route.ts'
import { type BackupParts, backupRoute } from './routes/backup.ts'
import { commandRoutes } from './routes/commands.ts'
import { connectionRoutes } from './routes/connections.ts'
import { consumerRoutes } from './routes/consumers.ts'
import { eventsRoute } from './routes/events.ts'
import { type Health, healthRoute } from './routes/health.ts'
import { type HubFacts, hubRoute } from './routes/hub.ts'
import { metricsRoute } from './routes/metrics.ts'
import type { TokenBook } from './tokens.ts'

const PROBLEM_TYPE = 'application/problem+json'
/** Answers are for this caller and this moment only, and are what they say they are. */
const SAFE_HEADERS = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' }

export interface ApiParts extends BackupParts {
  /** `host:port`; an IPv6 host in brackets; port 0 takes a free one. */
  readonly listen: string
  readonly tls?: ApiTlsOptions
  /** For the key of `tls`, when it is a secret. */
  readonly secrets?: SecretIo
  readonly hub: HubFacts
  /** The hub's own key: cursors carry a hash made with it, so they outlive a restart and can't be made up. */
  readonly key: Uint8Array
  readonly store: Store
  readonly desk: Pick<Desk, 'request' | 'find'>
  readonly connections: Pick<Supervisor, 'accounts' | 'views'>
  readonly clock: Clock
  readonly log: Log
  readonly signal: AbortSignal
  readonly consumers: readonly ConsumerOptions[]
  readonly tokens: Pick<TokenBook, 'verify'>
  readonly health: Health
  readonly figures: () => readonly Figure[]
  readonly limits?: Partial<ApiLimits>
}

export interface Api {
  /** Such as `http://127.0.0.1:8443`. */
  readonly url: string
  /** Resolves when every connection is closed. */
  close(): Promise<void>
}

/**
 * Serve the pull API until the signal aborts or `close` is called.
 * @throws Fault of reach `setup` when the address can't be listened on or the certificate can't be read
 */
export async function startApi(parts: ApiParts): Promise<Api> {
  const limits = { ...API_LIMITS, ...parts.limits }
  const stopping = new AbortController()
  const pem = parts.tls === undefined ? undefined : await readPem(parts.tls, parts.secrets)
  const app = build(parts, limits, pem)
  serve(app, parts, limits, stopping.signal)
  const url = await listen(app, parts)
  let closed: Promise<void> | undefined
  const close = (): Promise<void> => {
    closed ??= shut(app, stopping, parts.clock, limits.farewellMs)
    return closed
  }
  if (parts.signal.aborted) await close()
  else parts.signal.addEventListener('abort', () => void close(), { once: true })
  return { url, close }
}

/** Bodies are checked with zod. Fastify's own compilers of JSON Schema would only take 2 MB of memory. */
function noCompiler(): never {
  throw new Error('a route has a schema of Fastify: check its body with zod (body.ts)')
}

/** The server with its limits, and bodies as text: what they mean is the business of the routes. */
function build(parts: ApiParts, limits: ApiLimits, pem: Pem | undefined): FastifyInstance {
  const options = {
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.requestMs,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.silenceMs,
    connectionsCheckingInterval: Math.min(2000, limits.requestMs),
  }
  const app = Fastify({
    serverFactory: (handler) => {
      const server = pem === undefined ? createHttp(options, handler) : createHttps({ ...options, ...pem }, handler)
      server.setTimeout(limits.silenceMs)
      server.maxConnections = limits.connections
      return server
    },
    bodyLimit: limits.bodyBytes,
    exposeHeadRoutes: false,
    forceCloseConnections: 'idle',
    schemaController: { compilersFactory: { buildValidator: noCompiler, buildSerializer: noCompiler } },
    clientErrorHandler: (error, socket) => dismiss(error, socket),
    frameworkErrors: (error, _request, reply) => void sendProblem(reply, problemOf(error, parts.log)),
  })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body))
  return app
}

function serve(app: FastifyInstance, parts: ApiParts, limits: ApiLimits, stopping: AbortSignal): void {
  const access = new Access(parts)
  const callers = new WeakMap<FastifyRequest, Caller>()
  const routes = routesOf(parts, access)
  const open = new Set(routes.filter((route) => route.open).map(({ method, path }) => `${method} ${path}`))
  app.addHook('onRequest', async (request, reply) => {
    if (request.raw.url !== undefined && request.raw.url.length > limits.urlCharacters) {
      throw new ApiProblem(414, 'too-large', `the address is longer than ${limits.urlCharacters} characters`)
    }
    const { authorization } = request.headers
    if (authorization === undefined && open.has(`${request.method} ${request.routeOptions.url}`)) return
    const caller = access.callerOf(authorization)
    reply.raw.once('close', access.begin(caller))
    callers.set(request, caller)
  })
  for (const route of routes) {
    const handler = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
      const answer = await route.handle(requestOf(request, reply, callers.get(request), stopping))
      return send(reply, answer, stopping)
    }
    app.route({ method: route.method, url: route.path, handler })
  }
  app.setNotFoundHandler((request, reply) => sendProblem(reply, nowhere(request.method, request.url, routes)))
  app.setErrorHandler((error, _request, reply) => sendProblem(reply, problemOf(error, parts.log)))
}

function routesOf(parts: ApiParts, access: Access): readonly Route[] {
  const { hub, store, desk, connections, clock } = parts
  const cursors = (consumer: string): CursorCodec => createCursorCodec(parts.key, consumer)
  const help = 'Requests that were refused for want of a valid token.'
  const refused = (): Figure => ({ name: 'linli_api_refused_total', help, kind: 'counter', value: access.refusals })
  return [
    eventsRoute({ hub: hub.id, store, clock, cursors }),
    ...consumerRoutes({ store, cursors }),
    ...commandRoutes({ desk, clock }),
    ...connectionRoutes({ connections, clock }),
    backupRoute(parts),
    hubRoute(hub),
    healthRoute(parts.health),
    metricsRoute(() => [...parts.figures(), refused()]),
  ]
}

function requestOf(
  request: FastifyRequest,
  reply: FastifyReply,
  caller: Caller | undefined,
  stopping: AbortSignal,
): ApiRequest {
  let signal: AbortSignal | undefined
  return {
    caller,
    path: request.params as Record<string, string>,
    query: queryOf(request.query as Record<string, string | string[]>),
    header: (name) => request.headers[name]?.toString(),
    body: typeof request.body === 'string' ? request.body : '',
    get signal() {
      signal ??= endOf(reply, stopping)
      return signal
    },
  }
}

function queryOf(query: Readonly<Record<string, string | string[]>>): Record<string, readonly string[]> {
  return Object.fromEntries(Object.entries(query).map(([name, value]) => [name, [value].flat()]))
}

/** Aborts when the connection closes or the hub stops; leaves no listener on the latter. */
function endOf(reply: FastifyReply, stopping: AbortSignal): AbortSignal {
  const ending = new AbortController()
  const end = (): void => {
    stopping.removeEventListener('abort', end)
    ending.abort()
  }
  if (stopping.aborted || reply.raw.destroyed) ending.abort()
  else {
    stopping.addEventListener('abort', end, { once: true })
    reply.raw.once('close', end)
  }
  return ending.signal
}

function send(reply: FastifyReply, answer: Answer, stopping: AbortSignal): FastifyReply {
  const { status, type, headers = {}, body } = answer
  void reply.code(status).headers({ ...SAFE_HEADERS, ...headers, 'content-type': type })
  if (stopping.aborted) void reply.header('connection', 'close')
  // A buffer of nothing: the next page is read when the caller has taken this one.
  return reply.send(typeof body === 'string' ? body : Readable.from(body, { objectMode: false, highWaterMark: 0 }))
}

function sendProblem(reply: FastifyReply, problem: ApiProblem): FastifyReply {
  const headers = { ...SAFE_HEADERS, ...problem.headers, 'content-type': PROBLEM_TYPE }
  return reply.code(problem.status).headers(headers).send(problem.json())
}

function problemOf(error: unknown, log: Log): ApiProblem {
  if (error instanceof ApiProblem) return error
  if (isFault(error)) {
    const headers = { 'retry-after': '5' }
    return new ApiProblem(503, 'unavailable', error.message, { headers, members: { code: error.code } })
  }
  const { statusCode, message } = error as FastifyError
  if (statusCode === 413) return new ApiProblem(413, 'too-large', message)
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new ApiProblem(statusCode, 'bad-request', message)
  }
  if (statusCode === 503) return new ApiProblem(503, 'unavailable', 'the hub stops; try again in a moment')
  log.error('a request ended in a bug', { error })
  return new ApiProblem(500, 'bug', 'the hub made a mistake; its log says more')
}

/** What is not HTTP, or came too slowly, before there was a request. */
function dismiss(error: Error & { code?: string }, socket: Socket): void {
  if (!socket.writable) {
    socket.destroy()
    return
  }
  const problem =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? new ApiProblem(431, 'too-large', 'the headers are too large')
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? new ApiProblem(408, 'timeout', 'the request came too slowly')
        : new ApiProblem(400, 'bad-request', 'this is not HTTP')
  const body = problem.json()
  const head = [`HTTP/1.1 ${problem.status} ${problem.kind}`, `content-type: ${PROBLEM_TYPE}`]
  socket.end([...head, `content-length: ${Buffer.byteLength(body)}`, 'connection: close', '', body].join('\r\n'))
}

async function listen(app: FastifyInstance, { listen: address, tls }: ApiParts): Promise<string> {
  const colon = address.lastIndexOf(':')
  const host = address.slice(0, colon).replace(/^\[|\]$/g, '')
  try {
    await app.listen({ host, port: Number(address.slice(colon + 1)) })
  } catch (cause) {
    await app.close()
    const hint = 'give a free port and an address of this machine'
    throw new Fault('setup', `api.listen: ${address} can't be listened on: ${(cause as Error).message}`, {
      hint,
      cause,
    })
  }
  const { port } = app.server.address() as AddressInfo
  return `${tls === undefined ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${port}`
}

async function shut(app: FastifyInstance, stopping: AbortController, clock: Clock, farewellMs: number): Promise<void> {
  stopping.abort(new Error('the hub stops'))
  const cancel = clock.after(farewellMs, () => app.server.closeAllConnections())
  try {
    await app.close()
  } finally {
    cancel()
  }
}

interface Pem {
  readonly cert: string
  readonly key: string
}

async function readPem(tls: ApiTlsOptions, secrets: SecretIo | undefined): Promise<Pem> {
  return { cert: await pemFile(tls.cert, 'cert'), key: await keyOf(tls.key, secrets) }
}

async function keyOf(key: ApiTlsOptions['key'], secrets: SecretIo | undefined): Promise<string> {
  if (typeof key === 'string') return await pemFile(key, 'key')
  if (secrets === undefined) throw new Error('a key that is a secret needs `secrets` among the parts')
  return await secrets.load(key.secret)
}

async function pemFile(path: string, option: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    const hint = 'give the path of a PEM file that the hub may read'
    throw new Fault('setup', `api.tls.${option}: ${path} can't be read: ${(cause as Error).message}`, { hint, cause })
  }
}
