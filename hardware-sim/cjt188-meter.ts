import type { Clock } from '../gateway/contract/clock.ts'
import type { SerialSettings } from '../gateway/contract/io.ts'
import { ADDRESS_BYTES, type Cjt188Frame, readCjt188, writeCjt188 } from './cjt188-frame.ts'
import { inUnitOfByte, unitByte } from './cjt188-unit.ts'
import { digitBytes, extentOf, layOut } from './decimal-bytes.ts'
import { homeLoad, type Load } from './load.ts'
import type { Meter } from './meter.ts'
import { MeterClock } from './meter-clock.ts'
import type { Cjt188Profile } from './profile.ts'
import { quantity } from './quantity.ts'
import { WAKE_BYTES_MAX, withByte } from './summed-frame.ts'

/* CJ/T 188-2004: control codes. */
const READ = 0x01
const READ_ADDRESS = 0x03
const WRITE = 0x04
const ANSWER = 0x80
const REFUSAL = 0xc0
const ANY = 0xaa
/* Identifiers. */
const CURRENT_DATA = '901f'
const OWN_ADDRESS = '810a'
const CLOCK = 'a015'
const VALVE = 'a017'
const OPEN = 0x55
const CLOSE = 0x99
/* The state, two bytes: of the first, D0 and D1 are the valve (00 open, 01 closed), D2 the battery. */
const STATE_BYTES = 2
const VALVE_CLOSED = 0x01
const BATTERY_LOW = 0x04
const TIME = 'ss mm hh DD MM YY CC'
const TIME_BYTES = 7
/** Identifier and SER. */
const HEAD_BYTES = 3

type Point = Cjt188Profile['points'][number]

export interface Cjt188MeterOptions {
  readonly id: string
  /** Its number, fourteen digits; a shorter one has zeros before it. */
  readonly address: string
  readonly profile: Cjt188Profile
  readonly clock: Clock
  readonly seed?: number
  readonly turnaroundMs?: number
  readonly settings?: SerialSettings
  /** How many FEH it sends before an answer, 0 to 4. */
  readonly wakeBytes?: number
  /** Says nothing to who asks in the other order of the identifier. */
  readonly ownOrderOnly?: boolean
  /** Answers 00 for SER whatever was asked, as many do. */
  readonly zeroSer?: boolean
  /** The unit byte that it shows a point with, where that is not the point's own unit. */
  readonly unitBytes?: Readonly<Record<string, number>>
  /** Makes a point show this instead of what the load gives; null: not measured. */
  readonly value?: (point: string) => number | null | undefined
}

/** What is asked: the identifier high byte first, whichever way it came. */
interface Asked {
  readonly identifier: string
  readonly ser: number
  readonly data: Uint8Array
}

/** A water, heat or gas meter of CJ/T 188, made from its profile, on a load of its own. */
export class Cjt188Meter implements Meter {
  readonly id: string
  readonly turnaroundMs: number
  readonly settings?: SerialSettings
  readonly load: Load
  readonly clock: MeterClock
  batteryLow = false
  readonly #options: Cjt188MeterOptions
  readonly #address: Uint8Array
  readonly #type: number
  readonly #wakeBytes: number
  #valveClosed = false

  constructor(options: Cjt188MeterOptions) {
    this.#options = options
    this.id = options.id
    this.turnaroundMs = options.turnaroundMs ?? 20
    if (options.settings !== undefined) this.settings = options.settings
    this.load = homeLoad(options.clock, options.id, options.seed)
    this.clock = new MeterClock(options.clock)
    this.#address = digitBytes(options.address, ADDRESS_BYTES)
    this.#type = Number.parseInt(options.profile.type, 16)
    // A unit that can't be shown is a mistake in the profile, and told at once.
    for (const point of options.profile.points) if (point.unitAt !== undefined) this.#inShownUnit(point)
    this.#wakeBytes = Math.min(options.wakeBytes ?? WAKE_BYTES_MAX, WAKE_BYTES_MAX)
  }

  get valveClosed(): boolean {
    return this.#valveClosed
  }

