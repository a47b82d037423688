import { BITS_MAX, isBits, type ReadRequest } from './codec/pdu.ts'
import { type ModbusProfile, type Point, wordsOf } from './profile.ts'

/** One request, and the points that its answer holds. */
export interface Block extends ReadRequest {
  readonly points: readonly Point[]
}

/**
 * Registers between two points that are read along although nobody asked: a request more costs 13 characters of
 * frame, 7 of silence and the device's turnaround, about as many as twelve registers.
 */
const GAP_REGISTERS_MAX = 12

/** Put the points of a profile into as few requests as pays. @param without points that the device does not have */
export function planBlocks(profile: ModbusProfile, without: ReadonlySet<string> = new Set()): Block[] {
  const points = profile.points.filter(({ point }) => !without.has(point))
  const tables = [...new Set(points.map(({ table }) => table))]
  return tables.flatMap((table) => {
    const sorted = points.filter((point) => point.table === table).sort((a, b) => a.address - b.address)
    const countMax = isBits(table) ? BITS_MAX : profile.blockMax
    const blocks: Block[] = []
    for (const point of sorted) {
      const open = blocks.at(-1)
      const widened = open === undefined ? undefined : widen(open, point)
      const gap = open === undefined ? 0 : point.address - (open.address + open.count)
      if (widened !== undefined && gap <= GAP_REGISTERS_MAX && widened.count <= countMax)
        blocks[blocks.length - 1] = widened
      else blocks.push({ table, address: point.address, count: wordsOf(point), points: [point] })
    }
    return blocks
  })
}

function widen(block: Block, point: Point): Block {
  const end = Math.max(block.address + block.count, point.address + wordsOf(point))
  return { ...block, count: end - block.address, points: [...block.points, point] }
}

/**
 * A block that the device refused, in two, so that only what it really does not have is left out; undefined
 * when there is nothing to part.
 */
export function split(block: Block): readonly [Block, Block] | undefined {
  if (block.points.length < 2) return undefined
  const middle = block.points.length >> 1
  return [blockOf(block.points.slice(0, middle)), blockOf(block.points.slice(middle))]
}

function blockOf(points: readonly Point[]): Block {
  const [first, ...rest] = points as [Point, ...Point[]]
  const start: Block = { table: first.table, address: first.address, count: wordsOf(first), points: [first] }
  return rest.reduce(widen, start)
}
