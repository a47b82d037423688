import type { Load } from './load.ts'

/** Shares of the three phases in the whole load; they differ, so that a mixed-up register shows. */
const PHASE_SHARE = [0.42, 0.33, 0.25] as const
/** Shares of the tariffs 1 to 4 (peak, high, flat, low) in what was counted. */
const TARIFF_SHARE = [0.18, 0.27, 0.35, 0.2] as const
const MAINS_V = 230
/** A lithium cell of a water meter. */
const BATTERY_V = 3.6
const POWER_FACTOR = 0.95
const REACTIVE_PER_ACTIVE = Math.sqrt(1 / POWER_FACTOR ** 2 - 1)
/** Roofs give a little back. */
const EXPORT_SHARE = 0.02
const WATER_LITRES_PER_KWH = 18
const FACTORS: Readonly<Record<string, number>> = { k: 1000, M: 1e6, m: 1e-3 }

interface Asked {
  readonly load: Load
  readonly name: string
  /** 0, 1, 2, or undefined for the whole. */
  readonly phase: number | undefined
}

/**
 * What a point shows, by its name, in the base unit (W, Wh, V, A, var, VA, Hz, °C, m³). The first pattern that
 * fits counts, so the longer names stand first.
 */
const QUANTITIES: readonly (readonly [RegExp, (asked: Asked) => number])[] = [
  [/power_factor/, ({ load, name }) => POWER_FACTOR + 0.02 * load.wobble(name)],
  [/phase_angle/, ({ load, name }) => 18 + load.wobble(name)],
  [/frequency/, ({ load, name }) => 50 + 0.02 * load.wobble(name)],
  [/battery_voltage/, () => BATTERY_V],
  [/voltage_l\d_?l\d|voltage_line/, ({ load, name }) => Math.sqrt(3) * (MAINS_V + 2 * load.wobble(name))],
  [/voltage/, ({ load, phase }) => voltage(load, phase)],
  [/current_neutral/, ({ load }) => 0.1 * (load.powerW() / MAINS_V)],
  [/current/, ({ load, phase }) => share(load.powerW(), phase) / (voltage(load, phase) * POWER_FACTOR)],
  [
    /reactive.*energy|energy.*reactive/,
    ({ load, phase }) => share(load.energyKwh() * 1000, phase) * REACTIVE_PER_ACTIVE,
  ],
  [/energy_export|export_energy/, ({ load, phase }) => EXPORT_SHARE * share(load.energyKwh() * 1000, phase)],
  [/energy_total/, ({ load, phase }) => (1 + EXPORT_SHARE) * share(load.energyKwh() * 1000, phase)],
  [/energy|heat_total|cooling_total/, ({ load, phase }) => share(load.energyKwh() * 1000, phase)],
  [/reactive/, ({ load, phase }) => share(load.powerW(), phase) * REACTIVE_PER_ACTIVE],
  [/apparent/, ({ load, phase }) => share(load.powerW(), phase) / POWER_FACTOR],
  [/power|demand/, ({ load, phase }) => share(load.powerW(), phase)],
  [/flow_rate|flow$/, ({ load }) => (load.powerW() / 1000) * (WATER_LITRES_PER_KWH / 1000)],
  [/volume/, ({ load }) => load.energyKwh() * (WATER_LITRES_PER_KWH / 1000)],
  // Hours of use, which rise as a counter must.
  [/operating_hours/, ({ load }) => load.energyKwh()],
  [/temperature.*(supply|flow|forward)|(supply|flow)_temperature/, ({ load, name }) => 58 + 3 * load.wobble(name)],
  [/temperature.*return|return_temperature/, ({ load, name }) => 41 + 2 * load.wobble(name)],
  [/temperature/, ({ load, name }) => 21 + 2 * load.wobble(name)],
  [/humidity/, ({ load, name }) => 48 + 6 * load.wobble(name)],
  [/co2/, ({ load, name }) => 640 + 120 * load.wobble(name)],
  [/^co$/, ({ load, name }) => 4 + 2 * load.wobble(name)],
  [/pm(1|2|10|25)/, ({ load, name }) => 28 + 12 * load.wobble(name)],
  [/noise/, ({ load, name }) => 48 + 6 * load.wobble(name)],
  [/distance/, ({ load, name }) => 1200 + 400 * load.wobble(name)],
  [/grip/, ({ load, name }) => 0.8 + 0.05 * load.wobble(name)],
  // All is well, and the road is dry.
  [/fault|empty|_low$|_closed$|relay_open|loop_|_depth$/, () => 0],
]
const OTHERWISE = ({ load, name }: Asked): number => 10 + 5 * load.wobble(name)

/** The value that a meter on this load shows for a point, in the point's own unit. */
export function quantity(load: Load, point: string, unit: string): number {
  const phaseText = /(?:_|^)(?:l|phase_?|p)([123])(?:_|$)/.exec(point)?.[1] ?? /_([abc])$/.exec(point)?.[1]
  const phase = phaseText === undefined ? undefined : '123abc'.indexOf(phaseText) % 3
  const show = QUANTITIES.find(([pattern]) => pattern.test(point))?.[1] ?? OTHERWISE
  const tariff = /_t([1-4])$/.exec(point)?.[1]
  const tariffShare = tariff === undefined ? 1 : TARIFF_SHARE[Number(tariff) - 1]!
  return inUnit(tariffShare * show({ load, name: point, phase }), unit)
}

function share(whole: number, phase: number | undefined): number {
  return phase === undefined ? whole : whole * PHASE_SHARE[phase]!
}

function voltage(load: Load, phase: number | undefined): number {
  return MAINS_V + 3 * load.wobble(`voltage ${phase ?? 0}`)
}

/** A value in W as kW and the like; in litres what is shown in litres; other units stand as they are. */
function inUnit(value: number, unit: string): number {
  if (unit === 'L' || unit === 'L/h') return value * 1000
  if (unit === 'J' || unit === 'kJ' || unit === 'MJ' || unit === 'GJ') {
    return (value * 3600) / { J: 1, kJ: 1e3, MJ: 1e6, GJ: 1e9 }[unit]
  }
  const prefixed = /^([kMm])(W|Wh|V|A|var|varh|VA|VAh)$/.exec(unit)
  return prefixed === null ? value : value / FACTORS[prefixed[1]!]!
}