  answer(request: Uint8Array): Uint8Array | undefined {
    const frame = readCjt188(request)
    if (frame === undefined || !this.#isAsked(frame)) return undefined
    const asked = this.#asked(frame.data)
    if (asked === undefined) return undefined
    const behind = this.#obey(frame.control, asked)
    if (behind === undefined) return this.#refusal(frame.control, asked.ser, this.#state())
    return this.#frame(frame.control | ANSWER, Uint8Array.of(...this.#head(asked), ...behind))
  }

  /** Only the lowest byte of the address is another. */
  disguise(answer: Uint8Array, unit: number): Uint8Array {
    return withByte(answer, 2, unit)
  }

  /** A refusal has the state of the meter and no code of its own: the fault's becomes its first byte. */
  refuse(request: Uint8Array, code: number): Uint8Array {
    const frame = readCjt188(request)
    return this.#refusal(frame?.control ?? READ, frame?.data[2] ?? 0, Uint8Array.of(code, 0))
  }

  #isAsked({ type, address }: Cjt188Frame): boolean {
    const isAny = address.every((byte) => byte === ANY)
    const isOwn = address.every((byte, i) => byte === this.#address[i])
    return (type === this.#type || type === ANY) && (isOwn || isAny)
  }

  /** @returns undefined for what this meter does not understand, and so does not answer. */
  #asked(data: Uint8Array): Asked | undefined {
    if (data.length < HEAD_BYTES) return undefined
    const [first, second, ser] = data as unknown as [number, number, number]
    const [own, other] = this.#isHighFirst
      ? [
          [first, second],
          [second, first],
        ]
      : [
          [second, first],
          [first, second],
        ]
    const isOwnOrder = this.#knows(hexOf(own!))
    if (!isOwnOrder && this.#options.ownOrderOnly === true) return undefined
    const isOther = !isOwnOrder && this.#knows(hexOf(other!))
    return { identifier: hexOf(isOther ? other! : own!), ser, data: data.subarray(HEAD_BYTES) }
  }

  /** What stands behind identifier and SER; undefined: refused. */
  #obey(control: number, { identifier, data }: Asked): Uint8Array | undefined {
    if (control === READ) return this.#dataOf(identifier)
    if (control === READ_ADDRESS) return identifier === OWN_ADDRESS ? new Uint8Array(0) : undefined
    if (control !== WRITE) return undefined
    const isDone =
      (identifier === VALVE && this.#turnValve(data)) || (identifier === CLOCK && this.clock.set(TIME, data))
    return isDone ? this.#state() : undefined
  }

  #turnValve(data: Uint8Array): boolean {
    if (data.length !== 1 || (data[0] !== OPEN && data[0] !== CLOSE)) return false
    this.#valveClosed = data[0] === CLOSE
    if (this.#valveClosed) this.load.switchOff()
    else this.load.switchOn()
    return true
  }

  #knows(identifier: string): boolean {
    const own = [OWN_ADDRESS, CLOCK, VALVE]
    return own.includes(identifier) || this.#options.profile.points.some((point) => point.identifier === identifier)
  }

  #dataOf(identifier: string): Uint8Array | undefined {
    const { profile, address } = this.#options
    const points = profile.points.filter((point) => point.identifier === identifier)
    if (points.length === 0) return undefined
    const numbers = points.filter(({ as }) => as === 'bcd' || as === 'digits')
    const numbersEnd = Math.max(extentOf(numbers), ...points.map(({ unitAt = -1 }) => unitAt + 1))
    const bytes = Math.max(profile.answers[identifier] ?? 0, extentOf(points), numbersEnd)
    const data = layOut({ points: numbers, bytes, number: address, value: (point) => this.#shown(point) })
    for (const point of points) if (point.unitAt !== undefined) data[point.unitAt] = this.#unitByte(point)
    if (identifier === CURRENT_DATA) this.#setEnd(data, numbersEnd)
    return data
  }

  /** The current data end with the time and the state, where no number of the profile stands there. */
  #setEnd(data: Uint8Array, numbersEnd: number): void {
    const stateAt = data.length - STATE_BYTES
    if (numbersEnd <= stateAt) data.set(this.#state(), stateAt)
    if (numbersEnd <= stateAt - TIME_BYTES) data.set(this.clock.bytes(TIME), stateAt - TIME_BYTES)
  }

  #shown(point: Point): number | null {
    const given = this.#options.value?.(point.point)
    const value = given !== undefined ? given : quantity(this.load, point.point, point.unit)
    if (value === null || point.unitAt === undefined) return value
    return value * this.#inShownUnit(point)
  }

  #inShownUnit(point: Point): number {
    return inUnitOfByte(this.#unitByte(point), point.unit)
  }

  #unitByte({ point, unit }: Point): number {
    return this.#options.unitBytes?.[point] ?? unitByte(unit)
  }

  #state(): Uint8Array {
    return Uint8Array.of((this.#valveClosed ? VALVE_CLOSED : 0) | (this.batteryLow ? BATTERY_LOW : 0), 0)
  }

  get #isHighFirst(): boolean {
    return this.#options.profile.identifierOrder === 'high-first'
  }

  #head({ identifier, ser }: Asked): Uint8Array {
    const highFirst = Buffer.from(identifier, 'hex')
    return Uint8Array.of(...(this.#isHighFirst ? highFirst : highFirst.reverse()), this.#ser(ser))
  }

  #ser(asked: number): number {
    return this.#options.zeroSer === true ? 0 : asked
  }

  #refusal(control: number, ser: number, state: Uint8Array): Uint8Array {
    return this.#frame(control | REFUSAL, Uint8Array.of(this.#ser(ser), ...state))
  }

  #frame(control: number, data: Uint8Array): Uint8Array {
    return writeCjt188({ type: this.#type, address: this.#address, control, data }, this.#wakeBytes)
  }
}

function hexOf(bytes: readonly number[]): string {
  return Buffer.from(bytes).toString('hex')
}
