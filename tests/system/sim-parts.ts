import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import modbusSerial from 'modbus-serial'
import { ModbusMeter } from '../../hardware-sim/modbus-meter.ts'
import { parseModbusProfile } from '../../hardware-sim/profile.ts'
import { createRealClock } from '../../hardware-sim/real-clock.ts'

/** A few of the SDM630's input registers (Eastron SDM630 Modbus protocol), so that these tests need no profile file. */
export const SMALL_PROFILE = {
  id: 'test/small',
  protocol: 'modbus',
  points: [
    { point: 'voltage_l1', unit: 'V', table: 'input', address: 0, as: 'float32' },
    { point: 'power', unit: 'W', table: 'input', address: 52, as: 'float32' },
    { point: 'energy_import', unit: 'kWh', table: 'input', address: 72, as: 'float32' },
  ],
}

export const clock = createRealClock({ fine: true })

/** A meter whose holding registers 0 to 499 each hold their own address. */
export function meter(unit: number): ModbusMeter {
  const extra = [
    { table: 'holding' as const, address: 0, values: Array.from({ length: 500 }, (_, i) => i) },
    { table: 'coil' as const, address: 0, values: [1, 0, 1] },
  ]
  return new ModbusMeter({ id: `meter-${unit}`, unit, profile: parseModbusProfile(SMALL_PROFILE), clock, extra })
}

/** A folder that goes when the test is over. */
export function temporaryFolder(): { readonly path: string; readonly remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'linli-test-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

export type ForeignClient = InstanceType<typeof modbusSerial.default>

/** A foreign master: modbus-serial, which waits for at most `timeoutMs`. */
export function foreignClient(timeoutMs = 2000): ForeignClient {
  const client = new modbusSerial.default()
  client.setTimeout(timeoutMs)
  return client
}

export function closeClient(client: ForeignClient): Promise<void> {
  return new Promise((resolve) => client.close(() => resolve()))
}
