import { Fault, isFault } from '../../../gateway/contract/fault.ts'
import { countersOf, registerCapacity } from '../capacity.ts'
import { bitAt, EXCEPTIONS, type PduAnswer, type PduRequest, readRequest } from '../codec/pdu.ts'
import { decodeValue, wordsOf } from '../codec/value.ts'
import { registersOf } from '../costs.ts'
import type { MeterPlan, PlannedMeter, PointValue, Poll } from '../meter.ts'
import { type Block, halves, type PlanCosts, planBlocks } from '../plan.ts'
import type { ModbusPoint, ModbusProfile } from './modbus-profile.ts'

/** Brings a request to the device and its answer back, over whatever wire. */
export type ModbusAsk = (request: PduRequest, attempts: number) => Promise<ModbusHeard>

export interface ModbusHeard {
  readonly answer: PduAnswer
  /** When the answer was there, on `Clock.monoMs`. */
  readonly monoMs: number
}

/* MODBUS Application Protocol V1.1b3, section 7. */
const ILLEGAL_FUNCTION = 1
const ILLEGAL_ADDRESS = 2
const ILLEGAL_VALUE = 3

/** A device on Modbus, read by its profile. Points that it does not have are found out once and left out. */
export class ModbusMeter implements PlannedMeter {
  readonly id: string
  readonly counters: ReadonlyMap<string, number | undefined>
  readonly #profile: ModbusProfile
  readonly #costs: PlanCosts
  readonly #ask: ModbusAsk
  #blocks: Block[]
  /** Names of the points that the device refused, with what it said. */
  readonly #refused: Map<string, string>

  /** @param refused what it refused in an earlier life of its connection, and where that is kept */
  constructor(
    id: string,
    profile: ModbusProfile,
    costs: PlanCosts,
    ask: ModbusAsk,
    refused = new Map<string, string>(),
  ) {
    this.id = id
    this.counters = countersOf(profile.points, registerCapacity)
    this.#profile = profile
    this.#costs = costs
    this.#ask = ask
    this.#refused = refused
    this.#blocks = this.#plan()
  }

  /** What is asked in one round now, in this order. */
  get blocks(): readonly Block[] {
    return this.#blocks
  }

  plan(): MeterPlan {
    return {
      requests: this.#blocks.map((block) => ({
        what: placesOf(block),
        points: block.points.map(({ point }) => point),
        registers: registersOf(block),
      })),
      refused: [...this.#refused].map(([point, why]) => ({ point, why })),
    }
  }

  async read(attempts: number): Promise<Poll> {
    const points: Record<string, PointValue> = {}
    let monoMs: number | undefined
    let fault: Fault | undefined
    for (let at = 0; at < this.#blocks.length && fault === undefined; ) {
      const block = this.#blocks[at]!
      const heard = await this.#ask(readRequest(block.table, block.address, block.count), attempts).catch(deviceFault)
      if (isFault(heard)) fault = heard
      else if (heard.answer.kind === 'data') {
        monoMs = heard.monoMs
        decodeBlock(block, heard.answer.data, points)
        at += 1
      } else fault = this.#except(at, heard.answer.code)
    }
    if (this.#blocks.length === 0) fault = this.#nothingLeft()
    if (monoMs === undefined) throw fault ?? new Fault('device', 'nothing was read', { code: 'nothing' })
    return {
      points,
      monoMs,
      complete: fault === undefined && this.#refused.size === 0,
      trouble: fault ?? this.#pointFault(),
    }
  }

  #plan(): Block[] {
    const registersMax = Math.min(this.#costs.registersMax, this.#profile.blockMax)
    const known = this.#profile.points.filter(({ point }) => !this.#refused.has(point))
    return planBlocks(known, { ...this.#costs, registersMax })
  }

  /** The device refused a block: a part of it may be there, a device that is busy comes back. */
  #except(at: number, code: number): Fault | undefined {
    const block = this.#blocks[at]!
    const words = EXCEPTIONS[code] ?? 'an exception that the specification does not know'
    if (code !== ILLEGAL_FUNCTION && code !== ILLEGAL_ADDRESS && code !== ILLEGAL_VALUE) {
      return new Fault('device', `it answers exception ${code}: ${words}`, { code: `exception-${code}` })
    }
    const parts = code === ILLEGAL_FUNCTION ? undefined : halves(block)
    this.#blocks.splice(at, 1, ...(parts ?? []))
    if (parts === undefined) for (const { point } of block.points) this.#refused.set(point, words)
    return undefined
  }

  /** A device that refuses every point may only be starting: all are asked again next time. */
  #nothingLeft(): Fault {
    const words = [...new Set(this.#refused.values())].join(', ')
    this.#refused.clear()
    this.#blocks = this.#plan()
    return new Fault('device', `it has none of the points of profile ${this.#profile.id}: ${words}`, {
      code: 'wrong-profile',
      hint: 'is it this model, and this address?',
    })
  }

  #pointFault(): Fault | undefined {
    if (this.#refused.size === 0) return undefined
    const list = [...this.#refused].map(([point, words]) => `${point} (${words})`).join(', ')
    return new Fault('point', `left out until the next restart: ${list}`, {
      code: 'point',
      hint: 'this device or its firmware does not have them; a profile of its own would not ask for them',
    })
  }
}

function placesOf({ table, address, count }: Block): string {
  return count === 1 ? `${table} ${address}` : `${table} ${address} to ${address + count - 1}`
}

/** Decode one block's data into `points`. */
function decodeBlock(block: Block, data: Uint8Array, points: Record<string, PointValue>): void {
  for (const point of block.points) {
    const v = decodePoint(point, block.address, data)
    points[point.point] = point.unit === '' ? { v } : { v, u: point.unit }
  }
}

/** @param from address of the first register, or coil, in `data` */
export function decodePoint(point: ModbusPoint, from: number, data: Uint8Array): PointValue['v'] {
  const at = point.address - from
  if (point.table === 'coil' || point.table === 'discrete') return bitAt(data, at)
  return decodeValue(data.subarray(at * 2, (at + wordsOf(point)) * 2), point)
}

/** A device's fault ends this round only; whatever reaches further, and a bug, goes up. */
function deviceFault(error: unknown): Fault {
  if (isFault(error) && error.reach === 'device') return error
  throw error
}
