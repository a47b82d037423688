/** The bytes by which CJ/T 188-2004 writes units, what is measured, and how many of its base unit each is. */
const UNITS: Readonly<Record<number, readonly [unit: string, base: string, factor: number]>> = {
  1: ['J', 'Wh', 1 / 3600],
  2: ['Wh', 'Wh', 1],
  5: ['kWh', 'Wh', 1e3],
  8: ['MWh', 'Wh', 1e6],
  10: ['100 MWh', 'Wh', 1e8],
  11: ['kJ', 'Wh', 1e3 / 3600],
  14: ['MJ', 'Wh', 1e6 / 3600],
  17: ['GJ', 'Wh', 1e9 / 3600],
  19: ['100 GJ', 'Wh', 1e11 / 3600],
  20: ['W', 'W', 1],
  23: ['kW', 'W', 1e3],
  26: ['MW', 'W', 1e6],
  41: ['L', 'm3', 1e-3],
  44: ['m3', 'm3', 1],
  50: ['L/h', 'm3/h', 1e-3],
  53: ['m3/h', 'm3/h', 1],
}

/** @throws Error for a unit that the standard has no byte for. */
export function unitByte(unit: string): number {
  const wanted = plain(unit)
  const found = Object.entries(UNITS).find(([, [name]]) => name === wanted)
  if (found === undefined) throw new Error(`CJ/T 188 has no byte for the unit "${unit}"`)
  return Number(found[0])
}

/** By what a value in `unit` is multiplied to be in the unit of this byte. */
export function inUnitOfByte(byte: number, unit: string): number {
  const shown = UNITS[byte]
  const own = UNITS[unitByte(unit)]!
  if (shown === undefined || shown[1] !== own[1]) throw new Error(`the unit byte ${byte} does not measure "${unit}"`)
  return own[2] / shown[2]
}

/** m³ is written m3 by some. */
function plain(unit: string): string {
  return unit.replace('³', '3')
}
