import { z } from 'zod'
import { Fault } from '../../gateway/contract/fault.ts'

/** Order of the bytes of a 32-bit number ABCD as the registers bring them; longer numbers alike. */
export const BYTE_ORDERS = ['ABCD', 'CDAB', 'BADC', 'DCBA'] as const
export const TYPES = [
  'bit',
  'int16',
  'uint16',
  'int32',
  'uint32',
  'int64',
  'uint64',
  'float32',
  'float64',
  'bcd16',
  'bcd32',
  'bcd64',
  'string',
] as const
export type Type = (typeof TYPES)[number]

const WORDS: Readonly<Record<Exclude<Type, 'string'>, number>> = {
  bit: 1,
  int16: 1,
  uint16: 1,
  bcd16: 1,
  int32: 2,
  uint32: 2,
  float32: 2,
  bcd32: 2,
  int64: 4,
  uint64: 4,
  float64: 4,
  bcd64: 4,
}

const point = z.strictObject({
  point: z
    .string()
    .regex(/^[a-z][a-z0-9_]*$/)
    .describe('Name of the measured value, from the vocabulary in config/README.md.'),
  unit: z.string().default('').describe('Unit of the value after scale and offset, such as kWh; empty for none.'),
  kind: z.enum(['gauge', 'counter']).default('gauge').describe('A counter only rises, but for roll-over and reset.'),
  table: z.enum(['coil', 'discrete', 'input', 'holding']).describe('Which of the four tables of Modbus.'),
  address: z.int().min(0).max(65_535).describe('Address on the wire, counted from 0.'),
  as: z.enum(TYPES).describe('How the registers are read.'),
  order: z.enum(BYTE_ORDERS).default('ABCD').describe('Order of bytes and words; ABCD is what Modbus says.'),
  length: z.int().min(1).max(64).exactOptional().describe('Registers of a string.'),
  scale: z.number().default(1).describe('The raw number is multiplied by this.'),
  offset: z.number().default(0).describe('And this is added.'),
  noValue: z
    .array(z.string().regex(/^[0-9a-fA-F]+$/))
    .default([])
    .describe('Raw contents, in hexadecimal, by which the device says that it has no value.'),
})
export type Point = z.infer<typeof point>

const sample = z.strictObject({
  words: z
    .record(z.string().regex(/^\d+$/), z.string().regex(/^[0-9a-fA-F]{4}( [0-9a-fA-F]{4})*$/))
    .describe('Registers as the device brings them: first address, then words in hexadecimal.'),
  expect: z.record(z.string(), z.union([z.number(), z.string(), z.boolean(), z.null()])),
  note: z.string().exactOptional(),
})

/** A profile describes one model: data only, no conditions. What a site chooses is a setting, never here. */
export const modbusProfile = z.strictObject({
  $schema: z.string().exactOptional(),
  id: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]*\/[a-z0-9][a-z0-9.-]*$/)
    .describe('maker/model, as the file is called.'),
  maker: z.string().min(1),
  model: z.string().min(1),
  protocol: z.literal('modbus'),
  source: z.string().min(10).describe('Where the addresses come from: document, edition, page.'),
  blockMax: z.int().min(1).max(125).default(125).describe('Most registers that the device gives in one answer.'),
  points: z.array(point).min(1).max(500),
  samples: z.array(sample).min(1).describe('The test vectors that the profile brings.'),
})
export type ModbusProfile = z.infer<typeof modbusProfile>

/** How many registers (or bits, in the tables of bits) a point takes. */
export function wordsOf(point: Point): number {
  return point.as === 'string' ? (point.length ?? 1) : WORDS[point.as]
}

/** @throws Fault of reach `setup` that names the first mistake. */
export function parseProfile(reference: string, json: unknown): ModbusProfile {
  const parsed = modbusProfile.safeParse(json)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw new Fault(
    'setup',
    `profile ${reference} is wrong at ${issue?.path.join('.') || 'its top'}: ${issue?.message}`,
    {
      code: 'profile',
      hint: 'config/profiles/profile.schema.json says what a profile holds',
    },
  )
}
