import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EVENT_CLASSES, type EventClass, type NewEvent } from '../../gateway/contract/event.ts'
import { isFault } from '../../gateway/contract/fault.ts'
import type { Random } from '../../gateway/contract/io.ts'
import { directPort } from '../../gateway/store/direct-port.ts'
import { openStore } from '../../gateway/store/open.ts'
import type { OpenedStore } from '../../gateway/store/opened-store.ts'
import { StoreTrouble } from '../../gateway/store/refusal.ts'
import type { StorePort } from '../../gateway/store/service.ts'
import { upstreamOptions } from '../../gateway/upstream/options.ts'
import { startUpstream, type Upstream } from '../../gateway/upstream/upstream.ts'
import { VirtualClock } from '../../hardware-sim/clock.ts'
import { seededRandom } from '../../hardware-sim/random.ts'
import { SimulatedBroker } from './broker.ts'
import { Model } from './model.ts'
import { NO_SECRETS, readBehind, SILENT } from './surroundings.ts'
import { Trace } from './trace.ts'

const HUB = 'hub-01'
const DEVICES = 6
/** Small, so that the room is full after an hour and something is let go of all the time. */
const ROOM_BYTES = 600_000
const DAY_MS = 86_400_000
const KEEP_MS = { telemetry: 30 * DAY_MS, status: 30 * DAY_MS, alarm: 30 * DAY_MS, audit: 30 * DAY_MS }
const PULLER = 'pull:property'
const CITY = upstreamOptions.parse({ id: 'city', mqtt: { url: 'mqtt://127.0.0.1' }, rights: { privacy: 'sensitive' } })

/** One life of the hub on the log: what ends with a crash. */
interface Life {
  readonly store: OpenedStore
  readonly upstream: Upstream
  readonly ending: AbortController
  /** What the log had given out, as this life knows it. */
  readonly folder: string
}

/** A hub on a real file, its consumers, and what the world does to them; all of it by one seed. */
export class World {
  readonly clock = new VirtualClock()
  readonly random: Random
  readonly model = new Model()
  readonly trace: Trace
  readonly broker: SimulatedBroker
  readonly counts = { events: 0, refusals: 0, crashes: 0, reads: 0, gaps: 0 }
  readonly #base = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'linli-simulation-'))
  #life: Life | undefined
  #lives = 0
  #offers = 0
  /** The next call of the writer with one of these names fails, before it was done or behind it. */
  #diskFault: 'before' | 'behind' | undefined
  #failure: unknown
  #checked = { epoch: '', seq: 0 }

  constructor(seed: number) {
    this.random = seededRandom(seed)
    this.trace = new Trace(() => this.clock.monoMs())
    this.broker = new SimulatedBroker(this.clock, seededRandom(seed + 1), (place) => {
      const [epoch = '', seq] = place.split('/')
      this.model.delivered(epoch, Number(seq))
      this.trace.note('delivered', this.trace.place(place))
    })
  }

