import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { EventClass } from '../../../../gateway/contract/event.ts'
import { leafCells } from '../../../../gateway/store/page-format.ts'
import { chosenRows, type FoundRow } from '../../../../gateway/store/salvage.ts'
import { commitsLeftOut, committedPages, walHeader } from '../../../../gateway/store/wal-format.ts'
import { newEvent, newEvents } from '../../../contract/memory-store.ts'
import { inWords, readAll, storeRig } from './rig.ts'

const PAGE_BYTES = 4096

/** The pages of a file, as they stand. */
function pagesOf(path: string): { count: number; page: (number: number) => Buffer | undefined } {
  const bytes = readFileSync(path)
  const page = (number: number): Buffer | undefined =>
    number >= 1 && number * PAGE_BYTES <= bytes.length
      ? bytes.subarray((number - 1) * PAGE_BYTES, number * PAGE_BYTES)
      : undefined
  return { count: bytes.length / PAGE_BYTES, page }
}

describe('pages without SQLite', () => {
  test('every record is found, whatever its columns and however long', async () => {
    const rig = storeRig()
    await (await rig.open()).close()
    const long = 'x'.repeat(20_000)
    rig.harm('CREATE TABLE other (id INTEGER PRIMARY KEY, a, b, c, d, e)')
    rig.harm(
      `INSERT INTO other VALUES (7, 1, -2, 3.5, '${long}', x'00ff'), (300, 0, 281474976710656, NULL, '邻里', x'')`,
    )
    rig.harm('CREATE TABLE named (name TEXT PRIMARY KEY, n) WITHOUT ROWID')
    rig.harm(`INSERT INTO named VALUES ('a', 128), ('${'b'.repeat(3000)}', 40000)`)
    const { count, page } = pagesOf(rig.path)
    const cells = Array.from({ length: count }, (_, n) => leafCells(n + 1, page)).flat()
    expect(cells).toContainEqual({ rowid: 7, values: [null, 1, -2, 3.5, long, Buffer.from([0, 255])] })
    expect(cells).toContainEqual({ rowid: 300, values: [null, 0, 2 ** 48, null, '邻里', Buffer.alloc(0)] })
    expect(cells).toContainEqual({ rowid: undefined, values: ['a', 128] })
    expect(cells).toContainEqual({ rowid: undefined, values: ['b'.repeat(3000), 40_000] })
  })

  test('any bytes at all are no reason to throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: PAGE_BYTES, maxLength: PAGE_BYTES }), fc.boolean(), (bytes, leaf) => {
        const page = Buffer.from(bytes)
        if (leaf) page[0] = 0x0d
        for (const { values } of leafCells(2, (number) => (number === 2 ? page : undefined))) {
          expect(values.length).toBeLessThanOrEqual(32)
        }
      }),
      { numRuns: 300 },
    )
  })

  test('a page that leads to itself ends', () => {
    const page = Buffer.alloc(PAGE_BYTES)
    page[0] = 0x0d
    page.writeUInt16BE(1, 3)
    page.writeUInt16BE(100, 8)
    // A payload of 100000 bytes, the rest of it in page 2, which is this one.
    Buffer.from([0x86, 0x8d, 0x20, 1]).copy(page, 100)
    page.fill(0, 104)
    for (let at = 104; at + 4 <= PAGE_BYTES; at += 4) page.writeUInt32BE(2, at)
    expect(leafCells(2, () => page)).toEqual([])
  })
})

