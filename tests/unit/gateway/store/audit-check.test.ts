import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CLOCK_STATES } from '../../../../gateway/contract/clock.ts'
import { PRIVACY_LEVELS } from '../../../../gateway/contract/event.ts'
import { FIRST_LINK, nextLink } from '../../../../gateway/store/audit-chain.ts'
import { AuditCheck } from '../../../../gateway/store/audit-check.ts'
import type { AuditRow, AuditTrail } from '../../../../gateway/store/audit-trail.ts'
import type { Events } from '../../../../gateway/store/collect.ts'
import type { GapRun } from '../../../../gateway/store/gaps.ts'
import { MONO_US, SEQ, type Stream, WALL_MS } from '../../../../gateway/store/parcel.ts'

const STREAM: Stream = {
  class: 'audit',
  type: 'linli.door.unlocked',
  source: 'devices/gate',
  privacy: 'public',
  clock: 'synced',
}

function eventAt(seq: number, text = `{"n":${seq}}`, type = STREAM.type): Events {
  return { rows: Float64Array.of(0, seq, 1000 + seq, seq * 7, text.length), streams: [{ ...STREAM, type }], text }
}

interface Links {
  readonly rows: readonly AuditRow[]
  readonly links: readonly { readonly last: number; readonly hash: Uint8Array }[]
}

function chainOf(events: readonly Events[]): Links {
  let hash: Buffer = FIRST_LINK
  const links = events.map((each) => {
    hash = nextLink(hash, each)
    return { last: each.rows[SEQ]!, hash }
  })
  return { rows: events.map((each) => ({ last: each.rows[SEQ]!, events: each })), links }
}

function trailOf(
  { rows, links }: { rows: Iterable<AuditRow>; links: Links['links'] },
  gaps: readonly GapRun[] = [],
): AuditTrail {
  const at = new Map(links.map(({ last, hash }) => [last, hash]))
  return {
    hub: 'hub-01',
    epoch: 'e1',
    rows: () => rows,
    links: () => links,
    linkAt: (seq) => at.get(seq),
    gaps: () => gaps,
    torn: () => new Set<number>(),
  }
}

function followed(trail: AuditTrail) {
  const check = new AuditCheck(trail, [])
  check.follow()
  return check.verdict()
}

/** A change of one record: another value in one of its parts. */
const CHANGES: Readonly<Record<string, (events: Events, by: number) => Events>> = {
  place: (events, by) => withNumber(events, SEQ, by),
  'wall time': (events, by) => withNumber(events, WALL_MS, by),
  'monotonic time': (events, by) => withNumber(events, MONO_US, by),
  type: (events, by) => withStream(events, { type: turned(events.streams[0]!.type, by) }),
  source: (events, by) => withStream(events, { source: turned(events.streams[0]!.source, by) }),
  privacy: (events) => withStream(events, { privacy: PRIVACY_LEVELS[1] }),
  clock: (events) => withStream(events, { clock: CLOCK_STATES.find((state) => state !== 'synced')! }),
  body: (events, by) => ({ ...events, text: turned(events.text, by) }),
}

function withNumber(events: Events, column: number, by: number): Events {
  const rows = events.rows.slice()
  rows[column] = rows[column]! + 1 + by
  return { ...events, rows }
}

function withStream(events: Events, changes: Partial<Stream>): Events {
  return { ...events, streams: [{ ...events.streams[0]!, ...changes }] }
}

/** One bit of one character is another. */
function turned(text: string, by: number): string {
  const at = by % text.length
  return text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ (1 << (by % 7))) + text.slice(at + 1)
}

const aChain = fc
  .integer({ min: 1, max: 12 })
  .map((count) => Array.from({ length: count }, (_, n) => eventAt(3 + 2 * n)))

test('any byte that is another one in any record, or in any link, is found', () => {
  const change = fc.record({ what: fc.constantFrom('link', ...Object.keys(CHANGES)), at: fc.nat(), by: fc.nat(1000) })
  fc.assert(
    fc.property(aChain, change, (events, { what, at, by }) => {
      const { rows, links } = chainOf(events)
      const nth = at % events.length
      const changed =
        what === 'link'
          ? { rows, links: links.map((link, n) => (n === nth ? { ...link, hash: flipped(link.hash, by) } : link)) }
          : {
              rows: rows.map((row, n) => (n === nth ? { ...row, events: CHANGES[what]!(row.events!, by) } : row)),
              links,
            }
      expect(followed(trailOf({ rows, links })).found).toBe(0)
      const { found, proved } = followed(trailOf(changed))
      expect(found).toBeGreaterThan(0)
      expect(proved).toBeLessThan(events.length)
    }),
    { numRuns: 500 },
  )
})

