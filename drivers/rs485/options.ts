import { z } from 'zod'
import { duration, name } from '../../gateway/contract/units.ts'
import { isOnNetwork, serialServer } from './serial-server.ts'

/** Shorter intervals than this no meter keeps up with, and the log would fill with repetitions. */
const EVERY_MS_MIN = 10
const TIMEOUT_MS_MAX = 60_000
const RETRIES_MAX = 10
const DEVICES_MAX = 247
const IN_FLIGHT_MAX = 64

const timeout = duration.refine((ms) => ms >= 10 && ms <= TIMEOUT_MS_MAX, '10ms to 60s is possible')

const retries = z
  .int()
  .min(0)
  .max(RETRIES_MAX)
  .default(1)
  .describe('How often a question is repeated that was not answered, where the device answered before.')

const serialFields = {
  baud: z.int().min(300).max(4_000_000).exactOptional().describe('Speed in bits per second.'),
  dataBits: z
    .union([z.literal(7), z.literal(8)])
    .exactOptional()
    .describe('Data bits of a character.'),
  parity: z.enum(['none', 'even', 'odd']).exactOptional().describe('Parity bit of a character.'),
  stopBits: z
    .union([z.literal(1), z.literal(2)])
    .exactOptional()
    .describe('Stop bits of a character.'),
}

const deviceFields = {
  id: name.describe('Name of the device: its events are known by it.'),
  profile: z
    .string()
    .min(1)
    .max(200)
    .describe(
      'What it is: maker/model from the list of `linli profiles`, or a file beside this one: ./site/pump.json.',
    ),
  address: z
    .union([z.int().min(0).max(255), z.string().regex(/^\d{1,14}$/, 'digits are wanted')], {
      error: 'a Modbus unit such as 1, or the number on the meter in quotes such as "12345678", is wanted',
    })
    .describe(
      'Its address: a Modbus unit (1 to 247), or for DL/T 645 and CJ/T 188 the number on the meter, in quotes.',
    ),
  every: duration
    .refine((ms) => ms >= EVERY_MS_MIN, 'at least 10ms')
    .prefault('10s')
    .describe('How often it is read.'),
}
const device = z.strictObject(deviceFields)
export type DeviceOptions = z.infer<typeof device>

const lineDevice = z.strictObject({
  ...deviceFields,
  serial: z
    .strictObject(serialFields)
    .exactOptional()
    .describe('How its interface is set, where that is not what the line says: meters of several speeds on two wires.'),
})
export type LineDeviceOptions = z.infer<typeof lineDevice>

const DEVICES = 'The devices on this connection.'

/** An RS-485 line. */
export const rs485Options = z.strictObject({
  rs485: z
    .strictObject({
      port: z
        .string()
        .min(1)
        .max(200)
        .refine((port) => !isOnNetwork(port) || serialServer(port) !== undefined, 'tcp://host:port is wanted')
        .describe(
          'Serial port, best by where it is plugged in: /dev/serial/by-path/...; or a serial server: tcp://192.168.1.20:4001.',
        ),
      ...serialFields,
      timeout: timeout
        .prefault('500ms')
        .describe('How long a device may think before its answer begins; the time on the wire comes on top.'),
      late: duration
        .refine((ms) => ms <= TIMEOUT_MS_MAX, 'at most 60s')
        .exactOptional()
        .describe(
          'How much later than that an answer may still come: so long nothing is sent. As long as the timeout, unless given.',
        ),
      retries,
    })
    .describe(
      'A serial line with meters. Speed and framing are those of each model as it leaves the works, unless given.',
    ),
  devices: z.array(lineDevice).max(DEVICES_MAX).default([]).describe(DEVICES),
})
export type Rs485Options = z.infer<typeof rs485Options>

/** A host that speaks Modbus TCP, alone or for the devices behind it. */
export const modbusTcpOptions = z.strictObject({
  modbusTcp: z
    .strictObject({
      host: z.string().min(1).max(255).describe('Name or address of the host.'),
      port: z.int().min(1).max(65_535).default(502).describe('TCP port.'),
      timeout: timeout.prefault('1s').describe('How long an answer may take.'),
      dialTimeout: timeout.prefault('5s').describe('How long the connection may take to stand.'),
      inFlight: z
        .int()
        .min(1)
        .max(IN_FLIGHT_MAX)
        .default(8)
        .describe('How many questions may be on their way at once; to one unit never more than one.'),
      retries,
    })
    .describe('A Modbus TCP host: a meter of its own, or a gateway with a line behind it.'),
  devices: z.array(device).max(DEVICES_MAX).default([]).describe(DEVICES),
})
export type ModbusTcpOptions = z.infer<typeof modbusTcpOptions>
