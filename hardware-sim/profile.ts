import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

/** Where the device models stand that the hub knows too. */
export const PROFILE_FOLDER = join(import.meta.dirname, '../config/profiles')

/**
 * As much of a profile as a simulator needs: the raw value stands at `address` of `table`, and the value is
 * raw × scale + offset. What else a profile says is for the hub.
 */
const modbusPoint = z.looseObject({
  point: z.string(),
  unit: z.string().default(''),
  table: z.enum(['input', 'holding', 'coil', 'discrete']),
  address: z.int().min(0).max(65_535),
  as: z.string(),
  order: z.string().optional(),
  scale: z.number().optional(),
  offset: z.number().optional(),
  length: z.int().positive().optional(),
})
export type ModbusPoint = z.infer<typeof modbusPoint>

const modbusProfile = z.looseObject({
  id: z.string(),
  protocol: z.literal('modbus'),
  /** The most registers that the device gives in one answer. */
  blockMax: z.int().positive().default(125),
  points: z.array(modbusPoint).min(1),
})
export type ModbusProfile = z.infer<typeof modbusProfile>

/**
 * A point of DL/T 645 or CJ/T 188: `bytes` bytes from `at`, counted behind the identifier (and behind the SER of CJ/T
 * 188), the lowest first. The value is the number × 10^-decimals × scale.
 */
const decimalPoint = z.looseObject({
  point: z.string(),
  unit: z.string().default(''),
  at: z.int().min(0).max(255).default(0),
  bytes: z.int().min(1).max(32),
  as: z.enum(['bcd', 'bit', 'digits', 'hex']).default('bcd'),
  bit: z.int().min(0).max(255).optional(),
  decimals: z.int().min(0).max(15).default(0),
  signed: z.boolean().default(false),
  scale: z.number().default(1),
})
export type DecimalPoint = z.infer<typeof decimalPoint>

const identifier2 = z.string().regex(/^[\da-f]{4}$/)

const dlt645Profile = z.looseObject({
  id: z.string(),
  protocol: z.literal('dlt645'),
  edition: z.enum(['2007', '1997']).default('2007'),
  points: z.array(decimalPoint.extend({ identifier: z.union([identifier2, z.string().regex(/^[\da-f]{8}$/)]) })).min(1),
})
export type Dlt645Profile = z.infer<typeof dlt645Profile>

const cjt188Profile = z.looseObject({
  id: z.string(),
  protocol: z.literal('cjt188'),
  type: z.string().regex(/^[\da-f]{2}$/i),
  identifierOrder: z.enum(['high-first', 'low-first']).default('high-first'),
  /** How many bytes stand behind the head of an answer. */
  answers: z.record(identifier2, z.int().min(1).max(252)).default({}),
  points: z
    .array(
      decimalPoint.extend({
        identifier: identifier2.default('901f'),
        /** Where the byte of its unit stands. */
        unitAt: z.int().min(0).max(255).optional(),
      }),
    )
    .min(1),
})
export type Cjt188Profile = z.infer<typeof cjt188Profile>

const meterProfile = z.discriminatedUnion('protocol', [modbusProfile, dlt645Profile, cjt188Profile])
export type MeterProfile = z.infer<typeof meterProfile>

/** @throws z.ZodError naming what a simulated meter can't be made from. */
export function parseProfile(value: unknown): MeterProfile {
  return meterProfile.parse(value)
}

export function parseModbusProfile(value: unknown): ModbusProfile {
  return modbusProfile.parse(value)
}

export function parseDlt645Profile(value: unknown): Dlt645Profile {
  return dlt645Profile.parse(value)
}

export function parseCjt188Profile(value: unknown): Cjt188Profile {
  return cjt188Profile.parse(value)
}

/** @param reference `maker/model` below config/profiles. */
export function loadProfile(reference: string, folder = PROFILE_FOLDER): MeterProfile {
  return parseProfile(JSON.parse(readFileSync(join(folder, `${reference}.json`), 'utf8')))
}
