import type { EventClass, NewEvent } from '../../gateway/contract/event.ts'
import { isFault } from '../../gateway/contract/fault.ts'
import type { Random } from '../../gateway/contract/io.ts'
import type { OpenedStore } from '../../gateway/store/opened-store.ts'
import type { Keeping } from '../../gateway/store/retention.ts'
import { EpochChanged, PositionAhead } from '../../gateway/store/store.ts'
import { VirtualClock } from '../../hardware-sim/clock.ts'
import { seededRandom } from '../../hardware-sim/random.ts'
import { Broken } from './broken.ts'
import { SimulatedBroker } from './broker.ts'
import { Consumers } from './consumers.ts'
import { SimulatedDisk } from './disk.ts'
import { Folders } from './folders.ts'
import { Hub } from './hub.ts'
import { SHORT_OF_ROOM, SHORT_OF_TIME } from './keeping.ts'
import { Load } from './load.ts'
import { Machine } from './machine.ts'
import { Model } from './model.ts'
import { layHand } from './sqlite-hand.ts'
import { during, readBehind } from './surroundings.ts'
import { Trace } from './trace.ts'

/** An error of the disk is over, and the log open again, within this time. */
const TROUBLE_MS = 90_000
const STARTS_MAX = 60
/** Each event that the platform never takes holds up the others for a minute or two. */
const HEALING_MS = 3_600_000

/** A hub on a real file, its consumers, and what the world does to them; all of it by one seed. */
export class World {
  readonly clock = new VirtualClock()
  readonly random: Random
  readonly machine = new Machine(this.clock)
  readonly model: Model
  readonly trace: Trace
  readonly broker: SimulatedBroker
  readonly disk: SimulatedDisk
  readonly counts = { events: 0, refusals: 0, crashes: 0, reads: 0, refusedReads: 0, strays: 0, aged: 0 }
  /** How often something went wrong, by its kind. */
  readonly struck = new Map<string, number>()
  readonly keeping: Keeping
  readonly folders = new Folders()
  readonly consumers: Consumers
  readonly load: Load
  #hub: Hub | undefined
  #epoch: string | undefined
  /** The next commit does not come through to the writer. */
  deaf = false
  #troubledMs = Number.NEGATIVE_INFINITY
  #checked = { epoch: '', seq: 0 }

