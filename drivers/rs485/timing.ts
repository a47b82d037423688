import type { SerialSettings } from '../../gateway/contract/io.ts'

/* MODBUS over Serial Line V1.02, 2.5.1.1: 3.5 characters, and a fixed 1.75 ms above 19200 baud. */
const GAP_CHARACTERS = 3.5
const GAP_FIXED_ABOVE_BAUD = 19_200
const GAP_FIXED_MS = 1.75

/** How long one character is on the wire: a start bit, the data, parity where there is one, the stop bits. */
export function characterMs({ baud, dataBits, parity, stopBits }: SerialSettings): number {
  return ((1 + dataBits + (parity === 'none' ? 0 : 1) + stopBits) * 1000) / baud
}

/** The silence that ends a frame, and that every request keeps before it begins. */
export function gapMs(settings: SerialSettings): number {
  return settings.baud > GAP_FIXED_ABOVE_BAUD ? GAP_FIXED_MS : GAP_CHARACTERS * characterMs(settings)
}
