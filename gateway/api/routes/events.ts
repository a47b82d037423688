import type { Clock } from '../../contract/clock.ts'
import { cloudEventJson } from '../../contract/cloud-event.ts'
import type { Entry } from '../../contract/event.ts'
import type { Rights } from '../../contract/rights.ts'
import type { Page, Position, Store } from '../../store/store.ts'
import type { CursorCodec } from '../cursor.ts'
import { narrow } from '../narrow.ts'
import { pullConsumer } from '../options.ts'
import { type EventsQuery, PAGE_EVENTS, PAGE_EVENTS_MAX, readEventsQuery } from '../parameters.ts'
import { positionProblem } from '../positions.ts'
import { type Answer, type ApiRequest, type Caller, callerOf, type Route } from '../route.ts'

const PAGE_BYTES_MAX = 1024 * 1024

export interface EventsParts {
  readonly hub: string
  readonly store: Store
  readonly clock: Clock
  /** The cursors of one consumer. */
  readonly cursors: (consumer: string) => CursorCodec
}

/**
 * `GET /v1/events`: what stands behind a cursor, a page at a time or as a stream of lines. The bodies are the very
 * characters that are on the disk; nothing is parsed, and nothing of the log is held while the caller reads.
 */
export function eventsRoute(parts: EventsParts): Route {
  return {
    method: 'GET',
    path: '/v1/events',
    async handle(request) {
      const caller = callerOf(request)
      const cursors = parts.cursors(caller.id)
      const query = readEventsQuery(request.query, cursors)
      const reader = new Reader({ ...parts, cursors }, narrow(caller.rights, query), request.signal)
      try {
        const after = await beginning(parts.store, query, caller)
        return wantsLines(request) ? await lines(reader, query, after) : await page(reader, query, after)
      } catch (error) {
        throw positionProblem(error, cursors)
      }
    },
  }
}

async function beginning(store: Store, { after, classes }: EventsQuery, caller: Caller): Promise<Position> {
  const oldest = { epoch: store.epoch, seq: 0 }
  if (after === 'oldest') return oldest
  if (after === 'newest') return { epoch: store.epoch, seq: store.lastSeq() }
  return after === 'confirmed' ? ((await store.cursor(pullConsumer(caller.id), classes)) ?? oldest) : after
}

function wantsLines(request: ApiRequest): boolean {
  return request.header('accept')?.includes('application/x-ndjson') === true
}

async function page(reader: Reader, query: EventsQuery, after: Position): Promise<Answer> {
  const limit = Math.min(query.limit ?? PAGE_EVENTS, PAGE_EVENTS_MAX)
  const untilMonoMs = reader.nowMs() + query.waitMs
  let found = await reader.read(after, limit)
  while (found.entries.length === 0 && (await reader.awaitMore(found, untilMonoMs))) {
    found = await reader.read(found.next, limit)
  }
  const events = found.entries.map(reader.text).join(',')
  const body = `{"events":[${events}],"next":"${reader.cursor(found)}","more":${found.more}}`
  return { status: 200, type: 'application/json; charset=utf-8', body }
}

async function lines(reader: Reader, query: EventsQuery, after: Position): Promise<Answer> {
  const untilMonoMs = reader.nowMs() + query.waitMs
  const limit = query.limit ?? Number.POSITIVE_INFINITY
  // The first page is read before the answer begins: a cursor that does not fit is still a problem with a status.
  const first = await reader.read(after, Math.min(limit, PAGE_EVENTS))
  const body = pieces(reader, first, limit, untilMonoMs)
  return { status: 200, type: 'application/x-ndjson; charset=utf-8', body }
}

/** Each piece is a page of events, one a line, and a line with the cursor behind them. */
async function* pieces(reader: Reader, first: Page, limit: number, untilMonoMs: number): AsyncGenerator<Buffer> {
  let left = limit
  for (let found = first; ; ) {
    left -= found.entries.length
    const size = Math.min(left, PAGE_EVENTS)
    // Read while the page before it crosses the network; one page ahead and no more.
    const ahead = found.more && left > 0 ? reader.read(found.next, size) : undefined
    // When the caller goes away meanwhile, nobody waits for this page any more, nor for its failure.
    ahead?.catch(() => undefined)
    const events = found.entries.map((entry) => `${reader.text(entry)}\n`).join('')
    yield Buffer.from(`${events}{"next":"${reader.cursor(found)}","more":${found.more}}\n`)
    if (ahead !== undefined) found = await ahead
    else if (left > 0 && (await reader.awaitMore(found, untilMonoMs))) found = await reader.read(found.next, size)
    else return
  }
}

interface ReaderParts extends Omit<EventsParts, 'cursors'> {
  readonly cursors: CursorCodec
}

/** The log as one request may see it. */
class Reader {
  readonly text: (entry: Entry) => string
  readonly #parts: ReaderParts
  readonly #rights: Rights
  readonly #signal: AbortSignal

  constructor(parts: ReaderParts, rights: Rights, signal: AbortSignal) {
    this.#parts = parts
    this.#rights = rights
    this.#signal = signal
    this.text = (entry) => cloudEventJson(parts.hub, entry)
  }

  read(after: Position, limit: number): Promise<Page> {
    return this.#parts.store.read({ after, limit, bytesMax: PAGE_BYTES_MAX, rights: this.#rights })
  }

  cursor(page: Page): string {
    return this.#parts.cursors.write(page.next)
  }

  nowMs(): number {
    return this.#parts.clock.monoMs()
  }

  /** True when it is worth reading on behind this page; false when the time is over or the caller gone. */
  async awaitMore(page: Page, untilMonoMs: number): Promise<boolean> {
    const { clock, store } = this.#parts
    const leftMs = untilMonoMs - clock.monoMs()
    if (leftMs <= 0 || this.#signal.aborted) return false
    if (page.more) return true
    const over = new AbortController()
    const stop = (): void => over.abort()
    const cancel = clock.after(leftMs, stop)
    this.#signal.addEventListener('abort', stop, { once: true })
    try {
      await store.beyond(page.next.seq, over.signal)
      return true
    } catch (error) {
      if (over.signal.aborted) return false
      throw error
    } finally {
      cancel()
      this.#signal.removeEventListener('abort', stop)
    }
  }
}
