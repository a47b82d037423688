import { z } from 'zod'
import { cjt188Profile } from './cjt188/cjt188-profile.ts'
import { dlt645Profile } from './dlt645/dlt645-profile.ts'
import { modbusProfile } from './modbus/modbus-profile.ts'

/** Every kind of profile that a line can read, told apart by its `protocol`. */
export const profileSchema = z.discriminatedUnion('protocol', [modbusProfile, dlt645Profile, cjt188Profile])
export type Profile = z.infer<typeof profileSchema>
