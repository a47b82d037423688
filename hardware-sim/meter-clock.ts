import type { Clock } from '../gateway/contract/clock.ts'
import { digitBytes } from './decimal-bytes.ts'

/** All of China. */
const UTC_OFFSET_MINUTES = 8 * 60

/** Second, minute, hour, day, month, year of the century, century, day of the week from Sunday, as the standards write them. */
type Part = 'ss' | 'mm' | 'hh' | 'DD' | 'MM' | 'YY' | 'CC' | 'WW'
type Parts = Readonly<Record<Part, number>>

/**
 * The clock of a meter, which shows local time and can be set. It runs on monotonic time, so that setting the clock
 * of this machine does not turn it.
 */
export class MeterClock {
  readonly #clock: Clock
  /** What is added to monotonic time. */
  #offsetMs: number

  constructor(clock: Clock, utcOffsetMinutes = UTC_OFFSET_MINUTES) {
    this.#clock = clock
    this.#offsetMs = clock.wallMs() + utcOffsetMinutes * 60_000 - clock.monoMs()
  }

  /** What it shows, such as 2026-11-23 12:30:05. */
  get text(): string {
    return new Date(this.shownMs).toISOString().slice(0, 19).replace('T', ' ')
  }

  /** What it shows, counted as if it were UTC. */
  get shownMs(): number {
    return this.#clock.monoMs() + this.#offsetMs
  }

  /** @param layout the parts in their order on the wire, such as `ss mm hh`. */
  bytes(layout: string): Uint8Array {
    const parts = partsOf(this.shownMs)
    return Uint8Array.from(inOrder(layout), (part) => digitBytes(String(parts[part]), 1)[0]!)
  }

  /** The moment that these bytes say, counted as `shownMs`; undefined when there is none such. */
  momentOf(layout: string, bytes: Uint8Array): number | undefined {
    const order = inOrder(layout)
    const digits = Buffer.from(bytes).toString('hex')
    if (bytes.length !== order.length || !/^\d*$/.test(digits)) return undefined
    const said = Object.fromEntries(order.map((part, i) => [part, Number(digits.slice(i * 2, i * 2 + 2))]))
    const whole = { ...partsOf(this.shownMs), ...said }
    const moment = Date.UTC(whole.CC * 100 + whole.YY, whole.MM - 1, whole.DD, whole.hh, whole.mm, whole.ss)
    const parts = partsOf(moment)
    // The 31st of February would be a day in March. Which weekday it is the meter knows better.
    return order.every((part) => part === 'WW' || parts[part] === whole[part]) ? moment : undefined
  }

  /** Set the parts that are given. @returns false when there is no such time, and then it goes on as before. */
  set(layout: string, bytes: Uint8Array): boolean {
    const moment = this.momentOf(layout, bytes)
    if (moment === undefined) return false
    this.#offsetMs = moment - this.#clock.monoMs()
    return true
  }
}

function inOrder(layout: string): readonly Part[] {
  return layout.split(' ') as Part[]
}

function partsOf(moment: number): Parts {
  const date = new Date(moment)
  return {
    ss: date.getUTCSeconds(),
    mm: date.getUTCMinutes(),
    hh: date.getUTCHours(),
    DD: date.getUTCDate(),
    MM: date.getUTCMonth() + 1,
    YY: date.getUTCFullYear() % 100,
    CC: Math.floor(date.getUTCFullYear() / 100),
    WW: date.getUTCDay(),
  }
}
