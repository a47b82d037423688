import type { Driver } from '../gateway/contract/driver.ts'
import { modbusTcp } from './rs485/modbus-tcp.ts'
import { rs485 } from './rs485/rs485.ts'

/** Every kind of connection that a hub can hold, by the key that it has in the settings. One line a driver. */
export const drivers: Readonly<Record<string, Driver>> = {
  rs485: rs485 as Driver,
  modbusTcp: modbusTcp as Driver,
}
