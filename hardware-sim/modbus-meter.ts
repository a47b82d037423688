import type { Clock } from '../gateway/contract/clock.ts'
import type { SerialSettings } from '../gateway/contract/io.ts'
import { homeLoad, type Load } from './load.ts'
import type { Meter } from './meter.ts'
import type { ModbusProfile } from './profile.ts'
import { quantity } from './quantity.ts'
import { type RegisterOptions, Registers, type Table } from './registers.ts'

/* MODBUS Application Protocol Specification V1.1b3, section 7: exception codes. */
const ILLEGAL_FUNCTION = 1
const ILLEGAL_ADDRESS = 2
const ILLEGAL_VALUE = 3
/* Section 6: the most that one request may ask for or write. */
const READ_BITS_MAX = 2000
const READ_REGISTERS_MAX = 125
const WRITE_BITS_MAX = 1968
const WRITE_REGISTERS_MAX = 123

export interface ModbusMeterOptions extends RegisterOptions {
  readonly id: string
  /** 1 to 247. */
  readonly unit: number
  readonly profile: ModbusProfile
  readonly clock: Clock
  readonly seed?: number
  readonly turnaroundMs?: number
  readonly settings?: SerialSettings
  /** The most registers it gives at once, where that is not what its profile says. */
  readonly registersMax?: number
  /** Makes a point show this instead of what the load gives. */
  readonly value?: (point: string) => number | undefined
}

/** A Modbus device made from its profile, on a load of its own: it answers requests, whatever carries them. */
export class ModbusMeter implements Meter {
  readonly id: string
  readonly unit: number
  readonly turnaroundMs: number
  readonly settings?: SerialSettings
  readonly load: Load
  readonly registers: Registers
  readonly #registersMax: number

  constructor(options: ModbusMeterOptions) {
    const { profile, clock } = options
    this.id = options.id
    this.unit = options.unit
    this.turnaroundMs = options.turnaroundMs ?? 5
    if (options.settings !== undefined) this.settings = options.settings
    this.#registersMax = Math.min(options.registersMax ?? profile.blockMax, READ_REGISTERS_MAX)
    this.load = homeLoad(clock, options.id, options.seed)
    const show = (point: ModbusProfile['points'][number]): number =>
      options.value?.(point.point) ?? quantity(this.load, point.point, point.unit)
    this.registers = new Registers(profile.points, show, options)
  }

  /** An RTU frame in, an RTU frame out: address, PDU, CRC (MODBUS over serial line V1.02, 2.5.1). */
  answer(request: Uint8Array): Uint8Array | undefined {
    if (request.length < 4 || !crcIsRight(request)) return undefined
    const unit = request[0]!
    if (unit !== 0 && unit !== this.unit) return undefined
    const answer = this.pdu(request.subarray(1, -2))
    // A broadcast is obeyed and never answered (section 2.1).
    return unit === 0 ? undefined : rtuFrame(this.unit, answer)
  }

  disguise(answer: Uint8Array, unit: number): Uint8Array {
    return rtuFrame(unit, answer.subarray(1, -2))
  }

  refuse(request: Uint8Array, code: number): Uint8Array {
    return rtuFrame(this.unit, exception(request[1]!, code))
  }

  /** A protocol data unit in, one out: function code and data, without address and check. */
  pdu(request: Uint8Array): Uint8Array {
    const pdu = Buffer.from(request)
    switch (pdu[0]) {
      case 1:
        return this.#readBits(pdu, 'coil')
      case 2:
        return this.#readBits(pdu, 'discrete')
      case 3:
        return this.#readRegisters(pdu, 'holding')
      case 4:
        return this.#readRegisters(pdu, 'input')
      case 5:
      case 6:
        return this.#writeOne(pdu)
      case 15:
      case 16:
        return this.#writeMany(pdu)
      default:
        return exception(pdu[0] ?? 0, ILLEGAL_FUNCTION)
    }
  }

