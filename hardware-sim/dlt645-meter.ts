import type { Clock } from '../gateway/contract/clock.ts'
import type { SerialSettings } from '../gateway/contract/io.ts'
import { digitBytes, digitsOf, extentOf, layOut } from './decimal-bytes.ts'
import { ADDRESS_BYTES, type Dlt645Frame, readDlt645, writeDlt645 } from './dlt645-frame.ts'
import { homeLoad, type Load } from './load.ts'
import type { Meter } from './meter.ts'
import { MeterClock } from './meter-clock.ts'
import type { DecimalPoint, Dlt645Profile } from './profile.ts'
import { quantity } from './quantity.ts'
import { WAKE_BYTES_MAX, withByte } from './summed-frame.ts'

/*
 * DL/T 645-2007, 7: what a control code asks for. The 1997 edition has another code for reading,
 * and of what else it has this meter knows the time.
 */
type Asked = 'read' | 'follow' | 'address' | 'write' | 'time' | 'freeze' | 'relay'
const FUNCTIONS: Readonly<Record<Dlt645Profile['edition'], Readonly<Record<number, Asked>>>> = {
  2007: { 17: 'read', 18: 'follow', 19: 'address', 20: 'write', 8: 'time', 22: 'freeze', 28: 'relay' },
  1997: { 1: 'read', 8: 'time' },
}
const ANSWER = 0x80
const REFUSAL = 0xc0
const MORE = 0x20
/* The error word, a bit for each reason. */
const OTHER = 0x01
const NO_SUCH_DATA = 0x02
const NOT_ALLOWED = 0x04
/* Addresses that are nobody's own: whoever is there, and everybody. */
const ANY = 0xaa
const EVERYBODY = '999999999999'
const LONG_IDENTIFIER_BYTES = 4
const SHORT_IDENTIFIER_BYTES = 2
/** An answer has at most 200 bytes of data, four of them the identifier; one byte is left for a SEQ. */
const FRAME_BYTES_MAX = 195
const FREEZES_MAX = 60
const PASSWORD_BYTES = 4
const OPERATOR_BYTES = 4
/* 1CH: N1, then N2, then until when it holds. */
const TRIP = 0x1a
const CLOSE = 0x1c
const RELAY_BYTES = 16
/* Status word 3: the relay, and what it was last told. */
const RELAY_OPEN = 1 << 4
const RELAY_TOLD_TO_OPEN = 1 << 6
const TIME = 'ss mm hh DD MM YY'

/** What every meter can tell beside its points. */
type OwnData = 'date' | 'time' | 'number' | 'state'
const OWN_DATA: Readonly<Record<Dlt645Profile['edition'], Readonly<Record<string, OwnData>>>> = {
  2007: { '04000101': 'date', '04000102': 'time', '04000401': 'number', '04000503': 'state' },
  1997: { c010: 'date', c011: 'time' },
}
const CLOCK_LAYOUT = { date: 'WW DD MM YY', time: 'ss mm hh' } as const

export interface Dlt645MeterOptions {
  readonly id: string
  /** Its number, twelve digits; a shorter one has zeros before it. */
  readonly address: string
  readonly profile: Dlt645Profile
  readonly clock: Clock
  readonly seed?: number
  /** The standard wants 20 to 500 ms. */
  readonly turnaroundMs?: number
  readonly settings?: SerialSettings
  /** How many FEH it sends before an answer, 0 to 4. */
  readonly wakeBytes?: number
  /** How many bytes of a value go into one frame; a longer one comes in several (2007). */
  readonly frameBytesMax?: number
  /** What writing and switching take: two digits of the level, six of the password. */
  readonly password?: string
  /** By how much a broadcast may set its clock; left out, by any time. */
  readonly setWithinMs?: number
  /** Makes a point show this instead of what the load gives; null: not measured. */
  readonly value?: (point: string) => number | null | undefined
}

/** An answer without the address: what the meter says to a request. */
type Reply = Omit<Dlt645Frame, 'address'>

/** An electricity meter of DL/T 645, made from its profile, on a load of its own. */
export class Dlt645Meter implements Meter {
  readonly id: string
  readonly turnaroundMs: number
  readonly settings?: SerialSettings
  readonly load: Load
  readonly clock: MeterClock
  /** When freezes were asked for, as minute, hour, day, month in their order on the wire; 99 is every one. */
  readonly freezes: string[] = []
  readonly #options: Dlt645MeterOptions
  readonly #address: Uint8Array
  readonly #wakeBytes: number
  readonly #frameBytesMax: number
  #relayOpen = false
  /** What was read last, as it was then: what follows is taken from it. */
  #asked: { readonly identifier: string; readonly data: Uint8Array } | undefined

