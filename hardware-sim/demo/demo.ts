import { join } from 'node:path'
import type { Account, MeterAccount } from './account.ts'
import { lostOf } from './account.ts'
import { type Exit, howText } from './child.ts'
import { HubClient } from './client.ts'
import { createToken, HubProcess } from './hub.ts'
import { outageNumber } from './outages.ts'
import { Picture } from './picture.ts'
import { cpuSeconds, memoryBytes } from './process-figures.ts'
import type { DemoScenario } from './scenario.ts'
import { Simulator } from './simulator.ts'
import type { Show } from './table.ts'

const CONSUMER = 'property'
const HUB_START_MS = 20_000
const FOLLOW_WAIT_MS = 2000
const LOOK_MS = 500
const RETURN_LOOK_MS = 50
/** At the end the platform gets so long to receive what waits. */
const DRAIN_MS = 60_000
/** What a meter answered a moment ago may still be on its way to the disk. */
const SETTLE_MS = 1000

export interface DemoOptions {
  readonly folder: string
  readonly scenario: DemoScenario
  /** How often each meter is read. */
  readonly everyMs: ReadonlyMap<string, number>
  readonly runMs: number | undefined
  /** Said while everything starts. */
  readonly say: (text: string) => void
}

interface Answers {
  readonly answersByMeter: Readonly<Record<string, number>>
}

/** A simulated community and a hub, as two processes, and somebody who watches both and takes the account. */
export class Demo {
  readonly client: HubClient
  readonly token: string
  readonly picture = new Picture()
  readonly #options: DemoOptions
  readonly #simulator: Simulator
  readonly #hub: HubProcess
  readonly #startedMs = performance.now()
  readonly #ending = new AbortController()
  #cursor = 'oldest'
  #delivered = 0
  #outages = 0
  #longestOutageMs = 0
  #slowestReturnMs = 0
  #outage: Show['outage']

  private constructor(options: DemoOptions, parts: { simulator: Simulator; hub: HubProcess; token: string }) {
    this.#options = options
    this.#simulator = parts.simulator
    this.#hub = parts.hub
    this.token = parts.token
    this.client = new HubClient(`http://${options.scenario.api.listen}`, parts.token)
  }

  static async start(options: DemoOptions): Promise<Demo> {
    const { folder, scenario, say } = options
    say('starting the simulated community ...')
    const simulator = await Simulator.start(folder, scenario)
    say('making a token and starting the hub ...')
    const token = await createToken(simulator.ready.settings, CONSUMER)
    const hub = new HubProcess({ settings: simulator.ready.settings, logFile: join(folder, 'hub.log') })
    const demo = new Demo(options, { simulator, hub, token })
    await demo.#awaitHub()
    return demo
  }

