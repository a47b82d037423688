import type { BcdPoint } from './bcd-point.ts'
import type { ModbusPoint } from './modbus/modbus-profile.ts'

/* The value that a counter never reaches, because there it begins anew. */

const INTEGER_BITS: Readonly<Record<string, number>> = {
  uint16: 16,
  uint32: 32,
  uint64: 64,
  int16: 15,
  int32: 31,
  int64: 63,
}
const BCD_DIGITS: Readonly<Record<string, number>> = { bcd16: 4, bcd32: 8, bcd64: 16 }

type Counter = { readonly point: string; readonly kind: 'counter' | 'gauge' }

/** Undefined for a float, which comes to no end. */
export function registerCapacity({ as, scale, offset }: Pick<ModbusPoint, 'as' | 'scale' | 'offset'>) {
  const raw = as in INTEGER_BITS ? 2 ** INTEGER_BITS[as]! : as in BCD_DIGITS ? 10 ** BCD_DIGITS[as]! : undefined
  return raw === undefined ? undefined : raw * scale + offset
}

/** Undefined where the unit stands in the data: it may change with the range. */
export function bcdCapacity(
  point: Pick<BcdPoint, 'as' | 'bytes' | 'decimals' | 'scale'> & { readonly unitAt?: number },
) {
  if (point.as !== 'bcd' || point.unitAt !== undefined) return undefined
  return (10 ** (point.bytes * 2) * point.scale) / 10 ** point.decimals
}

/** The counters among the points, by name. */
export function countersOf<Point extends Counter>(
  points: readonly Point[],
  capacity: (point: Point) => number | undefined,
): ReadonlyMap<string, number | undefined> {
  return new Map(points.flatMap((point) => (point.kind === 'counter' ? [[point.point, capacity(point)]] : [])))
}
