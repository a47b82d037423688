import type { SerialSettings } from '../../../gateway/contract/io.ts'
import { VirtualClock } from '../../../hardware-sim/clock.ts'
import { ModbusMeter, type ModbusMeterOptions } from '../../../hardware-sim/modbus-meter.ts'
import { parseModbusProfile } from '../../../hardware-sim/profile.ts'
import { seededRandom } from '../../../hardware-sim/random.ts'
import { SimulatedLine } from '../../../hardware-sim/simulated-line.ts'

export const SETTINGS_9600: SerialSettings = { baud: 9600, dataBits: 8, parity: 'none', stopBits: 1 }
/** One character at 9600 8N1 is ten bits. */
export const CHARACTER_MS = 10_000 / 9600

/** The head of the SDM630's input registers (Eastron SDM630 Modbus protocol: 30001, 30013, 30053, 30071, 30073). */
export const SMALL_PROFILE = parseModbusProfile({
  id: 'test/small',
  protocol: 'modbus',
  points: [
    { point: 'voltage_l1', unit: 'V', table: 'input', address: 0, as: 'float32' },
    { point: 'power_l1', unit: 'W', table: 'input', address: 12, as: 'float32' },
    { point: 'power', unit: 'W', table: 'input', address: 52, as: 'float32' },
    { point: 'frequency', unit: 'Hz', table: 'input', address: 70, as: 'float32' },
    { point: 'energy_import', unit: 'kWh', table: 'input', address: 72, as: 'float32' },
  ],
})

export function meterOn(
  clock: VirtualClock,
  options: Partial<ModbusMeterOptions> & { readonly unit: number },
): ModbusMeter {
  // Each holding register's value is its own address, so that a mixed-up answer shows.
  const extra = [{ table: 'holding' as const, address: 0, values: Array.from({ length: 500 }, (_, i) => i) }]
  return new ModbusMeter({ id: `meter-${options.unit}`, profile: SMALL_PROFILE, clock, extra, ...options })
}

export function lineWith(...units: readonly number[]): {
  readonly clock: VirtualClock
  readonly simulated: SimulatedLine
} {
  const clock = new VirtualClock()
  const simulated = new SimulatedLine({ clock, random: seededRandom(7), settings: SETTINGS_9600 })
  for (const unit of units) simulated.line.attach(meterOn(clock, { unit }))
  return { clock, simulated }
}

/** `01 03 00 64` as bytes. */
export function hex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.replace(/\s/g, ''), 'hex'))
}
