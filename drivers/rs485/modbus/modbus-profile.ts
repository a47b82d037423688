import { z } from 'zod'
import { ENCODINGS, ORDERS, wordsOf } from '../codec/value.ts'
import { pointFields, profileFields, sampleFields, tellAll, wrongNames } from '../profile-parts.ts'

const ADDRESS_MAX = 0xffff
const STRING_REGISTERS_MAX = 125
const TABLES = ['coil', 'discrete', 'input', 'holding'] as const

const hexWords = z
  .string()
  .regex(/^([0-9A-Fa-f]{4})( [0-9A-Fa-f]{4})*$/, 'registers in hexadecimal are wanted, such as "4366 8000"')

const modbusPoint = z
  .strictObject({
    ...pointFields,
    table: z.enum(TABLES).describe('Where it stands: coil (function 1), discrete (2), holding (3) or input (4).'),
    address: z.int().min(0).max(ADDRESS_MAX).describe('Address as it goes over the wire, from 0; not 30001.'),
    as: z.enum(ENCODINGS).describe('How the value is written in its registers; `bit` for a coil or an input.'),
    order: z.enum(ORDERS).default('ABCD').describe('Where the bytes of longer numbers go; CDAB: low word first.'),
    scale: z.number().default(1).describe('What the raw number is multiplied by to be in the unit.'),
    offset: z.number().default(0).describe('What is added after that.'),
    length: z.int().min(1).max(STRING_REGISTERS_MAX).exactOptional().describe('Registers of a string.'),
    bit: z.int().min(0).max(15).exactOptional().describe('Which bit of the register it is, 0 the lowest.'),
    noValue: z.array(hexWords).min(1).exactOptional().describe('Register contents that mean: no value.'),
  })
  .superRefine((point, context) => {
    const mistake = mistakeIn(point)
    if (mistake !== undefined) context.addIssue({ code: 'custom', ...mistake })
  })
  .transform((point) => ({ ...point, noValue: point.noValue?.map((text) => text.replaceAll(' ', '').toLowerCase()) }))
export type ModbusPoint = z.infer<typeof modbusPoint>

const sample = z.strictObject({
  table: z.enum(TABLES).exactOptional().describe('Table of these registers; needed where the profile has several.'),
  words: z
    .record(z.string().regex(/^\d+$/, 'the address of the first register is wanted, such as "72"'), hexWords)
    .describe('Register contents from an address on, from the manual or a real device. A coil that is on: 0001.'),
  ...sampleFields,
})
export type Sample = z.infer<typeof sample>

/** A device model on Modbus: data only. What a site chooses (address, interval) is a setting, never profile. */
export const modbusProfile = z
  .strictObject({
    ...profileFields(modbusPoint, sample, { baud: 9600, parity: 'none' }),
    protocol: z.literal('modbus').describe('What it speaks.'),
    blockMax: z.int().min(1).max(125).default(125).describe('The most registers it gives in one answer.'),
  })
  .superRefine((profile, context) => tellAll(wrongNames(profile), context))
export type ModbusProfile = z.infer<typeof modbusProfile>

type RawPoint = Pick<ModbusPoint, 'table' | 'as' | 'address'> & { length?: number; bit?: number; noValue?: string[] }

function mistakeIn(point: RawPoint): { path: string[]; message: string } | undefined {
  const { table, as, length, bit, address } = point
  const bits = table === 'coil' || table === 'discrete'
  if (bits && as !== 'bit') return { path: ['as'], message: `a ${table} is a bit` }
  if (bits && bit !== undefined) return { path: ['bit'], message: `a ${table} is one bit already` }
  if (!bits && as === 'bit' && bit === undefined) return { path: ['bit'], message: 'which bit of the register?' }
  if (as !== 'bit' && bit !== undefined) return { path: ['bit'], message: 'only `as: bit` is one bit' }
  if ((as === 'string') !== (length !== undefined)) {
    return { path: ['length'], message: 'a string, and nothing else, says how many registers it has' }
  }
  if (address + wordsOf(point) - 1 > ADDRESS_MAX) return { path: ['address'], message: 'it goes past address 65535' }
  const digits = wordsOf(point) * 4
  const wrong = point.noValue?.find((text) => text.replaceAll(' ', '').length !== digits)
  if (wrong !== undefined) return { path: ['noValue'], message: `"${wrong}" is not as long as the value` }
  return undefined
}