function flipped(hash: Uint8Array, by: number): Uint8Array {
  const bytes = Uint8Array.from(hash)
  bytes[by % bytes.length]! ^= 1 << (by % 8)
  return bytes
}

test('any record left out, put twice, or exchanged with another is found', () => {
  const deed = fc.record({ what: fc.constantFrom('remove', 'copy', 'exchange'), at: fc.nat(), to: fc.nat() })
  fc.assert(
    fc.property(aChain, deed, (events, { what, at, to }) => {
      fc.pre(events.length > 1)
      const { rows, links } = chainOf(events)
      const [a, b] = [at % events.length, to % events.length]
      fc.pre(what !== 'exchange' || a !== b)
      const moved = (n: number, other: number): AuditRow => ({
        last: rows[n]!.last,
        events: withPlace(rows[other]!.events!, rows[n]!.last),
      })
      const changed = {
        remove: () => rows.filter((_, n) => n !== a),
        copy: () => [...rows, { last: 1000, events: withPlace(rows[a]!.events!, 1000) }],
        exchange: () => rows.map((row, n) => (n === a ? moved(a, b) : n === b ? moved(b, a) : row)),
      }[what as 'remove' | 'copy' | 'exchange']()
      expect(followed(trailOf({ rows: changed, links })).found).toBeGreaterThan(0)
    }),
    { numRuns: 300 },
  )
})

function withPlace(events: Events, seq: number): Events {
  const rows = events.rows.slice()
  rows[SEQ] = seq
  return { ...events, rows }
}

test('a long log is followed a row at a time: no row is read before the one before it is done with', () => {
  const count = 20_000
  const { rows, links } = chainOf(Array.from({ length: count }, (_, n) => eventAt(n + 1)))
  let taken = 0
  let done = 0
  let ahead = 0
  const counted = function* (): Generator<AuditRow> {
    for (const row of rows) {
      taken += 1
      yield row
    }
  }
  const linksDone = function* () {
    for (const link of links) {
      ahead = Math.max(ahead, taken - done)
      yield link
      done += 1
    }
  }
  const trail = { ...trailOf({ rows: [], links }), rows: counted, links: linksDone }
  expect(followed(trail)).toMatchObject({ proved: count, found: 0 })
  expect(ahead).toBeLessThanOrEqual(2)
})

test('of many findings those of a run are one, and more than a thousand are counted only', () => {
  const { rows, links } = chainOf(Array.from({ length: 5000 }, (_, n) => eventAt(n + 1)))
  const run = followed(trailOf({ rows: rows.filter(({ last }) => last < 10 || last > 4000), links }))
  expect(run.findings).toMatchObject([{ seq: 10, toSeq: 4000, events: 3991, what: 'removed' }])
  const each = followed(trailOf({ rows: rows.filter(({ last }) => last % 2 === 1), links }))
  expect(each).toMatchObject({ found: 2500, proved: 2500 })
  expect(each.findings).toHaveLength(1000)
})

test('what was let go of is told, and who says so: the chain, or gap records alone', () => {
  const events = [1, 2, 3].map((seq) => eventAt(seq))
  const gap: GapRun = { fromSeq: 1, toSeq: 2, reason: 'evicted', counts: { audit: 2 } }
  const untold = chainOf(events)
  const old = followed(trailOf({ rows: untold.rows.slice(2), links: untold.links.slice(1) }, [gap]))
  expect(old).toMatchObject({ found: 0, proved: 1, firstSeq: 2 })
  expect(old.notes.map(({ text }) => text)).toEqual([
    'before place 3: 2 events were let go of, gap records say so, the chain does not (yet)',
  ])
  const told = chainOf([...events, eventAt(4, '{"toSeq":2,"events":2}', 'linli.audit.evicted')])
  const known = followed(trailOf({ rows: told.rows.slice(2), links: told.links.slice(1) }, [gap]))
  expect(known.notes.map(({ text }) => text)).toEqual(['before place 3: 2 events were let go of, as the chain says'])
})

test('an event of the chain that says nothing readable is no reason to throw', () => {
  const types = ['linli.log.epoch', 'linli.audit.linked', 'linli.audit.evicted', 'linli.audit.head']
  const events = types.flatMap((type, n) =>
    ['null', '[]', '{"kept":"x"}', 'no json'].map((text, m) => eventAt(1 + 4 * n + m, text, type)),
  )
  expect(followed(trailOf(chainOf(events))).findings.every(({ what }) => what === 'head-forged')).toBe(true)
})
