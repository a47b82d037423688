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
  if (!URL.canParse(base)) throw new UsageError(`--url ${base}: an address such as https://hub-01.local:8443 is wanted`)
  const hub = new HubLog(base, tokenOf(terminal), terminal.signal)
  const chosen = { ...(types && { types }), ...(devices && { devices }), ...(classes && { classes }) }
  const show = (lines: readonly string[]): void => {
    for (const line of lines) terminal.out(`${json ? line : eventLine(JSON.parse(line) as CloudEvent)}\n`)
    left -= lines.length
  }
  for (let place: Place = { next: values.after, more: true }; left > 0 && (place.more || follow); ) {
    const limit = String(Math.min(left, PAGE_EVENTS))
    const query = { after: place.next, limit, wait: follow ? `${WAIT_S}s` : '0s', ...chosen }
    const reached = await hub.read(query, follow, show)
    if (reached === undefined) return 0
    place = reached
  }
  return 0
}

/** Where to go on, and whether there is more now. */
interface Place {
  readonly next: string
  readonly more: boolean
}
/** Takes each event as the hub wrote it: no number and no order of keys is changed on the way. */
type Show = (lines: readonly string[]) => void

class HubLog {
  readonly #base: string
  readonly #token: string
  readonly #signal: AbortSignal

  constructor(base: string, token: string, signal: AbortSignal) {
    this.#base = base
    this.#token = token
    this.#signal = signal
  }

  /**
   * Show what stands behind `query.after`. @returns where to go on, or undefined on Ctrl-C
   * @param patient go on trying while a hub that was there is away
   */
  async read(query: Readonly<Record<string, string>>, patient: boolean, show: Show): Promise<Place | undefined> {
    let place: Place | undefined
    for (let after = query.after ?? ''; !this.#signal.aborted; ) {
      try {
        const answer = await this.#ask({ ...query, after })
        for await (const { lines, ...reached } of pages(answer)) {
          show(lines)
          place = reached
          after = reached.next
        }
        if (place !== undefined) return place
        throw new Error('the answer was cut off')
      } catch (error) {
        if (this.#signal.aborted) break
        if (error instanceof Fault) throw error
        if (!patient || after === 'oldest' || after === 'newest') throw awayFault(this.#base, error)
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
      }
    }
    return undefined
  }

  async #ask(query: Readonly<Record<string, string>>): Promise<Response> {
    const url = new URL(`/v1/events?${new URLSearchParams(query)}`, this.#base)
    const headers = { authorization: `Bearer ${this.#token}`, accept: 'application/x-ndjson' }
    const signal = AbortSignal.any([this.#signal, AbortSignal.timeout(ANSWER_MS)])
    const answer = await fetch(url, { headers, signal, redirect: 'error' })
    if (answer.status !== 200) throw problemFault(answer.status, await answer.text())
    return answer
  }
}

/** The events of an answer page by page: behind each page stands a line that says where to go on. */
async function* pages(answer: Response): AsyncGenerator<Place & { readonly lines: readonly string[] }> {
  let lines: string[] = []
  let rest = ''
  for await (const text of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    const parts = (rest + text).split('\n')
    rest = parts.pop() ?? ''
    for (const line of parts) {
      if (!line.startsWith('{"next":')) lines.push(line)
      else {
        const { next, more } = JSON.parse(line) as Place
        yield { lines, next, more }
        lines = []
      }
    }
  }
}

function awayFault(base: string, cause: unknown): Fault {
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause
  const reason = inner instanceof Error ? inner.message || inner.name : String(inner)
  const hint = /certificate/i.test(reason)
    ? 'trust its certificate with NODE_EXTRA_CA_CERTS=FILE'
    : 'is it running (systemctl status linli-hub)? Is the address right (--url)?'
  return new Fault('connection', `no hub answers at ${base}: ${reason}`, { code: 'away', hint, cause })
}

/** What the hub says is wrong (RFC 9457), as a person reads it. */
function problemFault(status: number, body: string): Fault {
  let problem: { readonly title?: string; readonly detail?: string; readonly hint?: string }
  try {
    problem = JSON.parse(body)
  } catch {
    return new Fault('connection', `the answer was ${status}, and not from a hub`, { hint: 'is the address right?' })
  }
  const text = problem.detail ?? problem.title ?? 'without a reason'
  const hint = problem.hint !== undefined && !text.includes(problem.hint) ? { hint: problem.hint } : {}
  return new Fault('connection', `the hub answered ${status}: ${text}`, hint)
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
