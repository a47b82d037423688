import { isTrusted } from '../../gateway/contract/clock.ts'
import type { NewEvent, StoredEvent } from '../../gateway/contract/event.ts'
import type { MachineBoot } from '../../gateway/store/boots.ts'
import type { VirtualClock } from '../../hardware-sim/clock.ts'
import { must } from './broken.ts'

/** The offsets are carried from run to run through rounded numbers. */
const ROUNDING_MS = 2

/** The machine and its wall clock, which loses the time and finds it again; and how events are to be read then (L13). */
export class Machine {
  readonly #clock: VirtualClock
  readonly #trueOffsetMs: number
  /** What was found in each start of the machine: the offsets that may hold, the newest last. */
  readonly #found = new Map<number, number[]>()
  /** The starts of the machine in which it was found for good. */
  readonly #sure = new Set<number>()
  #boot = 1
  #startedMs = 0

  constructor(clock: VirtualClock) {
    this.#clock = clock
    this.#trueOffsetMs = clock.wallMs() - clock.monoMs()
  }

  get boot(): number {
    return this.#boot
  }

  get now(): MachineBoot {
    return { id: `boot-${this.#boot}`, uptimeS: (this.#clock.monoMs() - this.#startedMs) / 1000 }
  }

  get isTrusted(): boolean {
    return isTrusted(this.#clock.state())
  }

  /** Wall time less monotonic time as it is. */
  get offsetMs(): number {
    return this.#clock.wallMs() - this.#clock.monoMs()
  }

  /** The power came back. */
  restarted(): void {
    this.#boot += 1
    this.#startedMs = this.#clock.monoMs()
  }

  /** The battery is empty: the clock shows something, and nobody vouches for it. */
  lose(byMs: number): void {
    this.#clock.jumpWall(byMs, byMs > 0 ? 'unsynced' : 'never')
  }

  /** A time source sets the clock right. */
  find(): void {
    this.#clock.jumpWall(this.#trueOffsetMs - this.offsetMs, 'synced')
  }

  /** From now on, or from earlier on where the answer was lost, the log may read events with this offset. */
  mayBeFixed(offsetMs: number): void {
    this.#found.set(this.#boot, [...(this.#found.get(this.#boot) ?? []), offsetMs])
  }

  /** It is durable: no other offset holds any more. */
  fixed(offsetMs: number): void {
    this.#found.set(this.#boot, [offsetMs])
    this.#sure.add(this.#boot)
  }

  /** Whether an event is read with the time that it came with, or with what the clock should have shown. */
  checkTime(offer: NewEvent, boot: number, event: StoredEvent, salvaged: boolean): void {
    const place = `${event.epoch}/${event.seq}`
    const asOffered = event.wallMs === offer.wallMs && event.clock === offer.clock
    if (isTrusted(offer.clock)) {
      must(
        asOffered,
        () =>
          `L13: ${place} came at ${offer.wallMs} (${offer.clock}) and is read with ${event.wallMs} (${event.clock})`,
      )
      return
    }
    const found = this.#found.get(boot) ?? []
    if (asOffered && (!this.#sure.has(boot) || salvaged)) return
    const corrected = found.some((offsetMs) => Math.abs(offsetMs + offer.monoMs - event.wallMs) <= ROUNDING_MS)
    must(
      corrected && event.clock === 'holdover',
      () =>
        `L13: ${place} came at ${offer.wallMs} (${offer.clock}), is read with ${event.wallMs} (${event.clock}); found were ${found.join(', ')}`,
    )
  }
}
