import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Clock } from '../../gateway/contract/clock.ts'
import type { Asked, Exchanging, Reply } from './wire.ts'

const BODY_BYTES_MAX = 100_000
/** What an endless answer is made of, a piece each time the client took the last one. */
const ENDLESS_PIECE = ' '.repeat(16_384)

export interface ServerOptions {
  readonly host?: string
  readonly port?: number
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** The camera on a TCP port, with everything that a fault does to an answer on its way. */
export async function serve(
  camera: Exchanging,
  { host = '127.0.0.1', port = 0, clock, signal }: ServerOptions,
): Promise<{ readonly port: number; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    answer(camera, clock, request, response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  const close = async (): Promise<void> => {
    signal.removeEventListener('abort', onAbort)
    const closed = new Promise<void>((done) => server.close(() => done()))
    server.closeAllConnections()
    await closed
  }
  const onAbort = (): void => void close()
  signal.addEventListener('abort', onAbort, { once: true })
  return { port: (server.address() as AddressInfo).port, close }
}

async function answer(
  camera: Exchanging,
  clock: Clock,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const leaving = new AbortController()
  response.on('close', () => leaving.abort(new Error('the client left')))
  const asked: Asked = {
    method: request.method ?? 'GET',
    path: request.url ?? '/',
    headers: Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)])),
    body: await bodyOf(request),
  }
  const reply = await camera.exchange(asked, leaving.signal)
  if (!leaving.signal.aborted) await write(reply, { clock, response, leaving: leaving.signal })
}

interface Way {
  readonly clock: Clock
  readonly response: ServerResponse
  readonly leaving: AbortSignal
}

async function write({ status, headers, body, manner }: Reply, { clock, response, leaving }: Way): Promise<void> {
  const begin = (length: number | undefined): void => {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
    response.writeHead(status, length === undefined ? {} : { 'content-length': length })
  }
  switch (manner.kind) {
    case 'off':
      return void response.destroy()
    case 'silent':
      return
    case 'late':
      await clock.sleep(manner.byMs, leaving)
      break
    case 'cut':
      begin(body.length)
      response.write(body.subarray(0, body.length >> 1), () => response.destroy())
      return
    case 'drip':
      begin(body.length)
      for (const byte of body) {
        response.write(Buffer.of(byte))
        await clock.sleep(manner.everyMs, leaving)
      }
      return void response.end()
    case 'endless': {
      begin(undefined)
      response.write(body)
      const more = (): void => {
        if (!leaving.aborted) response.write(ENDLESS_PIECE, more)
      }
      return more()
    }
    default:
  }
  begin(body.length)
  response.end(body)
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = []
  let bytes = 0
  for await (const piece of request) {
    bytes += (piece as Buffer).length
    if (bytes > BODY_BYTES_MAX) throw new Error('request is too long')
    pieces.push(piece as Buffer)
  }
  return Buffer.concat(pieces).toString('utf8')
}