  #readBits(pdu: Buffer, table: Table): Uint8Array {
    if (pdu.length !== 5 || !within(pdu.readUInt16BE(3), READ_BITS_MAX)) return exception(pdu[0]!, ILLEGAL_VALUE)
    const values = this.registers.read(table, pdu.readUInt16BE(1), pdu.readUInt16BE(3))
    if (values === undefined) return exception(pdu[0]!, ILLEGAL_ADDRESS)
    const packed = Buffer.alloc(Math.ceil(values.length / 8))
    values.forEach((value, i) => {
      if (value !== 0) packed[i >> 3]! |= 1 << (i & 7)
    })
    return Buffer.concat([Buffer.of(pdu[0]!, packed.length), packed])
  }

  #readRegisters(pdu: Buffer, table: Table): Uint8Array {
    if (pdu.length !== 5 || !within(pdu.readUInt16BE(3), this.#registersMax)) return exception(pdu[0]!, ILLEGAL_VALUE)
    const values = this.registers.read(table, pdu.readUInt16BE(1), pdu.readUInt16BE(3))
    if (values === undefined) return exception(pdu[0]!, ILLEGAL_ADDRESS)
    const answer = Buffer.alloc(2 + values.length * 2)
    answer[0] = pdu[0]!
    answer[1] = values.length * 2
    values.forEach((value, i) => void answer.writeUInt16BE(value, 2 + i * 2))
    return answer
  }

  #writeOne(pdu: Buffer): Uint8Array {
    const code = pdu[0]!
    if (pdu.length !== 5) return exception(code, ILLEGAL_VALUE)
    const value = pdu.readUInt16BE(3)
    if (code === 5 && value !== 0 && value !== 0xff00) return exception(code, ILLEGAL_VALUE)
    const written =
      code === 5
        ? this.registers.write('coil', pdu.readUInt16BE(1), [value === 0 ? 0 : 1])
        : this.registers.write('holding', pdu.readUInt16BE(1), [value])
    return written ? pdu : exception(code, ILLEGAL_ADDRESS)
  }

  #writeMany(pdu: Buffer): Uint8Array {
    const code = pdu[0]!
    if (pdu.length < 6) return exception(code, ILLEGAL_VALUE)
    const count = pdu.readUInt16BE(3)
    const bytes = code === 15 ? Math.ceil(count / 8) : count * 2
    const most = code === 15 ? WRITE_BITS_MAX : WRITE_REGISTERS_MAX
    if (!within(count, most) || pdu[5] !== bytes || pdu.length !== 6 + bytes) return exception(code, ILLEGAL_VALUE)
    const values = Array.from({ length: count }, (_, i) =>
      code === 15 ? (pdu[6 + (i >> 3)]! >> (i & 7)) & 1 : pdu.readUInt16BE(6 + i * 2),
    )
    const written = this.registers.write(code === 15 ? 'coil' : 'holding', pdu.readUInt16BE(1), values)
    return written ? pdu.subarray(0, 5) : exception(code, ILLEGAL_ADDRESS)
  }
}

function within(count: number, most: number): boolean {
  return count >= 1 && count <= most
}

export function exception(functionCode: number, code: number): Uint8Array {
  return Buffer.of(functionCode | 0x80, code)
}

/** Address, PDU and CRC, its low byte first. */
export function rtuFrame(unit: number, pdu: Uint8Array): Uint8Array {
  const frame = Buffer.alloc(pdu.length + 3)
  frame[0] = unit
  frame.set(pdu, 1)
  frame.writeUInt16LE(crc16(frame.subarray(0, -2)), frame.length - 2)
  return frame
}

function crcIsRight(frame: Uint8Array): boolean {
  const { length } = frame
  return crc16(frame.subarray(0, -2)) === (frame[length - 2]! | (frame[length - 1]! << 8))
}

/** CRC-16 of MODBUS over serial line V1.02, section 6.2.2: start FFFF, polynomial A001 on reflected bits. */
export function crc16(bytes: Uint8Array): number {
  let crc = 0xffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xa001 : crc >>> 1
  }
  return crc
}
