import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { HttpAnswer, HttpRequest } from '../../../../gateway/contract/io.ts'
import { createHttp } from '../../../../gateway/io/http.ts'

const http = createHttp()
let life: AbortController
const servers: (Server | TcpServer)[] = []

beforeEach(() => {
  life = new AbortController()
})
afterEach(() => {
  life.abort(new Error('over'))
  for (const server of servers.splice(0)) {
    if ('closeAllConnections' in server) server.closeAllConnections()
    server.close()
  }
})
async function listening(server: Server | TcpServer): Promise<number> {
  servers.push(server.listen(0, '127.0.0.1'))
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}
const serving = (listener: RequestListener): Promise<number> => listening(createServer(listener))
/** A server that says these bytes to whoever comes, and hangs up or not. */
const saying = (bytes: string, end = true): Promise<number> =>
  listening(
    createTcpServer((socket) => {
      socket.on('error', () => socket.destroy())
      socket.once('data', () => (end ? socket.end(bytes) : socket.write(bytes)))
    }),
  )
function ask(port: number, more: Partial<HttpRequest> = {}): Promise<HttpAnswer> {
  const url = `http://127.0.0.1:${port}/a?b=c`
  return http.request({ method: 'GET', url, timeoutMs: 2000, bytesMax: 1000, ...more }, life.signal)
}

test('a request goes out as it is meant, and its answer comes back whole', async () => {
  const port = await serving((request, response) => {
    request.setEncoding('utf8').on('data', (body: string) => {
      const { method, url, headers } = request
      response.writeHead(201, { 'x-seen': `${method} ${url} ${headers['content-length']} ${headers.connection}` })
      response.end(`got ${body}`)
    })
  })
  const answer = await ask(port, { method: 'POST', body: '灯', headers: { 'content-type': 'text/plain' } })
  expect(answer.status).toBe(201)
  expect(answer.headers['x-seen']).toBe('POST /a?b=c 3 close')
  expect(Buffer.from(answer.body).toString()).toBe('got 灯')
})

test('a redirect is an answer, and is not followed', async () => {
  let requests = 0
  const port = await serving((_request, response) => {
    requests += 1
    response.writeHead(302, { location: '/elsewhere' }).end()
  })
  expect(await ask(port)).toMatchObject({ status: 302, headers: { location: '/elsewhere' } })
  expect(requests).toBe(1)
})

test('several challenges stand in one header', async () => {
  const port = await serving((_request, response) => {
    response.writeHead(401, { 'www-authenticate': ['Digest realm="a"', 'Basic realm="b"'] }).end()
  })
  expect((await ask(port)).headers['www-authenticate']).toBe('Digest realm="a", Basic realm="b"')
})

test('an answer that ends with its connection is whole', async () => {
  const port = await saying('HTTP/1.0 200 OK\r\n\r\nall of it')
  expect(Buffer.from((await ask(port)).body).toString()).toBe('all of it')
})

const BAD: readonly [string, () => Promise<number>, string][] = [
  ['never answers', () => saying('', false), 'timeout'],
  ['says a head and then nothing', () => saying('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n', false), 'timeout'],
  [
    'drips',
    () =>
      serving((_request, response) => {
        response.writeHead(200)
        const timer = setInterval(() => response.write('a'), 5)
        response.on('close', () => clearInterval(timer))
      }),
    'timeout',
  ],
  ['says too much', () => saying(`HTTP/1.1 200 OK\r\ncontent-length: 2000\r\n\r\n${'a'.repeat(2000)}`), 'too-long'],
  [
    'never ends',
    () =>
      serving((_request, response) => {
        const more = (): void => void response.write('a'.repeat(500), (error) => (error ? response.destroy() : more()))
        more()
      }),
    'too-long',
  ],
  ['hangs up in the middle', () => saying('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf'), 'cut'],
  ['hangs up at once', () => saying(''), 'econnreset'],
  ['speaks no HTTP', () => saying('220 ftp ready\r\n'), 'hpe_invalid_constant'],
  ['changes the protocol', () => saying('HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'), 'cut'],
]

test.each(BAD)('a server that %s is a fault of the connection, in time', async (_name, serve, code) => {
  const port = await serve()
  const startedMs = performance.now()
  // Who is to see something else than the end of the time has enough of it on a busy machine too.
  const timeoutMs = code === 'timeout' ? 300 : 5000
  await expect(ask(port, { timeoutMs })).rejects.toMatchObject({ reach: 'connection', code })
  expect(performance.now() - startedMs).toBeLessThan(timeoutMs + 2000)
})

test('a port where nobody listens is a fault of the connection that names it', async () => {
  const port = await serving(() => undefined)
  const [server] = servers.splice(0)
  server!.close()
  await once(server!, 'close')
  await expect(ask(port)).rejects.toMatchObject({
    reach: 'connection',
    code: 'econnrefused',
    message: expect.stringContaining(`127.0.0.1:${port}`),
  })
})

test('the end of a life ends its request, with the reason', async () => {
  const port = await saying('', false)
  const asking = ask(port)
  life.abort(new Error('stopped'))
  await expect(asking).rejects.toThrow('stopped')
  await expect(ask(port)).rejects.toThrow('stopped')
})