  async start(): Promise<void> {
    const folder = join(this.#base, `life-${this.#lives}`)
    if (!existsSync(folder)) mkdirSync(folder, { recursive: true })
    const ending = new AbortController()
    const { clock } = this
    const opening = openStore({
      path: join(folder, 'hub.db'),
      hub: HUB,
      clock,
      log: SILENT,
      tailEvents: this.random.next() < 0.5 ? 0 : 100,
      // The one that pulls is slow, so that readings are thinned before they go.
      retention: { keepMs: KEEP_MS, maxBytes: ROOM_BYTES, required: [{ consumer: PULLER, classes: EVENT_CLASSES }] },
      port: () => this.#port(),
    })
    const store = await this.#during(opening)
    store.failed.catch((error: unknown) => {
      if (!ending.signal.aborted) this.#failure ??= error
    })
    this.model.opened(store.epoch, store.lastSeq())
    this.trace.note('open', this.trace.epoch(store.epoch), store.lastSeq())
    const parts = {
      hub: HUB,
      store,
      clock,
      random: this.random,
      log: SILENT,
      secrets: NO_SECRETS,
      signal: ending.signal,
    }
    const upstream = startUpstream(CITY, parts, this.broker.dial)
    upstream.done.catch((error: unknown) => {
      if (!ending.signal.aborted) this.#failure ??= error
    })
    this.#life = { store, upstream, ending, folder }
  }

  get #now(): Life {
    if (this.#life === undefined) throw new Error('the hub does not run')
    return this.#life
  }

  /** A batch of one connection, as its driver hands it over; nobody waits for it. */
  offer(count: number, name: EventClass): void {
    const { store, ending } = this.#now
    // Others come each quarter of an hour, so that there is always something that the writer has not heard of.
    const device = Math.floor(this.random.next() * DEVICES) + DEVICES * Math.floor(this.clock.monoMs() / 900_000)
    const events = Array.from({ length: count }, () => this.#event(name, device))
    for (const [at, event] of events.entries()) this.model.offered(event, this.#offers - count + 1 + at)
    store.append(events).then(
      ({ firstSeq, lastSeq }) => {
        if (ending.signal.aborted) return
        this.model.acked(store.epoch, firstSeq, events)
        this.counts.events += events.length
        this.trace.note('acked', firstSeq, lastSeq)
      },
      (error: unknown) => {
        if (!isFault(error)) this.#failure ??= error
        this.counts.refusals += 1
        this.trace.note('refused', events.length)
      },
    )
  }

  #event(name: EventClass, device: number): NewEvent {
    this.#offers += 1
    // Nothing makes noise smaller, so the room is full after some hours, and something is let go of.
    const noise = Buffer.from(this.random.bytes(Math.floor(this.random.next() * 200))).toString('base64')
    const n = this.#offers
    const points = { n: { v: n }, noise: { v: noise }, energy_import: { v: n / 10, u: 'kWh' } }
    const body = name === 'telemetry' ? { points, quality: 'good' } : { n, noise }
    return {
      class: name,
      type: name === 'telemetry' ? 'linli.meter.reading' : `test.${name}`,
      source: `devices/${name}-${device}`,
      privacy: 'personal',
      monoMs: Math.round((this.clock.monoMs() - 5 * this.random.next()) * 1000) / 1000,
      wallMs: Math.floor(this.clock.wallMs()),
      clock: 'synced',
      body: JSON.stringify(body),
    }
  }

  /** The process dies here; what is on the disk now is what the next one finds. */
  async crash(): Promise<void> {
    const { store, ending, folder } = this.#now
    this.#lives += 1
    const next = join(this.#base, `life-${this.#lives}`)
    mkdirSync(next, { recursive: true })
    for (const end of ['', '-wal', '-mark', '-ballast']) {
      const from = join(folder, `hub.db${end}`)
      if (existsSync(from)) copyFileSync(from, join(next, `hub.db${end}`))
    }
    this.counts.crashes += 1
    this.trace.note('crash')
    this.#life = undefined
    ending.abort(new Error('the process died'))
    await this.#during(store.close().catch(() => undefined))
    rmSync(folder, { recursive: true, force: true })
    this.#diskFault = undefined
    await this.start()
  }

  /** The next commit fails: before it is on the disk, or behind, when nobody hears of it. */
  failDisk(when: 'before' | 'behind'): void {
    this.#diskFault = when
    this.trace.note('disk', when === 'before' ? 0 : 1)
  }

  /** Somebody lets go of a part of the log by hand; of all of it where the part is large. */
  async trim(part: number): Promise<void> {
    const { store } = this.#now
    const seq = Math.floor(store.lastSeq() * Math.min(1, part * 1.3))
    await this.#during(store.trim(seq).catch(onlyFaults))
    this.trace.note('trim', seq)
  }

  /** The pulling consumer reads a page and confirms it, or forgets to. */
  async pull(): Promise<void> {
    const { store } = this.#now
    const { epoch } = store
    const reading = (async () => {
      const at = await store.cursor(PULLER)
      const after = at?.epoch === epoch ? at : { epoch, seq: 0 }
      const page = await store.read({ after, limit: 50 })
      if (this.random.next() < 0.7) this.model.cursor(PULLER, await store.confirm(PULLER, page.next))
    })()
    await this.#during(reading.catch(onlyFaults))
    this.trace.note('pull', store.lastSeq())
  }

  /** Everything that must hold, looked at from outside: of the whole log, or of what is new in it. */
  async check(whole: boolean): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure
    const { store, upstream } = this.#now
    const { epoch } = store
    const after = whole || this.#checked.epoch !== epoch ? 0 : this.#checked.seq
    const looked = await this.#during(readBehind(store, after).catch(onlyFaults))
    if (looked === undefined || store.epoch !== epoch) return
    const { entries, lastSeq } = looked
    this.counts.reads += 1
    this.model.read(epoch, { after, lastSeq }, entries)
    this.#checked = { epoch, seq: lastSeq }
    this.model.cursor('up:city', upstream.state().position)
    if (whole) {
      // Asked behind the reading, nothing was let go of in between: the room is kept while time goes on only.
      const durable = upstream.state().position
      if (durable?.epoch === epoch) this.model.upstream(epoch, durable.seq)
      const first = entries.find(({ kind }) => kind === 'event')
      if (first?.kind === 'event') this.model.forget(epoch, first.seq)
      this.counts.gaps = entries.filter(({ kind }) => kind === 'gap').length
    }
    this.trace.note('checked', entries.length, lastSeq)
  }

  /** Nothing fails any more: what is held has to arrive. */
  async heal(): Promise<void> {
    this.broker.down = false
    Object.assign(this.broker.manners, { lostPerMille: 0, refusedPerMille: 0, latencyMs: 20 })
    this.#diskFault = undefined
    await this.clock.advance(20 * 60_000)
    const { store } = this.#now
    const event = this.#event('audit', 0)
    this.model.offered(event, this.#offers)
    const { firstSeq } = await this.#during(store.append([event]))
    this.model.acked(store.epoch, firstSeq, [event])
    await this.clock.advance(60_000)
    const reads = this.counts.reads
    await this.check(true)
    if (this.counts.reads === reads) throw new Error('L12: the log is not read, though nothing fails any more')
    this.model.drained(this.#now.store.epoch)
  }

  async end(): Promise<void> {
    const life = this.#life
    this.#life = undefined
    life?.ending.abort(new Error('the simulation is over'))
    if (life !== undefined) await this.#during(life.store.close().catch(() => undefined))
    rmSync(this.#base, { recursive: true, force: true })
  }

  /** Let virtual time go on until something is done. */
  async #during<T>(doing: Promise<T>): Promise<T> {
    let done = false
    const settled = doing.finally(() => {
      done = true
    })
    settled.catch(() => undefined)
    for (let steps = 0; !done; steps++) {
      await this.clock.advance(steps < 50 ? 1 : 1000)
      if (steps > 5000) throw new Error('something never ends')
    }
    return settled
  }

  #port(): StorePort {
    const port = directPort()
    return {
      call: async (name, argument) => {
        const fault = name === 'commit' || name === 'checkpoint' ? this.#diskFault : undefined
        if (fault === undefined) return port.call(name, argument)
        this.#diskFault = undefined
        if (fault === 'behind') await port.call(name, argument)
        throw new StoreTrouble('disk I/O error (simulated)', 'io')
      },
    }
  }
}

function onlyFaults(error: unknown): undefined {
  if (isFault(error) || (error instanceof Error && /EpochChanged|PositionAhead/.test(error.name))) return undefined
  throw error
}
