import {
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Rights } from '../../../../gateway/contract/rights.ts'
import { openSqlite } from '../../../../gateway/store/sqlite.ts'
import { EpochChanged } from '../../../../gateway/store/store.ts'
import { newEvent, newEvents } from '../../../contract/memory-store.ts'
import { inWords, readAll, storeRig } from './rig.ts'

type Rig = ReturnType<typeof storeRig>

test('every opening syncs each commit: better-sqlite3 alone would reopen at NORMAL', () => {
  const { path } = storeRig()
  for (let opening = 0; opening < 3; opening++) {
    const db = openSqlite(path)
    const pragma = (name: string) => db.pragma(name, { simple: true })
    expect(pragma('journal_mode')).toBe('wal')
    expect(pragma('synchronous')).toBe(2)
    expect(pragma('page_size')).toBe(4096)
    expect(pragma('wal_autocheckpoint')).toBe(0)
    expect(pragma('mmap_size') ?? 0).toBe(0)
    db.exec(`CREATE TABLE t${opening} (a)`)
    db.close()
  }
})

test('only the owner may read the file, and a second hub is turned away with words that help', async () => {
  const rig = storeRig()
  const store = await rig.open()
  expect(statSync(rig.path).mode & 0o777).toBe(0o600)
  await expect(rig.open()).rejects.toMatchObject({ reach: 'setup', code: 'store-in-use' })
  await store.append(newEvents(2))
  await store.close()
  const again = await rig.open()
  expect(again.lastSeq()).toBe(2)
})