  /** Follow the log, look at the hub and take the upstream away now and then, until the signal. */
  async run(stop: AbortSignal): Promise<void> {
    const stopping = AbortSignal.any([stop, this.#ending.signal])
    const over = this.#hub.child.ended.then((exit) => {
      if (!this.#ending.signal.aborted) throw this.#died(exit)
    })
    try {
      await Promise.race([
        over,
        Promise.all([this.#follow(stopping), this.#look(stopping), this.#cutNowAndThen(stopping)]),
      ])
    } finally {
      this.#ending.abort()
    }
  }

  show(): Show {
    const nowMs = performance.now()
    const outageMs = this.#outage === undefined ? 0 : nowMs - this.#outage.sinceMs
    return {
      title: this.#options.scenario.hub.name,
      elapsedMs: nowMs - this.#startedMs,
      nowMs,
      delivered: this.#delivered,
      outages: this.#outages,
      longestOutageMs: Math.max(this.#longestOutageMs, outageMs),
      outage: this.#outage,
    }
  }

  /** Bring the platform back, let it have everything, and count. */
  async account(): Promise<Account> {
    await this.#restore()
    // In this order: a reading that is here was answered before, and what was answered is in the log a moment later.
    const readings = new Map([...this.picture.meters].map(([id, meter]) => [id, meter.readings]))
    const { lines, modbusTcp } = await this.#simulator.report()
    const takenMs = performance.now()
    await pause(SETTLE_MS)
    const { lastSeq } = (await this.client.health()).log
    while (this.picture.lastSeq < lastSeq) await this.#pull(FOLLOW_WAIT_MS)
    const platform = await this.#drain(lastSeq)
    const { pid } = this.#hub.child
    const usage = { hubMemoryMB: round(memoryBytes(pid) / 1e6), hubCpuSeconds: round(cpuSeconds(pid)) }
    // What came behind that place is not asked for: the hub goes on while we count.
    const pulled = this.picture.events - Math.max(0, this.picture.lastSeq - lastSeq)
    return {
      ranSeconds: round((performance.now() - this.#startedMs) / 1000),
      readings: this.picture.readings,
      events: this.picture.events,
      delivered: platform.unique,
      duplicated: platform.duplicates,
      lost:
        lostOf({ lastSeq, pulled, platform, meters: this.#meters({ ...lines, ...modbusTcp }, readings, takenMs) }) +
        this.picture.disorder,
      outages: this.#outages,
      longestOutageSeconds: round(this.#longestOutageMs / 1000),
      slowestReturnSeconds: round(this.#slowestReturnMs / 1000),
      ...usage,
    }
  }

  /** End both processes, gently first. */
  async end(): Promise<void> {
    this.#ending.abort()
    await this.#hub.stop()
    await this.#simulator.end()
  }

  async #awaitHub(): Promise<void> {
    const untilMs = performance.now() + HUB_START_MS
    for (;;) {
      try {
        this.picture.look(await this.client.health())
        return
      } catch (error) {
        // Nobody listens yet.
        if (!this.#hub.child.running) throw this.#died(await this.#hub.child.ended)
        if (performance.now() > untilMs) throw new Error(`the hub does not answer: ${error}\n${this.#hub.child.tail()}`)
        await pause(RETURN_LOOK_MS)
      }
    }
  }

  async #follow(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) await this.#pull(FOLLOW_WAIT_MS)
  }

  async #pull(waitMs: number): Promise<void> {
    const page = await this.client.events(this.#cursor, waitMs)
    const nowMs = performance.now()
    for (const event of page.events) this.picture.add(event, nowMs)
    this.#cursor = page.next
  }

  async #look(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      this.picture.look(await this.client.health())
      this.#delivered = (await this.#simulator.deliveries()).unique
      await pause(LOOK_MS, stop)
    }
  }

  async #cutNowAndThen(stop: AbortSignal): Promise<void> {
    for (let index = 0; !stop.aborted; index++) {
      const outage = outageNumber(index, this.#options.runMs)
      if (outage === undefined) return
      await pause(this.#startedMs + outage.atMs - performance.now(), stop)
      if (stop.aborted) return
      await this.#cut(outage.forMs)
      await pause(outage.forMs, stop)
      await this.#restore()
    }
  }

  async #cut(forMs: number): Promise<void> {
    await this.#simulator.ask({ do: 'cut', what: 'broker' })
    const sinceMs = performance.now()
    this.#outage = { sinceMs, untilMs: sinceMs + forMs }
    this.#outages += 1
  }

  async #restore(): Promise<void> {
    if (this.#outage === undefined) return
    const { sinceMs } = this.#outage
    this.#outage = undefined
    const { received } = await this.#simulator.deliveries()
    await this.#simulator.ask({ do: 'restore', what: 'broker' })
    const backMs = performance.now()
    this.#longestOutageMs = Math.max(this.#longestOutageMs, backMs - sinceMs)
    const untilMs = backMs + DRAIN_MS
    while ((await this.#simulator.deliveries()).received === received && performance.now() < untilMs) {
      await pause(RETURN_LOOK_MS)
    }
    this.#slowestReturnMs = Math.max(this.#slowestReturnMs, performance.now() - backMs)
  }

  async #drain(lastSeq: number): ReturnType<Simulator['deliveries']> {
    const untilMs = performance.now() + DRAIN_MS
    for (;;) {
      const platform = await this.#simulator.deliveries()
      const complete = platform.firstSeq === 1 && platform.missing === 0 && (platform.lastSeq ?? 0) >= lastSeq
      if (complete || performance.now() > untilMs) return platform
      await pause(LOOK_MS / 5)
    }
  }

  #meters(
    connections: Readonly<Record<string, Answers>>,
    before: ReadonlyMap<string, number>,
    takenMs: number,
  ): readonly MeterAccount[] {
    return Object.entries(connections).flatMap(([connection, { answersByMeter }]) =>
      Object.entries(answersByMeter).map(([id, answers]) => {
        const meter = this.picture.meters.get(id)
        const spanMs = meter === undefined ? takenMs - this.#startedMs : takenMs - meter.firstMs
        const everyMs = this.#options.everyMs.get(id) ?? Number.POSITIVE_INFINITY
        const readings = { readingsThen: before.get(id) ?? 0, readings: meter?.readings ?? 0 }
        return { id, connection, answers, ...readings, due: Math.floor(spanMs / everyMs) }
      }),
    )
  }

  #died(how: Exit): Error {
    return new Error(`the hub has ended by itself (${howText(how)}); the last it said:\n${this.#hub.child.tail()}`)
  }
}

/** Until then, or until the signal. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve()
    const done = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, Math.max(0, ms))
    signal?.addEventListener('abort', done, { once: true })
  })
}

function round(number: number): number {
  return Math.round(number * 10) / 10
}
