import type { ModbusPoint } from './profile.ts'

export type Table = ModbusPoint['table']

/** How many registers each way of writing a number takes; a string takes what its point says. */
const WORDS: Readonly<Record<string, number>> = {
  uint16: 1,
  int16: 1,
  uint32: 2,
  int32: 2,
  uint64: 4,
  int64: 4,
  float32: 2,
  float64: 4,
  bcd16: 1,
  bcd32: 2,
  bcd64: 4,
  bit: 1,
  bits: 1,
}

export interface RegisterOptions {
  /** Refuse addresses between the points (real meters differ: many answer 0 there). */
  readonly strictAddresses?: boolean
  /** Further registers with fixed values, such as settings or test patterns, by table and first address. */
  readonly extra?: readonly { readonly table: Table; readonly address: number; readonly values: readonly number[] }[]
}

interface Cell {
  readonly point: ModbusPoint
  readonly word: number
}

/** The registers and coils of one Modbus device, made from its points. A write stays until the next one. */
export class Registers {
  readonly #tables = new Map<Table, Map<number, Cell>>()
  readonly #written = new Map<Table, Map<number, number>>()
  readonly #bounds = new Map<Table, { first: number; last: number }>()
  readonly #value: (point: ModbusPoint) => number
  readonly #strict: boolean

  /** @param value what a point shows now, in its own unit. */
  constructor(points: readonly ModbusPoint[], value: (point: ModbusPoint) => number, options: RegisterOptions = {}) {
    this.#value = value
    this.#strict = options.strictAddresses === true
    for (const point of points) {
      const count = wordsOf(point)
      for (let word = 0; word < count; word++) this.#cells(point.table).set(point.address + word, { point, word })
      this.#widen(point.table, point.address, point.address + count - 1)
    }
    for (const { table, address, values } of options.extra ?? []) {
      values.forEach((value, i) => void this.#writtenIn(table).set(address + i, value))
      this.#widen(table, address, address + values.length - 1)
    }
  }

  /** @returns undefined when an address is not there. */
  read(table: Table, address: number, count: number): readonly number[] | undefined {
    if (!this.#there(table, address, count)) return undefined
    const encoded = new Map<ModbusPoint, readonly number[]>()
    return Array.from({ length: count }, (_, i) => {
      const written = this.#written.get(table)?.get(address + i)
      if (written !== undefined) return written
      const cell = this.#tables.get(table)?.get(address + i)
      if (cell === undefined) return 0
      const words = encoded.get(cell.point) ?? encodePoint(cell.point, this.#value(cell.point))
      encoded.set(cell.point, words)
      return words[cell.word] ?? 0
    })
  }

  /** @returns false when an address is not there, and then nothing was written. */
  write(table: Table, address: number, values: readonly number[]): boolean {
    if (!this.#there(table, address, values.length)) return false
    values.forEach((value, i) => void this.#writtenIn(table).set(address + i, value))
    return true
  }

  #there(table: Table, address: number, count: number): boolean {
    const bounds = this.#bounds.get(table)
    if (bounds === undefined || address < bounds.first || address + count - 1 > bounds.last) return false
    if (!this.#strict) return true
    for (let at = address; at < address + count; at++) {
      if (!this.#tables.get(table)?.has(at) && !this.#written.get(table)?.has(at)) return false
    }
    return true
  }

  #cells(table: Table): Map<number, Cell> {
    const cells = this.#tables.get(table) ?? new Map<number, Cell>()
    this.#tables.set(table, cells)
    return cells
  }

  #writtenIn(table: Table): Map<number, number> {
    const written = this.#written.get(table) ?? new Map<number, number>()
    this.#written.set(table, written)
    return written
  }

  #widen(table: Table, first: number, last: number): void {
    const bounds = this.#bounds.get(table) ?? { first, last }
    this.#bounds.set(table, { first: Math.min(bounds.first, first), last: Math.max(bounds.last, last) })
  }
}

function wordsOf(point: ModbusPoint): number {
  if (point.table === 'coil' || point.table === 'discrete') return 1
  if (point.as === 'string') return point.length ?? 1
  const words = WORDS[point.as]
  if (words === undefined)
    throw new Error(`point ${point.point}: no simulator for "${point.as}"; there are ${Object.keys(WORDS)}`)
  return words
}

/**
 * A value as 16-bit registers. `order` is the usual name of where the bytes of a 32-bit number go: ABCD (as Modbus
 * says), CDAB (words swapped), BADC (bytes swapped), DCBA (both).
 */
export function encodePoint(point: ModbusPoint, value: number): readonly number[] {
  if (point.table === 'coil' || point.table === 'discrete' || point.as === 'bit') return [value === 0 ? 0 : 1]
  const words = wordsOf(point)
  const bytes = Buffer.alloc(words * 2)
  const raw = (value - (point.offset ?? 0)) / (point.scale ?? 1)
  if (point.as === 'string') bytes.write('SIM', 'latin1')
  else if (point.as === 'float32') bytes.writeFloatBE(raw)
  else if (point.as === 'float64') bytes.writeDoubleBE(raw)
  else if (point.as.startsWith('bcd')) bytes.write(digits(raw, words * 4), 'hex')
  else writeInteger(bytes, raw, point.as.startsWith('int'))
  const order = point.order ?? 'ABCD'
  const list = Array.from({ length: words }, (_, i) => bytes.readUInt16BE(i * 2))
  const swapped = order === 'BADC' || order === 'DCBA' ? list.map((word) => ((word & 255) << 8) | (word >> 8)) : list
  return order === 'CDAB' || order === 'DCBA' ? swapped.reverse() : swapped
}

/** An integer that does not fit stays at the end of its range, as a register that is full. */
function writeInteger(bytes: Buffer, raw: number, signed: boolean): void {
  const bits = BigInt(bytes.length * 8)
  const highest = signed ? (1n << (bits - 1n)) - 1n : (1n << bits) - 1n
  const lowest = signed ? -(1n << (bits - 1n)) : 0n
  const whole = BigInt(Math.round(raw))
  const kept = whole > highest ? highest : whole < lowest ? lowest : whole
  bytes.write(
    BigInt.asUintN(Number(bits), kept)
      .toString(16)
      .padStart(bytes.length * 2, '0'),
    'hex',
  )
}

function digits(raw: number, count: number): string {
  return Math.max(0, Math.round(raw)).toString().slice(-count).padStart(count, '0')
}