test('the file of a closed log stands alone and is whole', async () => {
  const rig = storeRig()
  const store = await rig.open()
  for (let n = 0; n < 20; n++) await store.append([...newEvents(50), newEvent({ class: 'status' })])
  await store.trim(500)
  await store.close()
  expect(readdirSync(rig.folder).filter((name) => !name.includes('-mark'))).toEqual(['hub.db'])
  expect(rig.ask('PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }])
})

test('places go on after everything was let go of and the hub was started anew', async () => {
  const rig = storeRig()
  const first = await rig.open()
  await first.append(newEvents(30))
  await first.trim(30)
  await first.close()
  const second = await rig.open()
  expect(second.epoch).toBe(first.epoch)
  expect(second.firstSeq()).toBe(31)
  expect(await second.append([newEvent()])).toEqual({ firstSeq: 31, lastSeq: 31 })
  expect((await readAll(second)).map(inWords)).toEqual(['gap 1-30 evicted {"telemetry":30}', '31 telemetry'])
})

test('every run of the hub is noted, and its rows name it', async () => {
  const rig = storeRig()
  for (let run = 0; run < 3; run++) {
    const store = await rig.open()
    await store.append(newEvents(2))
    await store.close()
    await rig.clock.advance(1000)
  }
  const boots = rig.ask('SELECT id, from_seq, mono_us, clock FROM boot')
  expect(boots).toEqual([0, 1, 2].map((n) => ({ id: n + 1, from_seq: 2 * n + 1, mono_us: n * 1e6, clock: 'synced' })))
})

describe('a file that can not be gone on with is set aside, and a new epoch says so', () => {
  const NARROW: Rights = { types: ['none'], devices: ['none'], classes: ['status'], privacy: 'public' }
  /** What is broken, and how many of its thirty events are whole. */
  const cases: [string, (rig: Rig) => void, number][] = [
    ['it is no database', ({ path }) => writeFileSync(path, 'x'.repeat(9000)), 0],
    [
      'its first page is torn',
      ({ path }) =>
        writeFileSync(
          path,
          Buffer.concat([
            readFileSync(path).subarray(0, 512),
            Buffer.alloc(3584, 7),
            readFileSync(path).subarray(4096),
          ]),
        ),
      30,
    ],
    ['it was cut off', ({ path }) => truncateSync(path, 4096), 0],
    ['it belongs to another program', ({ harm }) => harm('PRAGMA application_id=7'), 30],
    ['it was written by a later version', ({ harm }) => harm('PRAGMA user_version=2'), 30],
    ['a table is missing', ({ harm }) => harm('DROP TABLE cursor'), 30],
    [
      'its epoch has a turned bit',
      ({ harm }) => harm("UPDATE meta SET value = replace(value, substr(value, 1, 1), 'z') WHERE name = 'epoch'"),
      30,
    ],
    ['where it ends is not sure', ({ harm }) => harm('UPDATE telemetry SET last = last + 1048576'), 0],
    [
      'the database is gone, its WAL is there',
      ({ path }) => {
        copyFileSync(path, `${path}-wal`)
        rmSync(path)
      },
      0,
    ],
  ]
  test.each(cases)('%s', async (_name, harm, whole) => {
    const rig = storeRig()
    const first = await rig.open()
    await first.append(newEvents(30))
    await first.close()
    harm(rig)
    const damaged = existsSync(rig.path) ? readFileSync(rig.path) : readFileSync(`${rig.path}-wal`)

    const second = await rig.open()
    expect(second.epoch).not.toBe(first.epoch)
    const change = `gap ${whole + 1}-${whole + 1} epoch-change {}`
    const salvaged = Array.from({ length: whole }, (_, n) => `${n + 1} telemetry`)
    expect((await readAll(second)).map(inWords)).toEqual([
      ...salvaged,
      change,
      `${whole + 2} alarm`,
      `${whole + 3} audit`,
    ])
    expect((await readAll(second, { rights: NARROW })).map(inWords)).toEqual([change])
    await expect(second.read({ after: { epoch: first.epoch, seq: 30 }, limit: 1 })).rejects.toThrow(EpochChanged)
    expect(await second.append([newEvent()])).toEqual({ firstSeq: whole + 4, lastSeq: whole + 4 })
    const aside = readdirSync(rig.folder).filter((name) => name.startsWith('hub.db.damaged-20261123T080000Z'))
    expect(aside).toHaveLength(1)
    expect(readFileSync(join(rig.folder, aside[0]!)).equals(damaged)).toBe(true)
    expect(rig.lines.join('\n')).toContain('a new epoch has begun')
    await second.close()

    const third = await rig.open()
    expect(third.epoch).toBe(second.epoch)
    expect(third.lastSeq()).toBe(whole + 4)
  })

  test('twice on one day: the second name is another', async () => {
    const rig = storeRig()
    for (let time = 0; time < 2; time++) {
      writeFileSync(rig.path, 'x'.repeat(9000))
      await (await rig.open()).close()
    }
    expect(readdirSync(rig.folder).filter((name) => name.includes('damaged'))).toHaveLength(2)
  })
})

describe('a damaged row is taken out, and a gap stands in its place', () => {
  /** Rows of 10 readings, an alarm between them: 1-10, 11, 12-21, 22, 23-32, 33. */
  async function log(): Promise<Rig> {
    const rig = storeRig()
    const store = await rig.open()
    for (let n = 0; n < 3; n++) {
      await store.append(newEvents(10))
      await store.append([newEvent({ class: 'alarm' })])
    }
    await store.close()
    return rig
  }
  const words = (gap: string, without: (seq: number) => boolean): string[] => {
    const all = Array.from({ length: 33 }, (_, n) => `${n + 1} ${(n + 1) % 11 === 0 ? 'alarm' : 'telemetry'}`)
    const first = all.findIndex((_, n) => without(n + 1))
    return all.flatMap((one, n) => (n === first ? [gap] : without(n + 1) ? [] : [one]))
  }
  const CASES: [string, string, string, (seq: number) => boolean][] = [
    [
      'in the body of a row of readings',
      "UPDATE telemetry SET body = x'00' || substr(body, 2) WHERE last = 21",
      'gap 12-21 corrupt {"telemetry":10}',
      (seq) => seq >= 12 && seq <= 21,
    ],
    [
      'in its head',
      "UPDATE telemetry SET head = x'00000000' || substr(head, 5) WHERE last = 21",
      'gap 12-21 corrupt {"telemetry":10}',
      (seq) => seq >= 12 && seq <= 21,
    ],
    [
      'in the first row',
      "UPDATE telemetry SET head = x'00' WHERE last = 10",
      'gap 1-10 corrupt {"telemetry":10}',
      (seq) => seq <= 10,
    ],
    [
      'in an alarm',
      "UPDATE alarm SET head = x'00000000' || substr(head, 5) WHERE last = 22",
      'gap 22-22 corrupt {"alarm":1}',
      (seq) => seq === 22,
    ],
    [
      'in the first alarm',
      "UPDATE alarm SET head = x'00000000' || substr(head, 5) WHERE last = 11",
      'gap 11-11 corrupt {"alarm":1}',
      (seq) => seq === 11,
    ],
    [
      'in the body of the last row',
      "UPDATE alarm SET body = x'' WHERE last = 33",
      'gap 33-33 corrupt {"alarm":1}',
      (seq) => seq === 33,
    ],
  ]
  test.each(CASES)('%s', async (_name, sql, gap, without) => {
    const rig = await log()
    rig.harm(sql)
    const store = await rig.open()
    const told = words(gap, without)
    expect((await readAll(store)).map(inWords)).toEqual(told)
    expect((await readAll(store)).map(inWords)).toEqual(told)
    expect(store.lastSeq()).toBe(33)
    await store.append([newEvent()])
    await store.close()
    expect(rig.ask('SELECT count(*) AS rows FROM quarantine')).toEqual([{ rows: 1 }])
    const again = await rig.open()
    expect((await readAll(again)).map(inWords)).toEqual([...told, '34 telemetry'])
  })

  test('while it is trimmed away', async () => {
    const rig = await log()
    rig.harm("UPDATE telemetry SET head = x'00' WHERE last = 10")
    rig.harm("UPDATE telemetry SET body = x'00' WHERE last = 21")
    const store = await rig.open()
    await store.trim(15)
    expect((await readAll(store)).slice(0, 4).map(inWords)).toEqual([
      'gap 1-10 corrupt {"telemetry":10}',
      'gap 11-11 evicted {"alarm":1}',
      'gap 12-21 corrupt {"telemetry":10}',
      '22 alarm',
    ])
    expect(store.firstSeq()).toBe(22)
  })

  test('a gap record whose CRC is wrong still says that its places are gone', async () => {
    const rig = await log()
    const store = await rig.open()
    await store.trim(11)
    await store.close()
    rig.harm("UPDATE gap SET counts = '{}'")
    const again = await rig.open()
    expect((await readAll(again))[0]).toMatchObject({ kind: 'gap', fromSeq: 1, toSeq: 11, reason: 'corrupt' })
  })

  test('a cursor whose CRC is wrong counts as none', async () => {
    const rig = await log()
    const store = await rig.open()
    await store.confirm('city', { epoch: store.epoch, seq: 20 })
    await store.close()
    rig.harm('UPDATE cursor SET seq = 25')
    expect(await (await rig.open()).cursor('city')).toBeUndefined()
  })
})

test('the index of the WAL is kept in memory, also when the file stood already: no file that a full disk could refuse', async () => {
  const rig = storeRig()
  await (await rig.open()).close()
  const store = await rig.open()
  await store.append(newEvents(1))
  expect(readdirSync(rig.folder)).toContain('hub.db-wal')
  expect(readdirSync(rig.folder)).not.toContain('hub.db-shm')
})
