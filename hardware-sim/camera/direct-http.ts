import type { Clock } from '../../gateway/contract/clock.ts'
import { Fault } from '../../gateway/contract/fault.ts'
import type { HttpAnswer, HttpIo, HttpRequest } from '../../gateway/contract/io.ts'
import type { Exchanging, Reply } from './wire.ts'

/**
 * HTTP to simulated cameras without a network: all time is the clock's, so that hours of faults pass in
 * milliseconds. It keeps the limits of `HttpIo` as the real one does.
 * @param at who answers at this `host:port`; undefined for nobody
 */
export function directHttp(clock: Clock, at: (place: string) => Exchanging | undefined): HttpIo {
  return {
    async request(request, signal) {
      signal.throwIfAborted()
      const { host, pathname, search } = new URL(request.url)
      const camera = at(host)
      if (camera === undefined) throw fault(host, `connect ECONNREFUSED ${host}`, 'econnrefused')
      const leaving = new AbortController()
      const ending = new AbortController()
      const onAbort = (): void => ending.abort(signal.reason)
      signal.addEventListener('abort', onAbort, { once: true })
      const cancel = clock.after(request.timeoutMs, () =>
        ending.abort(fault(host, `it did not answer within ${request.timeoutMs} ms`, 'timeout')),
      )
      try {
        const { method, headers = {}, body = '' } = request
        const asked = { method, path: pathname + search, headers, body }
        const reply = await until(ending.signal, camera.exchange(asked, leaving.signal))
        return await deliver(reply, request, { clock, host, ending: ending.signal })
      } finally {
        cancel()
        signal.removeEventListener('abort', onAbort)
        leaving.abort(new Error('the client left'))
      }
    },
  }
}

interface Way {
  readonly clock: Clock
  readonly host: string
  readonly ending: AbortSignal
}

async function deliver(reply: Reply, request: HttpRequest, { clock, host, ending }: Way): Promise<HttpAnswer> {
  const { status, headers, body, manner } = reply
  switch (manner.kind) {
    case 'off':
      throw fault(host, 'socket hang up', 'econnreset')
    case 'silent':
      return until(ending, new Promise<never>(() => undefined))
    case 'late':
      await clock.sleep(manner.byMs, ending)
      break
    case 'drip':
      await clock.sleep(manner.everyMs * body.length, ending)
      break
    case 'cut':
      throw fault(host, 'it hung up in the middle of its answer', 'cut')
    case 'endless':
      throw fault(host, `its answer is longer than ${request.bytesMax} bytes`, 'too-long')
    default:
  }
  if (body.length > request.bytesMax)
    throw fault(host, `its answer is longer than ${request.bytesMax} bytes`, 'too-long')
  const joined = Object.entries(headers).map(([name, value]) => [
    name.toLowerCase(),
    typeof value === 'string' ? value : value.join(', '),
  ])
  return { status, headers: Object.fromEntries(joined) as Record<string, string>, body }
}

/** The promise, or the end of the exchange. */
function until<T>(ending: AbortSignal, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(ending.reason)
    if (ending.aborted) return onAbort()
    ending.addEventListener('abort', onAbort, { once: true })
    promise.then(resolve, reject).finally(() => ending.removeEventListener('abort', onAbort))
  })
}

function fault(host: string, reason: string, code: string): Fault {
  return new Fault('connection', `${host}: ${reason}`, {
    code,
    hint: 'is the device on, and are address and port right?',
  })
}
