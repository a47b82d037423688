import { z } from 'zod'
import { duration, name } from '../../gateway/contract/units.ts'

const device = z.strictObject({
  id: name.describe('Name of this meter; its events are known by it.'),
  profile: z
    .string()
    .min(1)
    .describe('Model: `maker/model` (`linli profiles` lists them) or the path of a file of your own.'),
  address: z.int().min(1).max(247).describe('Address that is set on the meter, 1 to 247.'),
  every: duration
    .refine((ms) => ms >= 100, 'at least 100ms')
    .prefault('10s')
    .describe('How often it is read.'),
})
const devices = z.array(device).min(1).max(247).describe('The meters on this connection.')

const timeout = duration
  .refine((ms) => ms >= 10 && ms <= 60_000, 'from 10ms to 60s')
  .prefault('500ms')
  .describe('A meter that has not begun to answer for so long is taken as silent.')

/** A line of Modbus RTU meters. */
export const rs485Options = z.strictObject({
  rs485: z.strictObject({
    port: z
      .string()
      .min(1)
      .describe('Serial port; by its path under /dev/serial/by-path it keeps its name when others are plugged in.'),
    baud: z.int().min(300).max(4_000_000).default(9600).describe('Speed of the line, bits a second.'),
    dataBits: z
      .union([z.literal(7), z.literal(8)])
      .default(8)
      .describe('Data bits a character.'),
    parity: z.enum(['none', 'even', 'odd']).default('none').describe('Parity of the line.'),
    stopBits: z
      .union([z.literal(1), z.literal(2)])
      .default(1)
      .describe('Stop bits a character.'),
    timeout,
    late: duration
      .refine((ms) => ms <= 60_000, 'at most 60s')
      .prefault('500ms')
      .describe('So much later than its time-out an answer may still come; the line is silent meanwhile.'),
  }),
  devices,
})

/** A host that speaks Modbus TCP, with one or more units behind it. */
export const modbusTcpOptions = z.strictObject({
  modbusTcp: z.strictObject({
    host: z.string().min(1).describe('Name or address of the host.'),
    port: z.int().min(1).max(65_535).default(502).describe('TCP port.'),
    timeout,
    inFlight: z
      .int()
      .min(1)
      .max(64)
      .default(8)
      .describe('Requests that wait for their answer at the same time, one a unit.'),
  }),
  devices,
})

export type DeviceOptions = z.infer<typeof device>
export type Rs485Options = z.infer<typeof rs485Options>
export type ModbusTcpOptions = z.infer<typeof modbusTcpOptions>
