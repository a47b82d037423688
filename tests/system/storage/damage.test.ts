import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { turnBits } from './damage.ts'
import { copyOf, eventNumber, openHere, readThroughDamage, remove, writtenLog, wrongWith } from './log-in-a-folder.ts'

const EVENTS = 200
let folder = ''
let epoch = ''
let others: string[] = []

beforeEach(async () => {
  others = []
  ;({ folder, epoch } = await writtenLog(EVENTS))
})
afterEach(() => remove(folder, ...others))

const file = (name = 'hub.db'): string => join(folder, name)

/** Open what is there, read it all, append one, and say how it looks. */
async function afterwards() {
  const store = await openHere(folder)
  const entries = await readThroughDamage(store)
  const wrong = wrongWith(entries, store.lastSeq(), store.epoch, epoch)
  const { firstSeq } = await store.append([eventNumber(EVENTS + 1)])
  const events = entries.filter(({ kind }) => kind === 'event').length
  const gaps = entries.filter(({ kind }) => kind === 'gap').length
  const sameEpoch = store.epoch === epoch
  await store.close()
  const aside = readdirSync(folder).filter((name) => name.includes('damaged'))
  return { sameEpoch, events, gaps, firstSeq, wrong, aside: aside.length }
}

test('an undamaged log goes on where it ended', async () => {
  expect(await afterwards()).toEqual({
    sameEpoch: true,
    events: EVENTS,
    gaps: 0,
    firstSeq: EVENTS + 1,
    wrong: [],
    aside: 0,
  })
})

test('no turned bit of the file is read as an event: it is whole, or a gap, or a new epoch', {
  timeout: 60_000,
}, async () => {
  const verdict = await turnBits(60, 11)
  expect(verdict.wrong).toEqual([])
  expect(verdict.gaps + verdict.newEpochs).toBeGreaterThan(0)
})

test('no turned bit of the WAL of a hub that was killed takes more than is told', { timeout: 60_000 }, async () => {
  const verdict = await turnBits(40, 12, '-wal')
  expect(verdict.wrong).toEqual([])
  expect(verdict.newEpochs).toBeGreaterThan(20)
})

test.each([
  [
    'an empty page in the middle',
    () => pages((bytes, count) => bytes.fill(0, 4096 * (count >> 1), 4096 * ((count >> 1) + 1))),
  ],
  ['a first page of zeros', () => pages((bytes) => bytes.fill(0, 0, 4096))],
  ['a file that is cut off', () => truncateSync(file(), 4096 * 3 + 100)],
  ['a file of one byte', () => writeFileSync(file(), 'x')],
  ['a text in its place', () => writeFileSync(file(), 'this is no database\n'.repeat(1000))],
])(
  '%s never stops the hub: nothing wrong is read, what is missing is told, the old file is kept',
  async (_name, damage) => {
    damage()
    const after = await afterwards()
    expect(after.wrong).toEqual([])
    expect(after.sameEpoch || after.aside > 0).toBe(true)
    expect(after.sameEpoch ? after.gaps : 1).toBeGreaterThan(0)
  },
)

test('a file that is gone is a new epoch', async () => {
  rmSync(file())
  const after = await afterwards()
  expect([after.sameEpoch, after.wrong]).toEqual([false, []])
})

test('a WAL that was deleted gives no place out twice under the same epoch', async () => {
  const copy = await crashed(10)
  rmSync(join(copy, 'hub.db-wal'), { force: true })
  const store = await openHere(copy)
  const { firstSeq } = await store.append([eventNumber(1)])
  // Either the file still proves what it gave out, or it is another log.
  expect(store.epoch !== epoch || firstSeq > EVENTS).toBe(true)
  await store.close()
})

test('the WAL of another log beside the file is not taken for its own', async () => {
  const other = await writtenLog(50)
  others.push(other.folder)
  const foreign = await crashed(10, other.folder)
  copyFileSync(join(foreign, 'hub.db-wal'), file('hub.db-wal'))
  const after = await afterwards()
  expect(after.wrong).toEqual([])
  expect(after.sameEpoch ? after.events : EVENTS).toBe(EVENTS)
})

test('a database that is gone while its WAL is there is set aside, not invented', async () => {
  const copy = await crashed(10)
  copyFileSync(join(copy, 'hub.db-wal'), file('hub.db-wal'))
  rmSync(file())
  const after = await afterwards()
  expect([after.sameEpoch, after.wrong]).toEqual([false, []])
  expect(after.aside).toBeGreaterThan(0)
})

/** A copy of the folder as it is in the middle of a run, with its WAL. */
async function crashed(events: number, from = folder): Promise<string> {
  const store = await openHere(from)
  const last = store.lastSeq()
  for (let n = 1; n <= events; n++) await store.append([eventNumber(last + n)])
  const copy = copyOf(from)
  others.push(copy)
  await store.close()
  expect(existsSync(join(copy, 'hub.db-wal'))).toBe(true)
  return copy
}

function pages(change: (bytes: Buffer, count: number) => void): void {
  const bytes = readFileSync(file())
  change(bytes, bytes.length / 4096)
  writeFileSync(file(), bytes)
}