  constructor(options: Dlt645MeterOptions) {
    this.#options = options
    this.id = options.id
    this.turnaroundMs = options.turnaroundMs ?? 20
    if (options.settings !== undefined) this.settings = options.settings
    this.load = homeLoad(options.clock, options.id, options.seed)
    this.clock = new MeterClock(options.clock)
    this.#address = digitBytes(options.address, ADDRESS_BYTES)
    this.#wakeBytes = Math.min(options.wakeBytes ?? WAKE_BYTES_MAX, WAKE_BYTES_MAX)
    const chosen = options.profile.edition === '2007' ? options.frameBytesMax : undefined
    this.#frameBytesMax = Math.min(chosen ?? FRAME_BYTES_MAX, FRAME_BYTES_MAX)
  }

  get relayOpen(): boolean {
    return this.#relayOpen
  }

  answer(request: Uint8Array): Uint8Array | undefined {
    const frame = readDlt645(request)
    if (frame === undefined || (frame.control & ANSWER) !== 0) return undefined
    const asked = FUNCTIONS[this.#options.profile.edition][frame.control]
    if (digitsOf(frame.address) === EVERYBODY) {
      if (asked === 'time') this.#setTime(frame.data)
      if (asked === 'freeze') this.#freeze(frame.data)
      return undefined
    }
    if (!this.#isAsked(frame.address, asked)) return undefined
    const reply = this.#reply(frame, asked)
    return writeDlt645({ address: this.#address, ...reply }, this.#wakeBytes)
  }

  /** Only the lowest byte of the address is another. */
  disguise(answer: Uint8Array, unit: number): Uint8Array {
    return withByte(answer, 1, unit)
  }

  refuse(request: Uint8Array, code: number): Uint8Array {
    const reply = refusal(readDlt645(request)?.control ?? 0, code)
    return writeDlt645({ address: this.#address, ...reply }, this.#wakeBytes)
  }

  /** For reading, the high bytes of the address may be AAH, which any meter is. */
  #isAsked(address: Uint8Array, asked: Asked | undefined): boolean {
    const reads = asked === 'read' || asked === 'follow' || asked === 'address'
    const wild = reads ? address.length - (address.findLastIndex((byte) => byte !== ANY) + 1) : 0
    return address.subarray(0, address.length - wild).every((byte, i) => byte === this.#address[i])
  }

  #reply(frame: Dlt645Frame, asked: Asked | undefined): Reply {
    const { control, data } = frame
    switch (asked) {
      case 'read':
        return this.#read(control, data)
      case 'follow':
        return this.#follow(control, data)
      case 'address':
        return confirmation(control, this.#address)
      case 'write':
        return this.#write(control, data)
      case 'freeze':
        return this.#freeze(data) ? confirmation(control) : refusal(control, OTHER)
      case 'relay':
        return this.#switchRelay(control, data)
      // The time is for everybody and not for one.
      case 'time':
      case undefined:
        return refusal(control, OTHER)
      default:
        return asked satisfies never
    }
  }

  #read(control: number, asked: Uint8Array): Reply {
    if (asked.length !== this.#identifierBytes) return refusal(control, OTHER)
    const identifier = digitsOf(asked)
    const data = this.#dataOf(identifier)
    if (data === undefined) return refusal(control, NO_SUCH_DATA)
    const more = data.length > this.#frameBytesMax
    this.#asked = { identifier, data }
    const first = Buffer.concat([asked, data.subarray(0, this.#frameBytesMax)])
    return { control: control | ANSWER | (more ? MORE : 0), data: first }
  }

  /** The frame with this SEQ, which the answer carries behind its data; the first answer had none, and is 0. */
  #follow(control: number, asked: Uint8Array): Reply {
    const identifier = asked.subarray(0, this.#identifierBytes)
    const seq = asked[this.#identifierBytes]
    const from = (seq ?? 0) * this.#frameBytesMax
    const whole = this.#asked?.identifier === digitsOf(identifier) ? this.#asked.data : new Uint8Array(0)
    if (seq === undefined || from === 0 || from >= whole.length) return refusal(control, NO_SUCH_DATA)
    const part = whole.subarray(from, from + this.#frameBytesMax)
    const more = from + part.length < whole.length ? MORE : 0
    return { control: control | ANSWER | more, data: Uint8Array.of(...identifier, ...part, seq) }
  }

  /** Only the date and the time are to be written. */
  #write(control: number, data: Uint8Array): Reply {
    const identifier = digitsOf(data.subarray(0, this.#identifierBytes))
    const behind = data.subarray(this.#identifierBytes)
    if (!this.#isAllowed(behind)) return refusal(control, NOT_ALLOWED)
    if (this.#dataOf(identifier) === undefined) return refusal(control, NO_SUCH_DATA)
    const own = OWN_DATA[this.#options.profile.edition][identifier]
    if (own !== 'date' && own !== 'time') return refusal(control, NOT_ALLOWED)
    const isSet = this.clock.set(CLOCK_LAYOUT[own], behind.subarray(PASSWORD_BYTES + OPERATOR_BYTES))
    return isSet ? confirmation(control) : refusal(control, OTHER)
  }

  /** Password, operator, N1, N2, and until when the command holds, by the clock of the meter. */
  #switchRelay(control: number, data: Uint8Array): Reply {
    if (!this.#isAllowed(data)) return refusal(control, NOT_ALLOWED)
    const [told] = data.subarray(PASSWORD_BYTES + OPERATOR_BYTES)
    const untilMs = this.clock.momentOf(TIME, data.subarray(-ADDRESS_BYTES))
    const isOver = untilMs === undefined || untilMs < this.clock.shownMs
    if (data.length !== RELAY_BYTES || isOver || (told !== TRIP && told !== CLOSE)) return refusal(control, OTHER)
    this.#relayOpen = told === TRIP
    if (this.#relayOpen) this.load.switchOff()
    else this.load.switchOn()
    return confirmation(control)
  }

  #isAllowed(data: Uint8Array): boolean {
    const password = this.#options.password ?? '02000000'
    const wire = [...digitBytes(password.slice(0, 2), 1), ...digitBytes(password.slice(2), PASSWORD_BYTES - 1)]
    return wire.every((byte, i) => data[i] === byte)
  }

  #setTime(data: Uint8Array): void {
    const moment = this.clock.momentOf(TIME, data)
    const stepMs = Math.abs((moment ?? 0) - this.clock.shownMs)
    if (moment !== undefined && stepMs <= (this.#options.setWithinMs ?? stepMs)) this.clock.set(TIME, data)
  }

  #freeze(data: Uint8Array): boolean {
    const isPoint = /^(\d\d){4}$/.test(Buffer.from(data).toString('hex'))
    if (isPoint && this.freezes.length < FREEZES_MAX) this.freezes.push(Buffer.from(data).toString('hex'))
    return isPoint
  }

  get #identifierBytes(): number {
    return this.#options.profile.edition === '1997' ? SHORT_IDENTIFIER_BYTES : LONG_IDENTIFIER_BYTES
  }

  #dataOf(identifier: string): Uint8Array | undefined {
    const { profile, address } = this.#options
    const own = OWN_DATA[profile.edition][identifier]
    if (own !== undefined) return this.#ownData(own)
    const points = profile.points.filter((point) => point.identifier === identifier)
    if (points.length === 0) return undefined
    return layOut({ points, bytes: extentOf(points), number: address, value: (point) => this.#valueOf(point) })
  }

  #ownData(own: OwnData): Uint8Array {
    switch (own) {
      case 'date':
      case 'time':
        return this.clock.bytes(CLOCK_LAYOUT[own])
      case 'number':
        return this.#address
      case 'state':
        return Uint8Array.of(this.#relayOpen ? RELAY_OPEN | RELAY_TOLD_TO_OPEN : 0, 0)
      default:
        return own satisfies never
    }
  }

  #valueOf({ point, unit, as }: DecimalPoint): number | null {
    const given = this.#options.value?.(point)
    return given !== undefined ? given : as === 'bit' ? 0 : quantity(this.load, point, unit)
  }
}

function confirmation(control: number, data: Uint8Array = new Uint8Array(0)): Reply {
  return { control: control | ANSWER, data }
}

function refusal(control: number, code: number): Reply {
  return { control: control | REFUSAL, data: Uint8Array.of(code) }
}
