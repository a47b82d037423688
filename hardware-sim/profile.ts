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

/** @throws z.ZodError naming what a simulated meter can't be made from. */
export function parseModbusProfile(value: unknown): ModbusProfile {
  return modbusProfile.parse(value)
}

/** @param reference `maker/model` below config/profiles. */
export function loadModbusProfile(reference: string, folder = PROFILE_FOLDER): ModbusProfile {
  return parseModbusProfile(JSON.parse(readFileSync(join(folder, `${reference}.json`), 'utf8')))
}
