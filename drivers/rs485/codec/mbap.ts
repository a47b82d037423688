import { Fault } from '../../../gateway/contract/fault.ts'

/** Transaction, protocol, length, unit (Modbus Messaging on TCP/IP V1.0b, 3.1.3). */
const HEADER_BYTES = 7
const LENGTH_MAX = 254

export interface TcpFrame {
  readonly transaction: number
  readonly unit: number
  readonly pdu: Uint8Array
}

export function encodeTcpFrame({ transaction, unit, pdu }: TcpFrame): Uint8Array {
  const frame = new Uint8Array(HEADER_BYTES + pdu.length)
  frame[0] = transaction >> 8
  frame[1] = transaction & 0xff
  frame[4] = (pdu.length + 1) >> 8
  frame[5] = (pdu.length + 1) & 0xff
  frame[6] = unit
  frame.set(pdu, HEADER_BYTES)
  return frame
}

/**
 * The first frame in what arrived, or undefined while it is not whole.
 * @throws Fault of reach `connection`: what comes behind a header that is none can't be told apart any more.
 */
export function takeTcpFrame(bytes: Uint8Array): { readonly frame: TcpFrame; readonly bytes: number } | undefined {
  if (bytes.length < HEADER_BYTES) return undefined
  const protocol = (bytes[2]! << 8) | bytes[3]!
  const length = (bytes[4]! << 8) | bytes[5]!
  if (protocol !== 0 || length < 2 || length > LENGTH_MAX) {
    throw new Fault('connection', `what answers there is no Modbus TCP (protocol ${protocol}, length ${length})`, {
      code: 'protocol',
      hint: 'is it RTU over TCP, or another port?',
    })
  }
  const end = HEADER_BYTES - 1 + length
  if (bytes.length < end) return undefined
  const frame = { transaction: (bytes[0]! << 8) | bytes[1]!, unit: bytes[6]!, pdu: bytes.slice(HEADER_BYTES, end) }
  return { frame, bytes: end }
}