describe('the write-ahead log without SQLite', () => {
  test('what was committed counts, from where the checksums hold on to where they end', async () => {
    const rig = storeRig()
    const store = await rig.open()
    await store.append([...newEvents(3), newEvent({ class: 'alarm' })])
    const wal = readFileSync(`${rig.path}-wal`)
    await store.close()
    const header = walHeader(wal)!
    expect(header.pageBytes).toBe(PAGE_BYTES)
    const whole = committedPages(header, (at, bytes) => wal.subarray(at, at + bytes)).pages
    expect(whole.size).toBeGreaterThan(2)
    // The commit record of the last frame is torn off.
    const torn = committedPages(header, (at, bytes) => wal.subarray(0, wal.length - 1).subarray(at, at + bytes)).pages
    expect(torn.size).toBeLessThanOrEqual(whole.size)
    expect([...torn.values()].every((at) => at + PAGE_BYTES < wal.length)).toBe(true)
    const turned = Buffer.from(wal)
    turned[61] = turned[61]! ^ 1
    expect(committedPages(header, (at, bytes) => turned.subarray(at, at + bytes)).pages.size).toBe(0)
    expect(walHeader(turned.subarray(1))).toBeUndefined()
  })

  /** A log of ten commits that was not closed: what a crash leaves of its WAL. */
  async function crashed(): Promise<Buffer> {
    const rig = storeRig()
    const store = await rig.open()
    for (let n = 0; n < 10; n++) await store.append([newEvent()])
    const wal = readFileSync(`${rig.path}-wal`)
    await store.close()
    return wal
  }

  test('a WAL that ends in the midst of a commit is whole; one that lost something before is not', async () => {
    const whole = await crashed()
    const leftOut = (wal: Buffer) => {
      const read = (at: number, bytes: number): Buffer => wal.subarray(at, at + bytes)
      const header = walHeader(wal)
      const endsAt = header === undefined ? 0 : committedPages(header, read).endsAt
      return commitsLeftOut({ pageBytes: PAGE_BYTES, bigEndian: false, salt: wal.readUInt32BE(16) }, read, endsAt)
    }
    const frameAt = (n: number): number => 32 + n * (PAGE_BYTES + 24)
    const last = committedPages(walHeader(whole)!, (at, bytes) => whole.subarray(at, at + bytes)).endsAt
    expect(leftOut(whole)).toBeUndefined()
    // Cut off, or with garbage, in its last commit: nobody was told of that one.
    for (const at of [last - 1, last - 3000]) {
      expect(leftOut(whole.subarray(0, at))).toBeUndefined()
      const turned = Buffer.from(whole)
      turned[at] = turned[at]! ^ 1
      expect(leftOut(turned)).toBeUndefined()
    }
    // A turned bit in the header, or anywhere in the first frames: commits behind it were synced, and would be left out.
    const unseen = [20, 30, frameAt(0) + 2, frameAt(1) + 9, frameAt(1) + 20, frameAt(2) + 1000].filter((at) => {
      const turned = Buffer.from(whole)
      turned[at] = turned[at]! ^ 1
      return leftOut(turned) === undefined
    })
    expect(unseen).toEqual([])
  })

  test('the copies that fill up a sector behind a commit prove nothing', () => {
    const leftOut = (bytes: readonly number[], endsAt: number) => {
      const wal = walOfCommits(bytes.map((byte) => Buffer.alloc(PAGE_BYTES, byte)))
      const shape = { pageBytes: PAGE_BYTES, bigEndian: false, salt: wal.readUInt32BE(16) }
      return commitsLeftOut(shape, (at, length) => wal.subarray(at, at + length), endsAt)
    }
    expect(leftOut([7, 8], 0)?.size).toBe(1)
    expect(leftOut([8, 8], 0)).toBeUndefined()
    // The second is broken, and may be such a copy of the first, which stands.
    expect(leftOut([7, 8, 9], 32 + PAGE_BYTES + 24)).toBeUndefined()
    expect(leftOut([7, 8, 9, 10], 32 + PAGE_BYTES + 24)?.size).toBe(1)
  })
})

/** A WAL (sqlite.org/fileformat2, section 4) whose frames are commits of page 2 in a database of three pages. */
function walOfCommits(pages: readonly Buffer[]): Buffer {
  let [a, b] = [0, 0]
  const sum = (bytes: Buffer): void => {
    for (let at = 0; at < bytes.length; at += 8) {
      a = (a + bytes.readUInt32LE(at) + b) >>> 0
      b = (b + bytes.readUInt32LE(at + 4) + a) >>> 0
    }
  }
  const words = (...values: readonly number[]): Buffer => {
    const bytes = Buffer.alloc(4 * values.length)
    for (const [n, value] of values.entries()) bytes.writeUInt32BE(value, 4 * n)
    return bytes
  }
  const salts = [41, 42]
  const header = words(0x377f0682, 3_007_000, PAGE_BYTES, 0, ...salts)
  sum(header)
  const parts = [header, words(a, b)]
  for (const page of pages) {
    const head = words(2, 3)
    sum(head)
    sum(page)
    parts.push(head, words(...salts, a, b), page)
  }
  return Buffer.concat(parts)
}

