import { EVENT_CLASSES, type EventClass, type GapReason } from '../contract/event.ts'
import { LINK_BYTES } from './audit-chain.ts'
import type { Events } from './collect.ts'
import { type GapRun, runsOf } from './gaps.ts'
import { leafCells, type PageSource, type Value } from './page-format.ts'
import { DamagedRow, decodeBody, decodeHead } from './row.ts'
import { recordCrc } from './schema.ts'

/** More rows than this are not looked for: what is left out stands in the file that was set aside. */
const ROWS_MAX = 1_000_000

/** A row of events whose head is whole; its body is looked at when it is copied. */
export interface FoundRow {
  readonly class: EventClass
  readonly last: number
  readonly boot: number
  readonly runs: readonly GapRun[]
  readonly bytes: number
  readonly page: number
}

export type BootValues = readonly (number | string)[]

/** What was found in the pages of a damaged log, in no order. */
export interface Findings {
  readonly rows: FoundRow[]
  readonly gaps: GapRun[]
  readonly boots: Map<number, BootValues>
  /** Wall time less monotonic time, by run. */
  readonly clockFixes: Map<number, number>
  /** Of audit events, by place. */
  readonly links: Map<number, Buffer>
  readonly cursors: (readonly [consumer: string, epoch: string, seq: number])[]
  readonly classCursors: (readonly [consumer: string, name: EventClass, epoch: string, seq: number])[]
  epoch: string | undefined
  hub: string | undefined
}

/**
 * Look through every page for records whose CRC vouches for them, whatever of the file's structure still stands.
 * Pages that are free may hold what was let go of before: a gap record over it says so (`chosenRows`).
 * @param passed pages not to look into
 */
export function findRecords(count: number, pages: PageSource, passed: ReadonlySet<number> = new Set()): Findings {
  const found: Findings = {
    rows: [],
    gaps: [],
    boots: new Map(),
    clockFixes: new Map(),
    links: new Map(),
    cursors: [],
    classCursors: [],
    epoch: undefined,
    hub: undefined,
  }
  for (let number = 1; number <= count && found.rows.length < ROWS_MAX; number++) {
    if (passed.has(number)) continue
    for (const { rowid, values } of leafCells(number, pages)) takeRecord(found, number, rowid, values)
  }
  return found
}

/** The last place of all rows of events in these pages; 0 where there is none. */
export function lastSeqIn(numbers: Iterable<number>, pages: PageSource): number {
  let last = 0
  for (const number of numbers) {
    for (const { rowid, values } of leafCells(number, pages)) {
      if (rowid === undefined || rowid <= last || values.length !== 3 || values[0] !== null) continue
      last = eventRow(number, rowid, values[1], values[2])?.last ?? last
    }
  }
  return last
}

function takeRecord(found: Findings, page: number, rowid: number | undefined, values: readonly Value[]): void {
  if (rowid === undefined) takeIndexed(found, values)
  else if (values.length === 2 && Buffer.isBuffer(values[1]) && values[1].length === LINK_BYTES) {
    found.links.set(rowid, Buffer.from(values[1]))
  } else if (values.length === 3 && values[0] === null) {
    const row = eventRow(page, rowid, values[1], values[2])
    if (row !== undefined) found.rows.push(row)
    const [, offsetMs, crc] = values
    if (typeof offsetMs === 'number' && crc === recordCrc(rowid, offsetMs)) found.clockFixes.set(rowid, offsetMs)
  } else if (values.length === 7) {
    const run = gapRun(rowid, values)
    if (run !== undefined) found.gaps.push(run)
  } else if (values.length === 8) {
    // An integer primary key stands in the rowid, and in the record as nothing (section 2.4).
    const plain = [rowid, ...values.slice(1, 7)] as BootValues
    if (values[7] === recordCrc(...plain)) found.boots.set(rowid, plain)
  }
}

/** Records of tables without rowid: the epoch, and the cursors. */
function takeIndexed(found: Findings, values: readonly Value[]): void {
  const crc = values.at(-1)
  const rest = values.slice(0, -1).filter((value) => typeof value === 'string' || typeof value === 'number')
  if (rest.length !== values.length - 1 || crc !== recordCrc(...rest)) return
  const [first, second, third, fourth] = rest
  if (rest.length === 2 && first === 'epoch' && typeof second === 'string') found.epoch = second
  if (rest.length === 2 && first === 'hub' && typeof second === 'string') found.hub = second
  if (rest.length === 3 && typeof first === 'string' && typeof second === 'string' && typeof third === 'number') {
    found.cursors.push([first, second, third])
  }
  const name = EVENT_CLASSES.find((each) => each === second)
  if (rest.length === 4 && name !== undefined && typeof third === 'string' && typeof fourth === 'number') {
    found.classCursors.push([String(first), name, third, fourth])
  }
}

