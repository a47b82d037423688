import { z } from 'zod'
import { ENCODINGS, ORDERS, wordsOf } from './codec/value.ts'

const POINTS_MAX = 1000
const ADDRESS_MAX = 0xffff
const STRING_REGISTERS_MAX = 125
const TABLES = ['coil', 'discrete', 'input', 'holding'] as const

const pointName = z
  .string()
  .max(63)
  .regex(/^[a-z][a-z0-9_]*$/, 'a point is lower-case letters, digits and underscores, such as energy_import')

const hexWords = z
  .string()
  .regex(/^([0-9A-Fa-f]{4})( [0-9A-Fa-f]{4})*$/, 'registers in hexadecimal are wanted, such as "4366 8000"')

const modbusPoint = z
  .strictObject({
    point: pointName.describe('Name of the point, from the vocabulary, whatever the maker calls it.'),
    unit: z.string().max(20).default('').describe('Unit of the value as it is given on; empty for none.'),
    table: z.enum(TABLES).describe('Where it stands: coil (function 1), discrete (2), holding (3) or input (4).'),
    address: z.int().min(0).max(ADDRESS_MAX).describe('Address as it goes over the wire, from 0; not 30001.'),
    as: z.enum(ENCODINGS).describe('How the value is written in its registers; `bit` for a coil or an input.'),
    order: z.enum(ORDERS).default('ABCD').describe('Where the bytes of longer numbers go; CDAB: low word first.'),
    scale: z.number().default(1).describe('What the raw number is multiplied by to be in the unit.'),
    offset: z.number().default(0).describe('What is added after that.'),
    length: z.int().min(1).max(STRING_REGISTERS_MAX).exactOptional().describe('Registers of a string.'),
    bit: z.int().min(0).max(15).exactOptional().describe('Which bit of the register it is, 0 the lowest.'),
    noValue: z.array(hexWords).min(1).exactOptional().describe('Register contents that mean: no value.'),
    kind: z.enum(['counter', 'gauge']).default('gauge').describe('A counter only rises; a gauge goes up and down.'),
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
  expect: z
    .record(pointName, z.union([z.number(), z.boolean(), z.string(), z.null()]))
    .refine((expect) => Object.keys(expect).length > 0, 'at least one point is wanted')
    .describe('What the points then are.'),
  note: z.string().max(500).exactOptional().describe('Where the sample comes from.'),
})
export type Sample = z.infer<typeof sample>

/** A device model on Modbus: data only. What a site chooses (address, interval) is a setting, never profile. */
export const modbusProfile = z
  .strictObject({
    $schema: z.string().exactOptional(),
    id: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]*\/[a-z0-9][a-z0-9.-]*$/, 'maker/model is wanted, such as eastron/sdm630')
      .describe('maker/model, as the file is called.'),
    maker: z.string().min(1).max(100).describe('Who makes it.'),
    model: z.string().min(1).max(100).describe('What it is called.'),
    protocol: z.literal('modbus').describe('What it speaks.'),
    source: z.string().min(10).describe('Where the registers stand: document, edition, page.'),
    notes: z.string().max(2000).exactOptional().describe('What an installer has to know.'),
    blockMax: z.int().min(1).max(125).default(125).describe('The most registers it gives in one answer.'),
    points: z.array(modbusPoint).min(1).max(POINTS_MAX).describe('What it measures.'),
    samples: z.array(sample).min(1).describe('Test vectors: at least one.'),
  })
  .superRefine((profile, context) => {
    const names = profile.points.map(({ point }) => point)
    for (const [at, name] of names.entries()) {
      if (names.indexOf(name) === at) continue
      context.addIssue({ code: 'custom', path: ['points', at, 'point'], message: `${name} is there twice` })
    }
    for (const [at, { expect }] of profile.samples.entries()) {
      for (const name of Object.keys(expect)) {
        if (names.includes(name)) continue
        context.addIssue({
          code: 'custom',
          path: ['samples', at, 'expect', name],
          message: `no point is called ${name}`,
        })
      }
    }
  })
export type ModbusProfile = z.infer<typeof modbusProfile>

/** Every kind of profile that a line can read, told apart by its `protocol`. */
export const profileSchema = z.discriminatedUnion('protocol', [modbusProfile])
export type Profile = z.infer<typeof profileSchema>

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
