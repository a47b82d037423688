/** An event as it leaves the hub (CloudEvents 1.0), as far as a reader of the log looks at it. */
export interface HubEvent {
  readonly id: string
  readonly source: string
  readonly type: string
  readonly time?: string
  /** Left out in a gap record. */
  readonly linliseq?: number
  readonly linliclass: string
  /** How far its time can be trusted. */
  readonly linliclock?: string
  readonly data: Readonly<Record<string, unknown>>
}

/** What became of a command. */
export interface CommandAnswer {
  readonly id: string
  readonly state: string
  readonly effect?: Readonly<Record<string, unknown>>
}

export interface EventPage {
  readonly events: readonly HubEvent[]
  readonly next: string
  readonly more: boolean
}

/** What `/healthz` says to whom it knows. */
export interface HubHealth {
  readonly ok: boolean
  readonly log: {
    readonly epoch: string
    readonly firstSeq: number
    readonly lastSeq: number
    readonly volatileEvents: number
    readonly disk: 'well' | 'almost-full' | 'full'
  }
  readonly connections: readonly {
    readonly id: string
    readonly kind: string
    readonly state: string
    readonly restarts: number
    readonly trouble?: { readonly code: string; readonly message: string }
    readonly devices: readonly { readonly id: string; readonly ok: boolean; readonly trouble?: { message: string } }[]
  }[]
  readonly upstream: readonly {
    readonly id: string
    readonly connected: boolean
    readonly lag: number
    readonly lastError?: string
  }[]
}

/** Longer than the longest long poll that anybody here asks for. */
const ANSWER_MS = 20_000

/** Somebody who reads the hub over HTTP. */
export class HubClient {
  readonly url: string
  readonly #headers: Readonly<Record<string, string>>

  constructor(url: string, token: string) {
    this.url = url
    this.#headers = { authorization: `Bearer ${token}` }
  }

  /** What stands behind a cursor; `oldest` begins at the beginning. */
  async events(after: string, waitMs = 0, filter: Readonly<Record<string, string>> = {}): Promise<EventPage> {
    const query = new URLSearchParams({ after, limit: '1000', wait: `${waitMs}ms`, ...filter })
    const answer = await this.#get(`/v1/events?${query}`)
    if (answer.status !== 200) throw new Error(`GET /v1/events: ${answer.status} ${await answer.text()}`)
    return (await answer.json()) as EventPage
  }

  /** Everything from the beginning (or behind a cursor) to the end of the log. */
  async allEvents(after = 'oldest'): Promise<{ readonly events: readonly HubEvent[]; readonly next: string }> {
    const events: HubEvent[] = []
    for (let cursor = after; ; ) {
      const page = await this.events(cursor)
      events.push(...page.events)
      cursor = page.next
      if (!page.more) return { events, next: cursor }
    }
  }

  /** A hub that is not well answers 503, with the same body. */
  async health(): Promise<HubHealth> {
    const answer = await this.#get('/healthz')
    return (await answer.json()) as HubHealth
  }

  /** Have something done, and wait until it is; asking again with the same key never does it twice. */
  async command(key: string, body: object): Promise<CommandAnswer> {
    const answer = await fetch(`${this.url}/v1/commands?wait=15s`, {
      method: 'POST',
      headers: { ...this.#headers, 'idempotency-key': key },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(ANSWER_MS),
    })
    const text = await answer.text()
    if (answer.status !== 200) throw new Error(`POST /v1/commands: ${answer.status} ${text}`)
    return JSON.parse(text) as CommandAnswer
  }

  async metrics(): Promise<string> {
    return (await this.#get('/metrics')).text()
  }

  #get(path: string): Promise<Response> {
    return fetch(`${this.url}${path}`, { headers: this.#headers, signal: AbortSignal.timeout(ANSWER_MS) })
  }
}
