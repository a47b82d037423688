import { Collector, type Events } from './collect.ts'
import type { GapRun } from './gaps.ts'
import { CHARS, COLUMNS, MONO_US, SEQ, STREAM, WALL_MS } from './parcel.ts'
import { groupOf, type Period, parseReading, periodOf, type Reading, Summary } from './thinning.ts'

/** Events of one row that is written. */
const ROW_EVENTS_MAX = 1024

/** An event that is kept as it is: where it stands in its row. */
interface Kept {
  readonly seq: number
  readonly events: Events
  readonly at: number
  readonly start: number
}

interface Group {
  readonly summary: Summary
  readonly members: { readonly seq: number; readonly wallMs: number }[]
  readonly first: Kept
}

/** Rows that are being made one period's summaries. */
export interface Pass {
  readonly boot: number
  readonly period: Period
  readonly groups: Map<string, Group>
  readonly kept: Kept[]
  readonly rows: { readonly last: number; readonly headBytes: number; readonly bodyBytes: number }[]
  /** Of the rows, all together. */
  events: number
  /** Place of the first event of a later period that was met; infinite when there is none. */
  laterSeq: number
}

export function newPass(boot: number, period: Period): Pass {
  return { boot, period, groups: new Map(), kept: [], rows: [], events: 0, laterSeq: Number.POSITIVE_INFINITY }
}

/** Up to where no reading is left that could be thinned. */
export function endOf({ rows, laterSeq }: Pass): number {
  return Math.min(rows.at(-1)!.last, laterSeq - 1)
}

export function* readingsOf(events: Events): Generator<{ readonly reading: Reading; readonly kept: Kept }> {
  const { rows, streams, text } = events
  let start = 0
  for (let at = 0; at < rows.length; at += COLUMNS) {
    const seq = rows[at + SEQ]!
    const end = start + rows[at + CHARS]!
    const [wallMs, monoUs] = [rows[at + WALL_MS]!, rows[at + MONO_US]!]
    const reading = { seq, stream: streams[rows[at + STREAM]!]!, wallMs, monoUs, body: text.slice(start, end) }
    yield { reading, kept: { seq, events, at, start } }
    start = end
  }
}

/** The earliest period in a row that is counted as that of its first event is. */
export function earliest(readings: readonly { readonly reading: Reading }[]): Period {
  const [first, ...others] = readings.map(({ reading }) => periodOf(reading))
  let number = first?.number ?? 0
  for (const other of others) if (other.by === first!.by) number = Math.min(number, other.number)
  return { by: first?.by ?? 'wall', number }
}

export function isOf({ by, number }: Period, reading: Reading): boolean {
  const own = periodOf(reading)
  return own.by === by && own.number === number
}

/** False for a reading of another period, or of a shape that no summary stands for. */
export function addTo(pass: Pass, reading: Reading, kept: Kept): boolean {
  if (!isOf(pass.period, reading)) {
    const own = periodOf(reading)
    if (own.by !== pass.period.by || own.number > pass.period.number)
      pass.laterSeq = Math.min(pass.laterSeq, reading.seq)
    return false
  }
  const parsed = parseReading(reading)
  if (parsed === undefined) return false
  const name = groupOf(reading.stream)
  let group = pass.groups.get(name)
  if (group === undefined) {
    group = { summary: new Summary(), members: [], first: kept }
    pass.groups.set(name, group)
  }
  if (!group.summary.add(reading, parsed)) return false
  group.members.push({ seq: reading.seq, wallMs: reading.wallMs })
  return true
}

/** Events that stay, in rows of their own. */
export function rowsOf(kept: readonly Kept[]): Events[] {
  const rows: Events[] = []
  const collector = new Collector()
  for (const { seq, events, at, start } of kept) {
    collector.add(events.rows, at, seq, events.streams[events.rows[at + STREAM]!]!, events.text, start)
    if (collector.count >= ROW_EVENTS_MAX) rows.push(collector.take())
  }
  if (collector.count > 0) rows.push(collector.take())
  return rows
}

/** The summaries of a period as one row, behind the end of the log. */
export function summariesOf(pass: Pass, lastSeq: number): Events {
  const collector = new Collector()
  let seq = lastSeq
  for (const { summary } of pass.groups.values()) {
    const { stream, wallMs, monoUs, body } = summary.event()
    seq += 1
    collector.add(Float64Array.of(0, seq, wallMs, monoUs, body.length), 0, seq, stream, body, 0)
  }
  return collector.take()
}

/** The places of what became summaries, neighbours together. */
export function runsOfMembers(pass: Pass): GapRun[] {
  const members = [...pass.groups.values()].flatMap((group) => group.members).sort((a, b) => a.seq - b.seq)
  const runs: GapRun[] = []
  let at = 0
  while (at < members.length) {
    const first = members[at]!
    let [firstMs, lastMs, end] = [first.wallMs, first.wallMs, at + 1]
    for (; members[end]?.seq === first.seq + end - at; end++) {
      firstMs = Math.min(firstMs, members[end]!.wallMs)
      lastMs = Math.max(lastMs, members[end]!.wallMs)
    }
    const toSeq = first.seq + end - at - 1
    runs.push({ fromSeq: first.seq, toSeq, reason: 'thinned', counts: { telemetry: end - at }, firstMs, lastMs })
    at = end
  }
  return runs
}
