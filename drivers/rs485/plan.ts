import { READ_BITS_MAX } from './codec/pdu.ts'
import { wordsOf } from './codec/value.ts'
import type { ModbusPoint } from './modbus/modbus-profile.ts'

/** Points that are read by one request: `count` registers, or coils, from `address` on. */
export interface Block {
  readonly table: ModbusPoint['table']
  readonly address: number
  readonly count: number
  readonly points: readonly ModbusPoint[]
}

/** What reading costs on this connection, and how much a device gives at once. */
export interface PlanCosts {
  /** What every request costs whatever it asks for: its own frame, the answer's envelope, turnaround, silence. */
  readonly requestMs: number
  readonly registerMs: number
  readonly registersMax: number
}

/**
 * The cheapest requests that read all these points: a gap between two points is read along where that takes less
 * time than a second request. A point is never torn apart.
 */
export function planBlocks(points: readonly ModbusPoint[], costs: PlanCosts): Block[] {
  const tables = [...new Set(points.map(({ table }) => table))]
  return tables.flatMap((table) => {
    const ofTable = points.filter((point) => point.table === table)
    return cheapest(ofTable, isBits(table) ? { ...costs, ...bitCosts(costs) } : costs)
  })
}

/** The two halves of a block that a device refused; undefined when it is down to one place. */
export function halves(block: Block): readonly [Block, Block] | undefined {
  const inOrder = block.points.toSorted((a, b) => a.address - b.address)
  const starts = [...new Set(inOrder.map(({ address }) => address))]
  const middle = starts[starts.length >> 1]
  if (middle === undefined || starts.length < 2) return undefined
  const low = inOrder.filter(({ address }) => address < middle)
  const high = inOrder.filter(({ address }) => address >= middle)
  return [blockOf(low), blockOf(high)]
}

function isBits(table: ModbusPoint['table']): boolean {
  return table === 'coil' || table === 'discrete'
}

/** Sixteen coils travel in the room of a register. */
function bitCosts({ registerMs }: PlanCosts): Pick<PlanCosts, 'registerMs' | 'registersMax'> {
  return { registerMs: registerMs / 16, registersMax: READ_BITS_MAX }
}

/** `best[i]`: the least time in which the first i points are read, and where its last block begins. */
function cheapest(points: readonly ModbusPoint[], costs: PlanCosts): Block[] {
  const sorted = points.toSorted((a, b) => a.address - b.address || endOf(a) - endOf(b))
  const best: { ms: number; from: number }[] = [{ ms: 0, from: 0 }]
  for (let to = 1; to <= sorted.length; to++) {
    let least = { ms: Number.POSITIVE_INFINITY, from: to - 1 }
    let end = 0
    for (let from = to - 1; from >= 0; from--) {
      end = Math.max(end, endOf(sorted[from]!))
      const count = end - sorted[from]!.address
      if (count > costs.registersMax && from < to - 1) break
      const ms = best[from]!.ms + costs.requestMs + count * costs.registerMs
      if (ms < least.ms) least = { ms, from }
    }
    best.push(least)
  }
  const blocks: Block[] = []
  for (let to = sorted.length; to > 0; to = best[to]!.from) blocks.unshift(blockOf(sorted.slice(best[to]!.from, to)))
  return blocks
}

function blockOf(points: readonly ModbusPoint[]): Block {
  const { table, address } = points[0]!
  return { table, address, count: Math.max(...points.map(endOf)) - address, points }
}

/** The address behind the point's last. */
function endOf(point: ModbusPoint): number {
  return point.address + wordsOf(point)
}
