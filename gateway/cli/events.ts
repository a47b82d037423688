import { Fault } from '../contract/fault.ts'
import { readArguments, UsageError } from './arguments.ts'
import { type CloudEvent, eventLine } from './event-line.ts'
import { readGeneralSettings, settingsPath } from './settings-file.ts'
import type { Terminal } from './terminal.ts'

/** The hub holds a question for so long when there is nothing new; it allows 55 s. */
const WAIT_S = 25
/** Longer than the wait: a hub that says nothing at all is gone. */
const ANSWER_MS = 60_000
/** Between two tries while a followed hub is away. */
const RETRY_MS = 2000
const PAGE_EVENTS = 500

const OPTIONS = {
  settings: { type: 'string' },
  url: { type: 'string' },
  after: { type: 'string', default: 'oldest' },
  limit: { type: 'string' },
  types: { type: 'string' },
  devices: { type: 'string' },
  classes: { type: 'string' },
  follow: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
} as const

export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  const { values } = readArguments(args, OPTIONS)
  const { types, devices, classes, follow, json } = values
  let left = values.limit === undefined ? Number.POSITIVE_INFINITY : Number(values.limit)
  if (!(left >= 1)) throw new UsageError(`--limit ${values.limit}: a whole number from 1 is wanted`)
  const base = values.url ?? localUrl(settingsPath(values.settings, terminal))
  const hub = new HubLog(base, tokenOf(terminal), terminal.signal)
  const chosen = { ...(types && { types }), ...(devices && { devices }), ...(classes && { classes }) }
  for (let after = values.after; ; ) {
    const limit = String(Math.min(left, PAGE_EVENTS))
    const wait = follow ? `${WAIT_S}s` : '0s'
    const page = await hub.read({ after, limit, wait, ...chosen }, follow)
    if (page === undefined) return 0
    for (const event of page.events) terminal.out(`${json ? JSON.stringify(event) : eventLine(event)}\n`)
    left -= page.events.length
    after = page.next
    if (left <= 0 || (!page.more && !follow)) return 0
  }
}

interface Page {
  readonly events: readonly CloudEvent[]
  readonly next: string
  readonly more: boolean
}

class HubLog {
  readonly #base: string
  readonly #token: string
  readonly #signal: AbortSignal

  constructor(base: string, token: string, signal: AbortSignal) {
    this.#base = base
    this.#token = token
    this.#signal = signal
  }

  /** A page, or undefined on Ctrl-C. @param patient go on trying while the hub is away, once it was there */
  async read(query: Readonly<Record<string, string>>, patient: boolean): Promise<Page | undefined> {
    const url = new URL(`/v1/events?${new URLSearchParams(query)}`, this.#base)
    for (;;) {
      try {
        return await this.#ask(url)
      } catch (error) {
        if (this.#signal.aborted) return undefined
        const isAway = error instanceof Fault && error.code === 'away'
        if (!(patient && isAway && query.after !== 'oldest' && query.after !== 'newest')) throw error
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
      }
    }
  }

  async #ask(url: URL): Promise<Page> {
    const headers = { authorization: `Bearer ${this.#token}`, accept: 'application/json' }
    const signal = AbortSignal.any([this.#signal, AbortSignal.timeout(ANSWER_MS)])
    let answer: Response
    try {
      answer = await fetch(url, { headers, signal, redirect: 'error' })
    } catch (cause) {
      const reason = reasonOf(cause)
      throw new Fault('connection', `no hub answers at ${this.#base}: ${reason}`, {
        code: 'away',
        hint: /certificate/i.test(reason)
          ? 'trust its certificate with NODE_EXTRA_CA_CERTS=FILE'
          : 'is it running (systemctl status linli-hub)? Is the address right (--url)?',
        cause,
      })
    }
    const body = await answer.text()
    if (answer.ok) return JSON.parse(body) as Page
    throw problemFault(answer.status, body)
  }
}

/** What the hub says is wrong (RFC 9457), as a person reads it. */
function problemFault(status: number, body: string): Fault {
  let problem: { readonly title?: string; readonly detail?: string; readonly hint?: string } = {}
  try {
    problem = JSON.parse(body)
  } catch {
    return new Fault('connection', `the hub answered ${status}`, { hint: 'is this the address of a hub?' })
  }
  const hint = problem.hint ?? (status === 401 ? 'put a token into LINLI_TOKEN (`linli token create`)' : undefined)
  const text = problem.detail ?? problem.title ?? 'without a reason'
  return new Fault('connection', `the hub answered ${status}: ${text}`, hint === undefined ? {} : { hint })
}

function reasonOf(error: unknown): string {
  const inner = error instanceof Error && error.cause instanceof Error ? error.cause : error
  return inner instanceof Error ? inner.message || inner.name : String(inner)
}

function tokenOf({ environment }: Terminal): string {
  const token = environment.LINLI_TOKEN
  if (token !== undefined && token !== '') return token
  // Not an option: everybody on a machine sees the arguments of everybody's programs.
  throw new Fault('setup', 'a token is needed to read the log', {
    hint: 'make one with `linli token create CONSUMER` and put it into LINLI_TOKEN',
  })
}

function localUrl(settingsFile: string): string {
  const { api } = readGeneralSettings(settingsFile)
  if (api === undefined) {
    throw new Fault('setup', `${settingsFile} has no \`api:\`, so the hub can't be asked`, { hint: 'add `api: {}`' })
  }
  const at = api.listen.lastIndexOf(':')
  const [host, port] = [api.listen.slice(0, at), api.listen.slice(at + 1)]
  if (port === '0') {
    const hint = 'give --url; the log of the hub says which port it took'
    throw new Fault('setup', 'the hub listens on a port that it chose itself', { hint })
  }
  const scheme = api.tls === undefined ? 'http' : 'https'
  return `${scheme}://${host === '0.0.0.0' ? '127.0.0.1' : host === '[::]' ? '[::1]' : host}:${port}`
}
