import { Fault } from '../contract/fault.ts'
import { readArguments, UsageError } from './arguments.ts'
import { type CloudEvent, eventLine } from './event-line.ts'
import { awayFault, localUrl, problemFault, tokenOf } from './hub-access.ts'
import { settingsPath } from './settings-file.ts'
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
