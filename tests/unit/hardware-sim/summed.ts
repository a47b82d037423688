import { hex } from './parts.ts'

/** `68 ... data` with its sum and its end, as the standards say, so that a test reads without counting. */
export function summed(text: string): Uint8Array {
  const body = hex(text)
  const sum = body.reduce((a, b) => a + b, 0) % 256
  return Uint8Array.of(...body, sum, 0x16)
}

/** DL/T 645: `address` as on the wire, the data as they are meant; 33H is added here. */
export function dlt645(address: string, control: string, data = ''): Uint8Array {
  const shifted = Buffer.from(hex(data).map((byte) => (byte + 0x33) % 256)).toString('hex')
  return summed(`68 ${address} 68 ${control} ${(shifted.length / 2).toString(16).padStart(2, '0')} ${shifted}`)
}

/** What follows the length in an answer of DL/T 645, as it is meant, behind the control code. */
export function saidBy645(answer: Uint8Array | undefined): string | undefined {
  if (answer === undefined) return undefined
  const frame = answer.subarray(answer.indexOf(0x68), -2)
  const data = frame.subarray(10).map((byte) => (byte + 256 - 0x33) % 256)
  return Buffer.of(frame[8]!, ...data).toString('hex')
}

/** CJ/T 188: `address` is the type and the seven bytes as on the wire. */
export function cjt188(address: string, control: string, data: string): Uint8Array {
  return summed(`68 ${address} ${control} ${hex(data).length.toString(16).padStart(2, '0')} ${data}`)
}

/** Control code and data of an answer of CJ/T 188. */
export function saidBy188(answer: Uint8Array | undefined): string | undefined {
  if (answer === undefined) return undefined
  const frame = answer.subarray(answer.indexOf(0x68), -2)
  return Buffer.of(frame[9]!, ...frame.subarray(11)).toString('hex')
}
