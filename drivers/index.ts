import type { Driver } from '../gateway/contract/driver.ts'
import { gpioDoor } from './gpio-door/gpio-door.ts'
import { onvif } from './onvif/onvif.ts'
import { modbusTcp } from './rs485/modbus-tcp.ts'
import { rs485 } from './rs485/rs485.ts'

/** Every driver of the hub by the key that a connection in the settings carries. A new one is one line here. */
export const drivers: Readonly<Record<string, Driver>> = {
  rs485: rs485 as Driver,
  modbusTcp: modbusTcp as Driver,
  gpioDoor: gpioDoor as Driver,
  onvif: onvif as Driver,
}