/** The CRC of a head says of which class it is, too. */
function eventRow(page: number, last: number, head: Value | undefined, body: Value | undefined): FoundRow | undefined {
  if (!Buffer.isBuffer(head) || !Buffer.isBuffer(body)) return undefined
  for (const name of EVENT_CLASSES) {
    try {
      const decoded = decodeHead(name, last, head)
      if (decoded.bodyBytes !== body.length) return undefined
      const runs = runsOf(decoded, 'corrupt')
      return { class: name, last, boot: decoded.boot, runs, bytes: head.length + body.length, page }
    } catch (error) {
      if (!(error instanceof DamagedRow)) throw error
    }
  }
  return undefined
}

const REASONS: readonly GapReason[] = ['evicted', 'thinned', 'corrupt', 'quarantined', 'lost-edges', 'epoch-change']

/** A record of the table `gap`, where its CRC vouches for it. */
export function gapRun(last: number, values: readonly Value[]): GapRun | undefined {
  const [, first, reason, counts, firstMs, lastMs, crc] = values
  const plain = [last, first, reason, counts, firstMs, lastMs] as (number | string | null)[]
  if (plain.some((value) => Buffer.isBuffer(value)) || crc !== recordCrc(...plain)) return undefined
  const known = REASONS.find((each) => each === reason)
  if (known === undefined || typeof first !== 'number' || typeof counts !== 'string') return undefined
  return {
    fromSeq: first,
    toSeq: last,
    reason: known,
    counts: JSON.parse(counts),
    ...(typeof firstMs === 'number' ? { firstMs } : {}),
    ...(typeof lastMs === 'number' ? { lastMs } : {}),
  }
}

/** The two blobs of a row, and what they hold. */
export interface WholeRow {
  readonly head: Buffer
  readonly body: Buffer
  readonly events: Events
}

/** A row that was found, when its body is whole too. */
export function wholeRow(row: FoundRow, pages: PageSource): WholeRow | undefined {
  for (const { rowid, values } of leafCells(row.page, pages)) {
    const [, head, body] = values
    if (rowid !== row.last || !Buffer.isBuffer(head) || !Buffer.isBuffer(body)) continue
    try {
      return { head, body, events: decodeBody(decodeHead(row.class, row.last, head), body) }
    } catch (error) {
      if (!(error instanceof DamagedRow)) throw error
    }
  }
  return undefined
}

/** Which class is copied first where there is no room for all of it. */
const WORTH: readonly EventClass[] = ['audit', 'alarm', 'status', 'telemetry']

/**
 * The rows to copy: none whose places a gap record holds (they were let go of, and a page that is free still has them), of two
 * that hold the same place the one that was cut last, and within the room the more important and the newer ones.
 */
export function chosenRows({ rows, gaps }: Pick<Findings, 'rows' | 'gaps'>, roomBytes: number): FoundRow[] {
  const dropped = new Set<FoundRow>()
  const claims: Claim[] = [
    ...gaps.map(({ fromSeq, toSeq }) => ({ fromSeq, toSeq, row: undefined })),
    ...rows.flatMap((row) => row.runs.map(({ fromSeq, toSeq }) => ({ fromSeq, toSeq, row }))),
  ]
  let holder: Claim | undefined
  for (const claim of claims.sort((a, b) => a.fromSeq - b.fromSeq)) {
    if (claim.row !== undefined && dropped.has(claim.row)) continue
    const contested = holder !== undefined && holder.toSeq >= claim.fromSeq
    if (!contested || holder === undefined) holder = claim
    else if (isBetter(claim.row, holder.row)) {
      if (holder.row !== undefined) dropped.add(holder.row)
      holder = claim
    } else if (claim.row !== undefined) dropped.add(claim.row)
  }
  return withinRoom(
    rows.filter((row) => !dropped.has(row)),
    roomBytes,
  )
}

interface Claim {
  readonly fromSeq: number
  readonly toSeq: number
  /** Undefined for a gap record. */
  readonly row: FoundRow | undefined
}

function isBetter(row: FoundRow | undefined, than: FoundRow | undefined): boolean {
  if (row === undefined || than === undefined) return row === undefined
  return row.last === than.last ? row.runs[0]!.fromSeq > than.runs[0]!.fromSeq : row.last > than.last
}

function withinRoom(rows: readonly FoundRow[], roomBytes: number): FoundRow[] {
  const byWorth = [...rows].sort((a, b) => WORTH.indexOf(a.class) - WORTH.indexOf(b.class) || b.last - a.last)
  let bytes = 0
  const fitting = byWorth.filter((row) => {
    bytes += row.bytes
    return bytes <= roomBytes
  })
  return fitting.sort((a, b) => a.last - b.last)
}