describe('which rows are brought over', () => {
  const row = (name: EventClass, fromSeq: number, last: number, more: Partial<FoundRow> = {}): FoundRow => ({
    class: name,
    last,
    boot: 1,
    runs: [{ fromSeq, toSeq: last, reason: 'corrupt', counts: {} }],
    bytes: 100,
    page: 2,
    ...more,
  })
  const gap = (fromSeq: number, toSeq: number) => ({ fromSeq, toSeq, reason: 'evicted' as const, counts: {} })
  const chosen = (rows: FoundRow[], gaps: ReturnType<typeof gap>[] = [], room = 1e9): string[] =>
    chosenRows({ rows, gaps }, room).map(({ class: name, runs, last }) => `${name} ${runs[0]?.fromSeq}-${last}`)

  test('in order of their places; what was let go of stays gone, though a free page still has it', () => {
    expect(chosen([row('alarm', 9, 9), row('telemetry', 1, 5), row('telemetry', 6, 8)], [gap(1, 5)])).toEqual([
      'telemetry 6-8',
      'alarm 9-9',
    ])
  })

  test('of a row that was cut, and its older record in a free page, the cut one', () => {
    const cut = row('telemetry', 4, 8)
    const old = row('telemetry', 1, 8)
    expect(chosen([old, cut], [gap(1, 3)])).toEqual(['telemetry 4-8'])
    expect(chosen([cut, old], [])).toEqual(['telemetry 4-8'])
    expect(chosen([row('telemetry', 1, 3), row('telemetry', 1, 3)])).toEqual(['telemetry 1-3'])
  })

  test('where there is no room for all: audit, alarms, states, and of the readings the newest', () => {
    const rows = [row('telemetry', 1, 1), row('telemetry', 2, 2), row('audit', 3, 3), row('status', 4, 4)]
    expect(chosen(rows, [], 300)).toEqual(['telemetry 2-2', 'audit 3-3', 'status 4-4'])
  })
})

describe('a log that is damaged while it is in use', () => {
  /** Fill a page that holds events, and none of the small tables, with zeros. */
  function ruin(path: string): void {
    const bytes = readFileSync(path)
    const starts = Array.from({ length: bytes.length / PAGE_BYTES }, (_, n) => n * PAGE_BYTES)
    const leaves = starts.filter(
      (at) => bytes[at] === 0x0d && bytes.subarray(at, at + PAGE_BYTES).includes('meter.reading'),
    )
    // Neither the first nor the last: those are looked at when the log is opened.
    const at = leaves[leaves.length >> 1]!
    writeFileSync(path, bytes.fill(0, at, at + PAGE_BYTES))
  }

  test('is set aside; what is whole goes on under a new epoch, at its places, and consumers where they stood', async () => {
    const rig = storeRig()
    const first = await rig.open()
    for (let n = 0; n < 200; n++) await first.append(newEvents(20))
    await first.append([newEvent({ class: 'alarm', type: 'linli.fire.active' })])
    await first.confirm('upstream:city', { epoch: first.epoch, seq: 700 })
    await first.confirm('pull:property', { epoch: first.epoch, seq: 650 }, ['alarm'])
    const { epoch } = first
    const wrote = (await readAll(first)).map(inWords)
    await first.close()
    ruin(rig.path)

    const second = await rig.open({ tailEvents: 0 })
    await expect(readAll(second)).rejects.toMatchObject({ code: 'store' })
    await rig.clock.advance(1000)
    expect(second.epoch).not.toBe(epoch)
    const entries = await readAll(second)
    const events = entries.filter((entry) => entry.kind === 'event')
    expect(events.length).toBeGreaterThan(3000)
    const words = entries.map(inWords)
    expect(words.at(-3)).toBe('gap 4002-4002 epoch-change {}')
    const gaps = entries.filter((entry) => entry.kind === 'gap' && entry.reason === 'corrupt')
    expect(gaps.length).toBeGreaterThan(0)
    // Every place is an event as it was written, or told to be gone.
    const told = new Set(gaps.flatMap((gap) => (gap.kind === 'gap' ? range(gap.fromSeq, gap.toSeq) : [])))
    const there = new Set(words)
    const silent = wrote.filter((word, n) => !told.has(n + 1) && !there.has(word))
    expect(silent).toEqual([])
    expect(await second.cursor('upstream:city')).toEqual({ epoch: second.epoch, seq: 700 })
    expect(await second.cursor('pull:property', ['alarm'])).toEqual({ epoch: second.epoch, seq: 650 })
    expect(await second.cursor('pull:property')).toBeUndefined()
    expect(events.at(-1)?.body).toContain('"salvaged":{')
    expect(await second.append([newEvent()])).toEqual({ firstSeq: 4005, lastSeq: 4005 })
    await second.close()
    expect(rig.ask('PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }])
  })

  test('a start that finds the salvage unfinished does it from the beginning', async () => {
    const rig = storeRig()
    const first = await rig.open()
    await first.append(newEvents(30))
    await first.close()
    // The moment between the file's new name and the new log's.
    copyFileSync(rig.path, `${rig.path}.damaged-20261123T080000Z`)
    writeFileSync(`${rig.path}.salvage`, 'half of a log')
    rmSync(rig.path)
    const second = await rig.open()
    const words = (await readAll(second)).map(inWords)
    expect(words).toHaveLength(33)
    expect(words.slice(-3)).toEqual(['gap 31-31 epoch-change {}', '32 alarm', '33 audit'])
  })
})

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, n) => from + n)
}
