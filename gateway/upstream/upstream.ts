import type { Clock } from '../contract/clock.ts'
import { isFault } from '../contract/fault.ts'
import type { Figure } from '../contract/figure.ts'
import type { Random, SecretIo } from '../contract/io.ts'
import type { Log } from '../contract/log.ts'
import type { Position, Store } from '../store/store.ts'
import { fullJitterMs } from './backoff.ts'
import { type Dial, LinkLost } from './link.ts'
import { type UpstreamOptions, upstreamConsumer } from './options.ts'
import { createPump, type Pump } from './pump.ts'

const BACKOFF_FIRST_MS = 1000
/** A wrong password or a stolen identity is not mended in a second, and a flood of attempts locks the account. */
const BACKOFF_SLOW_MAX_MS = 15 * 60_000
/**
 * A connection that held for so long begins the pauses anew. A shorter one does not, though it worked: two hubs with
 * one client id throw each other out in turn, and MQTT 3.1.1 does not tell them why.
 */
const STEADY_MS = 10_000
const STEADY_AFTER_SLOW_MS = 60_000

export interface UpstreamParts {
  readonly hub: string
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly secrets: SecretIo
  readonly signal: AbortSignal
}

export interface UpstreamState {
  readonly connected: boolean
  /** On `Clock.monoMs`: connected or away since then. */
  readonly sinceMonoMs: number
  /** Why it is away, or was the last time. */
  readonly lastError?: string
  /** Everything up to here is acknowledged; undefined until the cursor was first read. */
  readonly position: Position | undefined
  /** Places in the log that are not acknowledged; those that the rights leave out are among them. */
  readonly lag: number
}

export interface Upstream {
  state(): UpstreamState
  figures(): readonly Figure[]
  /** Resolves after `signal` aborted and the broker was told goodbye; rejects with a bug only. */
  readonly done: Promise<void>
}

/** Push the log to one broker until the signal aborts. @param dial for tests */
export function startUpstream(
  options: UpstreamOptions,
  parts: UpstreamParts,
  dial: Dial = mqttDial(options, parts),
): Upstream {
  const keeper = new Keeper(options, { ...parts, log: parts.log.with({ upstream: options.id }) }, dial)
  const lag = (): number => parts.store.lastSeq() - (keeper.pump.state.position?.seq ?? 0)
  return {
    done: keeper.serve(),
    state: () => ({
      connected: keeper.connected,
      sinceMonoMs: keeper.sinceMs,
      position: keeper.pump.state.position,
      lag: lag(),
      ...(keeper.lastError === undefined ? {} : { lastError: keeper.lastError }),
    }),
    figures: () => figuresOf(options.id, keeper, lag()),
  }
}

/** The library for MQTT costs 70 ms and 15 MB: it is loaded when the first connection is made, behind the start. */
function mqttDial(options: UpstreamOptions, parts: UpstreamParts): Dial {
  let dial: Dial | undefined
  return async (signal) => {
    dial ??= (await import('./mqtt.ts')).createMqttDial(options, parts)
    return dial(signal)
  }
}

/** Dials, pumps while the connection stands, and waits between two attempts. */
class Keeper {
  readonly pump: Pump
  readonly counts = { connects: 0, failures: 0 }
  connected = false
  sinceMs: number
  lastError: string | undefined
  readonly #options: UpstreamOptions
  readonly #parts: UpstreamParts
  readonly #dial: Dial
  /** Failures in a row. */
  #failures = 0
  /** Trying again soon would change nothing. */
  #slow = false
  #said: string | undefined

  constructor(options: UpstreamOptions, parts: UpstreamParts, dial: Dial) {
    this.#options = options
    this.#parts = parts
    this.#dial = dial
    this.sinceMs = parts.clock.monoMs()
    const { window, publishTimeoutMs } = options.mqtt
    const consumer = upstreamConsumer(options.id)
    this.pump = createPump({ ...parts, consumer, rights: options.rights, window, publishTimeoutMs })
  }

  async serve(): Promise<void> {
    const { signal } = this.#parts
    while (!signal.aborted) {
      try {
        const lost = await this.#connection(signal)
        if (!signal.aborted) this.#away(lost ?? new LinkLost('the connection ended'))
      } catch (error) {
        if (signal.aborted) return
        if (!(error instanceof LinkLost) && !isFault(error)) throw error
        this.#away(error)
      }
      await this.#pause(signal)
    }
  }

  async #connection(signal: AbortSignal): Promise<LinkLost | undefined> {
    const { clock, log } = this.#parts
    const link = await this.#dial(signal)
    this.counts.connects += 1
    this.connected = true
    this.sinceMs = clock.monoMs()
    this.#said = undefined
    log.info('connected', { protocol: link.protocol })
    try {
      return await this.pump.run(link, signal)
    } finally {
      const nowMs = clock.monoMs()
      if (nowMs - this.sinceMs >= (this.#slow ? STEADY_AFTER_SLOW_MS : STEADY_MS)) this.#failures = 0
      this.connected = false
      this.sinceMs = nowMs
      await link.close()
    }
  }

  /** Logged once for each reason, not once for each attempt. */
  #away(error: Error): void {
    this.#failures += 1
    this.counts.failures += 1
    this.lastError = error.message
    this.#slow = error instanceof LinkLost ? error.retry === 'slow' : isFault(error) && error.reach === 'setup'
    if (this.#said === error.message) return
    this.#said = error.message
    const hint = isFault(error) && error.hint !== undefined ? { hint: error.hint } : {}
    this.#parts.log.warn('away; events are kept and sent later', { reason: error.message, ...hint })
  }

  async #pause(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return
    const { clock, random } = this.#parts
    const maxMs = this.#slow ? BACKOFF_SLOW_MAX_MS : this.#options.mqtt.reconnectMaxMs
    const pauseMs = fullJitterMs(this.#failures, BACKOFF_FIRST_MS, maxMs, random)
    // An abort ends the pause; the loop looks at the signal next.
    await clock.sleep(pauseMs, signal).catch(() => undefined)
  }
}

function figuresOf(id: string, keeper: Keeper, lag: number): Figure[] {
  const labels = { upstream: id }
  const { acknowledged, refused, quarantined, timeouts } = keeper.pump.state.counts
  const gauge = (name: string, help: string, value: number): Figure => ({ name, help, kind: 'gauge', labels, value })
  const counter = (name: string, help: string, value: number): Figure => ({
    name,
    help,
    kind: 'counter',
    labels,
    value,
  })
  return [
    gauge('linli_upstream_connected', 'Whether the broker is connected.', keeper.connected ? 1 : 0),
    gauge('linli_upstream_lag_events', 'Places in the log that are not acknowledged.', lag),
    counter('linli_upstream_acknowledged_total', 'Messages that the broker acknowledged.', acknowledged),
    counter('linli_upstream_refused_total', 'Messages that the broker refused.', refused),
    counter('linli_upstream_quarantined_total', 'Events given up after refusals; gap records went up.', quarantined),
    counter('linli_upstream_timeouts_total', 'Connections given up for want of an acknowledgement.', timeouts),
    counter('linli_upstream_connects_total', 'Connections made.', keeper.counts.connects),
    counter('linli_upstream_failures_total', 'Connections lost or not made.', keeper.counts.failures),
  ]
}
