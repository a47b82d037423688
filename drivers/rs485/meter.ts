import type { Json, Seen } from '../../gateway/contract/event.ts'
import { Fault, isFault } from '../../gateway/contract/fault.ts'
import type { ReadRequest } from './codec/pdu.ts'
import { decodePoint } from './decode.ts'
import type { DeviceOptions } from './options.ts'
import { type Block, planBlocks, split } from './plan.ts'
import { type ModbusProfile, wordsOf } from './profile.ts'

/** Pauses after the first, second, third ... failure in a row; the last one holds for all that follow. */
const PAUSES_MS = [0, 500, 1000, 2000, 5000, 10_000, 30_000] as const
/** A single lost answer is no news. */
const SAID_AFTER_FAILURES = 2

/** One request and its answer, on whatever wire. */
export type Read = (
  unit: number,
  request: ReadRequest,
) => Promise<{ readonly values: readonly number[]; readonly monoMs: number }>

/** A meter while its connection lives: what is asked of it, and how it did. */
export class Meter {
  readonly id: string
  readonly everyMs: number
  nextMs: number
  readonly #unit: number
  #blocks: readonly Block[]
  #failures = 0

  constructor(options: DeviceOptions, profile: ModbusProfile, startMs: number) {
    this.id = options.id
    this.everyMs = options.every
    this.nextMs = startMs
    this.#unit = options.address
    this.#blocks = planBlocks(profile)
  }

  /**
   * Read everything once.
   * @throws Fault of reach `device` when it is silent, `reply` when it can't be understood, `connection` when the wire is gone
   */
  async poll(read: Read): Promise<Seen> {
    const points: Record<string, Json> = {}
    let firstMs: number | undefined
    for (const block of this.#blocks) {
      for (const { block: part, values, monoMs } of await this.#readBlock(read, block)) {
        firstMs ??= monoMs
        for (const point of part.points) {
          const from = point.address - part.address
          const value = decodePoint(point, values.slice(from, from + wordsOf(point)))
          points[point.point] = point.unit === '' ? { v: value } : { v: value, u: point.unit }
        }
      }
    }
    const quality = this.#missing === 0 ? 'good' : 'partial'
    return {
      device: this.id,
      type: 'linli.meter.reading',
      class: 'telemetry',
      privacy: 'personal',
      monoMs: firstMs ?? 0,
      data: { points, quality },
    }
  }

  /** It answered: back to its own rhythm. Rounds are aligned, so that all that are due at once go into one commit. */
  well(nowMs: number, startMs: number): void {
    this.#failures = 0
    this.nextMs = startMs + Math.floor((nowMs - startMs) / this.everyMs + 1) * this.everyMs
  }

  /** It failed: ask again soon, then ever later. @returns true when it is time to say so. */
  failed(nowMs: number): boolean {
    this.nextMs = nowMs + PAUSES_MS[Math.min(this.#failures, PAUSES_MS.length - 1)]!
    this.#failures += 1
    return this.#failures >= SAID_AFTER_FAILURES
  }

  #missing = 0

  /** A block that the meter refuses is parted until only what it really does not have is left out. */
  async #readBlock(read: Read, block: Block): Promise<{ block: Block; values: readonly number[]; monoMs: number }[]> {
    try {
      return [{ block, ...(await read(this.#unit, block)) }]
    } catch (error) {
      if (!isFault(error) || error.reach !== 'point') throw error
      const halves = split(block)
      this.#blocks = this.#blocks.flatMap((known) => (known === block ? (halves ?? []) : [known]))
      if (halves === undefined) {
        this.#missing += block.points.length
        if (this.#blocks.length === 0) throw nothingLeft(error)
        return []
      }
      return [...(await this.#readBlock(read, halves[0])), ...(await this.#readBlock(read, halves[1]))]
    }
  }
}

function nothingLeft(refusal: Fault): Fault {
  return new Fault('device', `the meter has none of its profile's registers: ${refusal.message}`, {
    code: 'profile-mismatch',
    hint: 'is it the model that the profile describes?',
    cause: refusal,
  })
}
