import { request as ask, type ClientRequest, type IncomingMessage } from 'node:http'
import { request as askSecurely } from 'node:https'
import { Fault } from '../contract/fault.ts'
import type { HttpAnswer, HttpIo, HttpRequest } from '../contract/io.ts'

/** One request, one connection: cameras mix up answers on connections that are used again. */
export function createHttp(): HttpIo {
  return {
    request(request, signal) {
      return new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason)
        const url = new URL(request.url)
        if (url.protocol !== 'http:' && url.protocol !== 'https:') throw new Error(`no way to ask ${url.protocol}`)
        const { method, headers = {}, body } = request
        const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
        const open = url.protocol === 'https:' ? askSecurely : ask
        const client = open(url, { method, headers: { ...headers, ...length, connection: 'close' }, agent: false })
        const exchange = new Exchange(request, client, url.host)
        const onAbort = (): void => exchange.fail(signal.reason)
        signal.addEventListener('abort', onAbort, { once: true })
        exchange.done.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
        client.end(body)
      })
    },
  }
}

/** From dialling to the last byte, inside one deadline and one limit of bytes. */
class Exchange {
  readonly done: Promise<HttpAnswer>
  readonly #request: HttpRequest
  readonly #client: ClientRequest
  readonly #host: string
  readonly #timer: NodeJS.Timeout
  #settle: { resolve(answer: HttpAnswer): void; reject(error: unknown): void } | undefined

  constructor(request: HttpRequest, client: ClientRequest, host: string) {
    this.#request = request
    this.#client = client
    this.#host = host
    this.done = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject }
    })
    const { timeoutMs } = request
    this.#timer = setTimeout(
      () => this.fail(this.#fault(`it did not answer within ${timeoutMs} ms`, 'timeout')),
      timeoutMs,
    )
    client.on('error', (error: NodeJS.ErrnoException) =>
      this.fail(this.#fault(error.message, error.code?.toLowerCase() ?? 'http')),
    )
    let answered = false
    client.on('response', (answer) => {
      answered = true
      this.#hear(answer)
    })
    // Such as after an answer that changes the protocol, which nobody here speaks.
    client.on('close', () => {
      if (!answered) this.fail(this.#fault('it hung up without an answer', 'cut'))
    })
  }

  fail(error: unknown): void {
    clearTimeout(this.#timer)
    this.#settle?.reject(error)
    this.#settle = undefined
    this.#client.destroy()
  }

  #hear(answer: IncomingMessage): void {
    const pieces: Buffer[] = []
    let bytes = 0
    answer.on('data', (piece: Buffer) => {
      bytes += piece.length
      if (bytes > this.#request.bytesMax)
        this.fail(this.#fault(`its answer is longer than ${this.#request.bytesMax} bytes`, 'too-long'))
      else pieces.push(piece)
    })
    // Once an answer has begun, what can go wrong with it is that it ends too early.
    const cut = (): void => this.fail(this.#fault('it hung up in the middle of its answer', 'cut'))
    answer.on('error', cut)
    answer.on('close', () => {
      if (!answer.complete) cut()
    })
    answer.on('end', () => {
      clearTimeout(this.#timer)
      const headers = Object.fromEntries(Object.entries(answer.headers).map(([name, value]) => [name, String(value)]))
      this.#settle?.resolve({ status: answer.statusCode ?? 0, headers, body: Buffer.concat(pieces) })
      this.#settle = undefined
    })
  }

  #fault(reason: string, code: string): Fault {
    return new Fault('connection', `${this.#host}: ${reason}`, {
      code,
      hint: 'is the device on, and are address and port right?',
    })
  }
}
