import type { SerialSettings } from '../../gateway/contract/io.ts'
import type { LineDeviceOptions, Rs485Options } from './options.ts'
import type { Profile } from './profile.ts'

/** DL/T 645-2007, 5.3.3: a meter may pause for so long between two bytes of an answer; CJ/T 188 meters do it alike. */
const PAUSE_MS = 500

/** A line on which nothing hangs yet is opened like this. */
export const PLAIN = { protocol: 'modbus', serial: { baud: 9600, dataBits: 8, parity: 'none', stopBits: 1 } } as const

/** How a device is spoken to. */
export interface Terms {
  readonly serial: SerialSettings
  /** From the end of a request to the begin of its answer, pauses in it included. */
  readonly timeoutMs: number
  /** How much later than that an answer may still come. */
  readonly lateMs: number
}

/** What the device says of itself goes first, then what the line says, then how its model leaves the works. */
export function termsOf(
  line: Rs485Options['rs485'],
  { serial = {} }: Pick<LineDeviceOptions, 'serial'>,
  profile: Pick<Profile, 'protocol' | 'serial'>,
): Terms {
  const pauseMs = profile.protocol === 'modbus' ? 0 : PAUSE_MS
  return {
    serial: {
      baud: serial.baud ?? line.baud ?? profile.serial.baud,
      dataBits: serial.dataBits ?? line.dataBits ?? profile.serial.dataBits,
      parity: serial.parity ?? line.parity ?? profile.serial.parity,
      stopBits: serial.stopBits ?? line.stopBits ?? profile.serial.stopBits,
    },
    timeoutMs: line.timeout + pauseMs,
    lateMs: line.late ?? line.timeout,
  }
}
