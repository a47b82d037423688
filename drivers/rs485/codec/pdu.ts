import { Fault } from '../../../gateway/contract/fault.ts'

/** The four tables of Modbus (Application Protocol V1.1b3, 4.3) and the function that reads each (6.1 to 6.4). */
export const READ_FUNCTIONS = { coil: 1, discrete: 2, holding: 3, input: 4 } as const
export type Table = keyof typeof READ_FUNCTIONS

/** Most registers that one request may ask for (6.3, 6.4), and most bits (6.1, 6.2). */
export const REGISTERS_MAX = 125
export const BITS_MAX = 2000

export interface ReadRequest {
  readonly table: Table
  readonly address: number
  readonly count: number
}

export function isBits(table: Table): boolean {
  return table === 'coil' || table === 'discrete'
}

/** The request without unit and check sum: function, first address, count, high bytes first. */
export function encodeRead({ table, address, count }: ReadRequest): Uint8Array {
  return Uint8Array.of(READ_FUNCTIONS[table], address >> 8, address & 0xff, count >> 8, count & 0xff)
}

/** How many bytes the answer has: function, byte count, and the data. */
export function answerBytes({ table, count }: ReadRequest): number {
  return 2 + dataBytes(table, count)
}

export function dataBytes(table: Table, count: number): number {
  return isBits(table) ? Math.ceil(count / 8) : 2 * count
}

/**
 * The registers, or the bits as 0 and 1, that an answer holds.
 * @throws Fault of reach `reply` for an answer that does not fit the request; for an exception of the device
 * the reach that `exceptionFault` gives.
 */
export function decodeRead(request: ReadRequest, pdu: Uint8Array): number[] {
  const wanted = READ_FUNCTIONS[request.table]
  if (pdu[0] === (wanted | 0x80)) throw exceptionFault(pdu[1] ?? 0, request)
  const bytes = dataBytes(request.table, request.count)
  if (pdu[0] !== wanted || pdu[1] !== bytes || pdu.length !== bytes + 2) {
    throw new Fault(
      'reply',
      `answer does not fit the request: function ${pdu[0]}, ${pdu[1]} bytes where ${bytes} are due`,
      {
        code: 'mismatch',
      },
    )
  }
  if (isBits(request.table)) {
    return Array.from({ length: request.count }, (_, at) => (pdu[2 + (at >> 3)]! >> (at & 7)) & 1)
  }
  return Array.from({ length: request.count }, (_, at) => (pdu[2 + 2 * at]! << 8) | pdu[3 + 2 * at]!)
}

const EXCEPTIONS: Readonly<Record<number, string>> = {
  1: 'illegal function',
  2: 'illegal data address',
  3: 'illegal data value',
  4: 'device failure',
  5: 'acknowledge, still at work',
  6: 'device busy',
  8: 'memory parity error',
  10: 'gateway path unavailable',
  11: 'gateway target does not respond',
}

/** What an exception of the device means (7): 1 to 3 speak of what was asked for, 5 and 6 pass, the rest is the device. */
export function exceptionFault(code: number, { table, address, count }: ReadRequest): Fault {
  const text = `the device says "${EXCEPTIONS[code] ?? 'unknown exception'}" (${code}) to ${table} ${address}, ${count} long`
  const detail = { code: `exception-${code}` }
  if (code >= 1 && code <= 3) return new Fault('point', text, detail)
  if (code === 5 || code === 6) return new Fault('reply', text, detail)
  return new Fault('device', text, detail)
}
