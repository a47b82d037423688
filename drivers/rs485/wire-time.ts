import type { SerialSettings } from '../../gateway/contract/io.ts'

const GAP_CHARACTERS = 3.5
/** Above 19200 baud the gap stays as long as it is there (Modbus over Serial Line V1.02, 2.5.1.1). */
const GAP_FIXED_ABOVE_BAUD = 19_200
const GAP_FIXED_MS = 1.75

/** Start bit, data, parity, stop bits. */
export function characterMs({ baud, dataBits, parity, stopBits }: SerialSettings): number {
  return ((1 + dataBits + (parity === 'none' ? 0 : 1) + stopBits) * 1000) / baud
}

/** The silence that must stand before a request. */
export function gapMs(settings: SerialSettings): number {
  return settings.baud > GAP_FIXED_ABOVE_BAUD ? GAP_FIXED_MS : GAP_CHARACTERS * characterMs(settings)
}