  constructor(seed: number) {
    this.random = seededRandom(seed)
    this.keeping = seed % 3 === 0 ? SHORT_OF_TIME : SHORT_OF_ROOM
    this.model = new Model(this.clock, this.machine, seed % 3 === 0 ? this.keeping.keepMs : undefined)
    this.trace = new Trace(() => this.clock.monoMs())
    this.disk = new SimulatedDisk(seededRandom(seed + 2), (kind) => this.#trouble(kind))
    this.broker = new SimulatedBroker(this.clock, seededRandom(seed + 1), {
      event: (epoch, seq) => {
        if (epoch === this.#hub?.store.epoch) this.#notice(epoch, this.hub.store.lastSeq())
        this.model.delivered(epoch, seq)
        this.trace.note('delivered', this.trace.epoch(epoch), seq)
      },
      gap: (epoch, { fromSeq, toSeq, reason }) => {
        if (epoch === this.#hub?.store.epoch) this.#notice(epoch, this.hub.store.lastSeq())
        this.model.told(epoch, fromSeq, toSeq, reason === 'quarantined')
        this.trace.note('told', this.trace.epoch(epoch), fromSeq, toSeq, reason)
      },
    })
    this.load = new Load(this.clock, this.random, (event, n) => this.model.offered(event, n))
    this.consumers = new Consumers(this.random, this.model)
    layHand(this.disk)
  }

  /** Something went wrong. */
  strike(kind: string): void {
    this.struck.set(kind, (this.struck.get(kind) ?? 0) + 1)
    this.trace.note('struck', kind)
  }

  async start(): Promise<void> {
    for (let starts = 1; this.#hub === undefined; starts++) {
      this.disk.path = this.folders.path
      const tailEvents = this.random.next() < 0.5 ? 0 : 100
      const { clock, random, disk, machine, keeping } = this
      const parts = { clock, random, disk, keeping, tailEvents, dial: this.broker.dial, deaf: () => this.#isDeaf() }
      try {
        this.#hub = await during(
          this.clock,
          Hub.start({ ...parts, path: this.folders.path, machine: () => machine.now }),
        )
      } catch (error) {
        if (!isFault(error) || !this.#mayFail || starts > STARTS_MAX) throw error
        // As systemd does it.
        await this.clock.advance(1000)
        if (this.disk.image !== undefined) this.#powerCut()
      }
    }
    const { store } = this.#hub
    this.model.opened(store.epoch, store.lastSeq(), this.disk.takeDoubt())
    this.#epoch = store.epoch
    this.trace.note('open', this.trace.epoch(store.epoch), store.lastSeq())
  }

  /** The log may have been opened anew since, and may have begun anew then. */
  #notice(epoch: string, lastSeq: number): void {
    if (epoch !== this.#epoch) this.model.opened(epoch, lastSeq, this.disk.takeDoubt())
    this.#epoch = epoch
  }

  get hub(): Hub {
    if (this.#hub === undefined) throw new Error('the hub does not run')
    return this.#hub
  }

  /** Whether the disk gave a reason to refuse something. */
  get #mayFail(): boolean {
    return this.disk.isFull || this.model.mayBeDamaged || this.clock.monoMs() - this.#troubledMs < TROUBLE_MS
  }

  #isDeaf(): boolean {
    const { deaf } = this
    this.deaf = false
    if (deaf) this.#trouble('writer-deaf')
    return deaf
  }

  /** The disk gave a reason to refuse something. */
  #trouble(kind: string): void {
    this.#troubledMs = this.clock.monoMs()
    this.strike(kind)
  }

  /** A batch of one connection, as its driver hands it over; nobody waits for it. */
  offer(count: number, name: EventClass): void {
    const { store, ending } = this.hub
    const events = this.load.batch(count, name)
    store.append(events).then(
      ({ firstSeq, lastSeq }) => {
        if (!ending.signal.aborted) this.#acked(store, firstSeq, lastSeq, events)
      },
      (error: unknown) => {
        if (!isFault(error)) this.hub.failure ??= error
        else if (!ending.signal.aborted && !this.#mayFail)
          this.hub.failure ??= new Broken(
            `F1: ${events.length} events were refused on a disk that is well: ${error.message}`,
          )
        this.counts.refusals += 1
        this.trace.note('refused', events.length)
      },
    )
  }

  #acked(store: OpenedStore, firstSeq: number, lastSeq: number, events: readonly NewEvent[]): void {
    this.#notice(store.epoch, firstSeq - 1)
    this.model.acked(store.epoch, firstSeq, events)
    this.counts.events += events.length
    this.trace.note('acked', firstSeq, lastSeq)
  }

  /** The process dies here; what is on the disk now is what the next one finds. With `damage` not all of it is what was written. */
  async crash(damage = false): Promise<void> {
    const { store, ending } = this.hub
    const life = this.folders.now
    const image = this.disk.image
    if (image === undefined) this.folders.next(undefined)
    else this.#powerCut()
    this.counts.crashes += 1
    this.trace.note('crash')
    this.#hub = undefined
    ending.abort(new Error('the process died'))
    this.disk.path = ''
    await during(
      this.clock,
      store.close().catch(() => undefined),
    )
    this.folders.drop(life)
    if (damage) {
      this.folders.damage(this.random)
      this.model.damaged()
    }
    await this.start()
  }

  /** What the disk holds is what the power cut left there, and another machine stands up on it. */
  #powerCut(): void {
    this.folders.next(this.disk.image)
    this.disk.restarted()
    this.machine.restarted()
  }

  /** The power was cut in the middle of something. */
  async standUp(): Promise<void> {
    if (this.disk.image !== undefined) await this.crash()
  }

  /** Do something that the disk may fail; where it is well nothing is refused. */
  async fails<T>(doing: () => Promise<T>): Promise<T | undefined> {
    const { epoch } = this.hub.store
    try {
      return await during(this.clock, doing())
    } catch (error) {
      // While it waited the log may have begun anew; whether it had a reason the model knows.
      const elsewhere = error instanceof EpochChanged || error instanceof PositionAhead
      if (elsewhere && epoch !== this.hub.store.epoch) return undefined
      if (!isFault(error)) throw error
      if (!this.#mayFail) throw new Broken(`F1: the disk is well, and the log says ${error.message}`)
      return undefined
    }
  }

  /** Everything that must hold, looked at from outside: of the whole log, or of what is new in it. */
  async check(whole: boolean): Promise<void> {
    const { store, upstream, failure } = this.hub
    if (failure !== undefined) throw failure
    const { epoch } = store
    this.model.opened(epoch, store.lastSeq(), this.disk.takeDoubt())
    this.#epoch = epoch
    const after = whole || this.#checked.epoch !== epoch ? 0 : this.#checked.seq
    const looked = await this.fails(() => readBehind(store, after))
    if (looked === undefined || store.epoch !== epoch) {
      this.counts.refusedReads += 1
      return
    }
    const { entries, lastSeq } = looked
    this.counts.reads += 1
    this.model.read(epoch, { after, lastSeq }, entries)
    this.counts.aged = this.model.aged
    this.#checked = { epoch, seq: lastSeq }
    const { position } = upstream.state()
    this.model.cursor('up:city', position)
    if (after === 0) {
      // Asked behind the reading, nothing was let go of in between: the room is kept while time goes on only.
      if (position?.epoch === epoch) this.model.upstream(epoch, position.seq)
      this.model.onlyRefused(epoch, this.load.poison)
      const first = entries.find(({ kind }) => kind === 'event')
      if (first?.kind === 'event') this.model.forget(epoch, first.seq)
    }
    this.trace.note('checked', entries.length, lastSeq)
  }

  /** Nothing fails any more: what is held has to arrive. */
  async heal(): Promise<void> {
    this.broker.down = false
    Object.assign(this.broker.manners, { lostPerMille: 0, refusedPerMille: 0, latencyMs: 20 })
    this.disk.heal()
    this.load.wholesome()
    this.deaf = false
    await this.standUp()
    await this.clock.advance(HEALING_MS)
    const { store } = this.hub
    const event = this.load.event('audit', '')
    const { firstSeq, lastSeq } = await during(this.clock, store.append([event]))
    this.#acked(store, firstSeq, lastSeq, [event])
    await this.clock.advance(60_000)
    const reads = this.counts.reads
    await this.check(true)
    if (this.counts.reads === reads) throw new Broken('L12: the log is not read, though nothing fails any more')
    this.model.drained(this.hub.store.epoch)
  }

  async end(): Promise<void> {
    const hub = this.#hub
    this.#hub = undefined
    hub?.ending.abort(new Error('the simulation is over'))
    if (hub !== undefined)
      await during(
        this.clock,
        hub.store.close().catch(() => undefined),
      )
    layHand(undefined)
    this.folders.end()
  }
}
