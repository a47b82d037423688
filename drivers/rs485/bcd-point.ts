import { z } from 'zod'
import { decodeBcd } from './codec/dlt645.ts'
import type { Value } from './codec/value.ts'
import { pointFields, sampleFields } from './profile-parts.ts'

/* Points of DL/T 645 and CJ/T 188: some bytes of the data behind an identifier, the lowest digits first. */

const DATA_BYTES_MAX = 200
const VALUE_BYTES_MAX = 8
const DECIMALS_MAX = 12

export const bcdPointFields = {
  ...pointFields,
  at: z.int().min(0).max(DATA_BYTES_MAX).default(0).describe('First byte of the value in the data, from 0.'),
  bytes: z.int().min(1).max(VALUE_BYTES_MAX).describe('How many bytes it has.'),
  as: z
    .enum(['bcd', 'bit', 'digits', 'hex'])
    .default('bcd')
    .describe(
      'bcd: a number; digits: all of them as text; hex: the bytes as text, the highest first; bit: one of them.',
    ),
  bit: z.int().min(0).max(63).exactOptional().describe('Which bit it is, 0 the lowest of the first byte.'),
  decimals: z.int().min(0).max(DECIMALS_MAX).default(0).describe('Digits behind the point.'),
  signed: z.boolean().default(false).describe('The highest bit is a minus sign, or the direction.'),
  scale: z.number().default(1).describe('What the number is multiplied by to be in the unit: 1000 for kW given as W.'),
}

export const bcdSampleFields = {
  data: z
    .string()
    .regex(/^[0-9a-f]{2}( [0-9a-f]{2})*$/i, 'bytes in hexadecimal are wanted, such as "56 34 12 00"')
    .describe('The bytes behind the head of the data, as they came.'),
  ...sampleFields,
}

export interface BcdPoint {
  readonly point: string
  readonly at: number
  readonly bytes: number
  readonly as: 'bcd' | 'bit' | 'digits' | 'hex'
  readonly bit?: number
  readonly decimals: number
  readonly signed: boolean
  readonly scale: number
}

/** What is wrong with how a point says its value is written. */
export function wrongBcdPoint(point: Pick<BcdPoint, 'as' | 'bytes'> & { readonly bit?: number | undefined }) {
  const { as, bit, bytes } = point
  if ((as === 'bit') !== (bit !== undefined)) {
    return { path: ['bit'], message: as === 'bit' ? 'which bit is it?' : 'only `as: bit` is one bit' }
  }
  if (bit !== undefined && bit >= bytes * 8) return { path: ['bit'], message: `${bytes} bytes have no bit ${bit}` }
  return undefined
}

/**
 * A point's value in the data behind the head, without the shift of DL/T 645.
 * @returns null where the device has no value: the answer ends before it, or a digit is above 9
 */
export function decodeBcdPoint(point: BcdPoint, data: Uint8Array): Value | null {
  const bytes = data.subarray(point.at, point.at + point.bytes)
  if (bytes.length < point.bytes) return null
  switch (point.as) {
    case 'bit': {
      const bit = point.bit ?? 0
      return ((bytes[bit >> 3]! >> (bit & 7)) & 1) === 1
    }
    case 'hex':
      return highestFirst(bytes)
    case 'digits': {
      const digits = highestFirst(bytes)
      return /^\d+$/.test(digits) ? digits : null
    }
    case 'bcd': {
      const digits = decodeBcd(bytes, 0, point.signed)
      // Both are whole numbers mostly, so that what comes out is the nearest to what the display shows.
      return digits === null ? null : (digits * point.scale) / 10 ** point.decimals
    }
    default:
      return point.as satisfies never
  }
}

function highestFirst(bytes: Uint8Array): string {
  return Buffer.from(bytes).reverse().toString('hex')
}
