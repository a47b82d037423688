import type { SerialSettings } from '../gateway/contract/io.ts'

/** Above this speed the Modbus gap no longer shrinks with the character. */
const GAP_FIXED_ABOVE_BAUD = 19_200
const GAP_FIXED_MS = 1.75
const GAP_CHARACTERS = 3.5

/** How long one character takes on the wire: a start bit, the data, parity where there is one, the stop bits. */
export function characterMs(settings: SerialSettings): number {
  const bits = 1 + settings.dataBits + (settings.parity === 'none' ? 0 : 1) + settings.stopBits
  return (bits * 1000) / settings.baud
}

/** The silence of 3.5 characters that a request must keep after an answer, and by which lines are measured. */
export function quietMs(settings: SerialSettings): number {
  return GAP_CHARACTERS * characterMs(settings)
}

/** The silence that ends a frame (Modbus over serial line V1.02, 2.5.1.1: 3.5 characters, 1.75 ms above 19200 baud). */
export function frameEndMs(settings: SerialSettings): number {
  return settings.baud > GAP_FIXED_ABOVE_BAUD ? GAP_FIXED_MS : quietMs(settings)
}

/** Whether one end understands what the other sends. */
export function sameFraming(a: SerialSettings, b: SerialSettings): boolean {
  return a.baud === b.baud && a.dataBits === b.dataBits && a.parity === b.parity && a.stopBits === b.stopBits
}

/** The same as far as a pseudo-terminal shows it, which has neither parity nor another number of data bits. */
export function sameSpeed(
  a: Pick<SerialSettings, 'baud' | 'stopBits'>,
  b: Pick<SerialSettings, 'baud' | 'stopBits'>,
): boolean {
  return a.baud === b.baud && a.stopBits === b.stopBits
}
