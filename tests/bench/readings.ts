/** One reading of an electricity meter, as it stands in an event. */
export interface Reading {
  readonly points: Readonly<Record<string, { readonly v: number; readonly u: string }>>
  readonly quality: 'good'
}

/** The readings of a round come from so many meters, one after the other. */
export const METERS = 100

/** Readings of electricity meters, about 200 bytes as JSON; the same each time. */
export function readings(count: number): Reading[] {
  let seed = 1
  const random = (): number => {
    seed = (seed * 16_807) % 2_147_483_647
    return seed / 2_147_483_647
  }
  const energies = Array.from({ length: METERS }, () => random() * 30_000)
  return Array.from({ length: count }, (_, n) => {
    const power = Math.round(random() * 30_000) / 10
    const energy = (energies[n % METERS] ?? 0) + power / 360_000
    energies[n % METERS] = energy
    const point = (value: number, decimals: number, u: string) => ({ v: Number(value.toFixed(decimals)), u })
    return {
      points: {
        energy_import: point(energy, 2, 'kWh'),
        power: point(power, 1, 'W'),
        voltage: point(228 + random() * 6, 1, 'V'),
        current: point(power / 230, 3, 'A'),
        frequency: point(49.95 + random() * 0.1, 2, 'Hz'),
        power_factor: point(0.9 + random() * 0.1, 2, ''),
      },
      quality: 'good',
    }
  })
}
