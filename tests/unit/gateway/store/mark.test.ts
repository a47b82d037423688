import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { doubt, isOwnWal, type Mark, markText, parseMark } from '../../../../gateway/store/mark.ts'
import { walSalt } from '../../../../gateway/store/worker-files.ts'
import { newEvent, newEvents } from '../../../contract/memory-store.ts'
import { inWords, readAll, storeRig } from './rig.ts'

const MARK: Mark = { epoch: 'e1', boot: 3, lastSeq: 500, walSalt: 77, closed: false }

test('a log is the continuation when nothing that the mark speaks of is missing', () => {
  const found = { epoch: 'e1', boot: 3, lastSeq: 500, walSalt: 77 }
  expect(doubt(MARK, found)).toBeUndefined()
  expect(doubt(MARK, { ...found, lastSeq: 900, boot: 4, walSalt: 78 })).toBeUndefined()
  expect(doubt(MARK, { ...found, epoch: 'e2' })).toContain('epoch e2')
  expect(doubt(MARK, { ...found, lastSeq: 499 })).toContain('ends at 499')
  expect(doubt(MARK, { ...found, boot: 2 })).toContain('run 2')
  expect(doubt(MARK, { ...found, walSalt: undefined })).toContain('WAL is gone')
  expect(doubt({ ...MARK, closed: true }, { ...found, walSalt: undefined })).toBeUndefined()
  expect(doubt(undefined, found)).toContain('nothing beside it')
  expect(doubt(undefined, { ...found, lastSeq: 0 })).toBeUndefined()
})

test('its own is a WAL of the same salt, or of one of the next, with which SQLite begins it anew', () => {
  expect([76, 77, 78, 93, 94].map((salt) => isOwnWal(MARK, salt))).toEqual([false, true, true, true, false])
  expect(isOwnWal({ ...MARK, walSalt: 2 ** 32 - 1 }, 0)).toBe(true)
  expect(isOwnWal({ ...MARK, walSalt: undefined }, 77)).toBe(false)
})

test('a mark comes back as it was, and what is none is none', () => {
  expect(parseMark(markText(MARK))).toEqual(MARK)
  expect(parseMark(markText({ ...MARK, walSalt: undefined }))).toEqual({ ...MARK, walSalt: undefined })
  for (const text of ['', 'null', '{}', '{"epoch":1,"boot":1,"lastSeq":1}']) expect(parseMark(text)).toBeUndefined()
})

/** A log of 30 events that was closed, and then one whose hub died after ten more. */
async function logs() {
  const rig = storeRig()
  const first = await rig.open()
  await first.append(newEvents(30))
  await first.confirm('city', { epoch: first.epoch, seq: 20 })
  await first.close()
  const copy = (folder: string): void => {
    mkdirSync(join(rig.folder, folder))
    for (const name of ['hub.db', 'hub.db-wal', 'hub.db-mark']) {
      const from = join(rig.folder, name)
      if (existsSync(from)) copyFileSync(from, join(rig.folder, folder, name))
    }
  }
  copy('closed')
  const running = await rig.open()
  await running.append(newEvents(10))
  await running.confirm('city', { epoch: running.epoch, seq: 35 })
  copy('died')
  await running.close()
  const { epoch } = running
  const telemetry = (count: number): string[] => Array.from({ length: count }, (_, n) => `${n + 1} telemetry`)
  /** Open the log in one of the folders and say what it is now. */
  const look = async (folder: string) => {
    const path = join(rig.folder, folder, 'hub.db')
    const store = await rig.open({ path })
    const words = (await readAll(store)).map(inWords)
    const cursor = await store.cursor('city')
    const { firstSeq } = await store.append([newEvent()])
    return { same: store.epoch === epoch, words, cursor: cursor?.seq, its: cursor?.epoch === store.epoch, firstSeq }
  }
  const file = (folder: string, name: string): string => join(rig.folder, folder, name)
  return { rig, look, file, telemetry }
}

test('a hub that died goes on in its epoch, and so does one that was stopped', async () => {
  const { look, telemetry } = await logs()
  expect(await look('died')).toEqual({ same: true, words: telemetry(40), cursor: 35, its: true, firstSeq: 41 })
  expect(await look('closed')).toEqual({ same: true, words: telemetry(30), cursor: 20, its: true, firstSeq: 31 })
})

test('without its WAL it is another epoch: what is there stays, and no place is given out twice', async () => {
  const { look, file, telemetry } = await logs()
  rmSync(file('died', 'hub.db-wal'))
  expect(await look('died')).toEqual({
    same: false,
    words: [...telemetry(30), 'gap 31-31 epoch-change {}', '32 alarm', '33 audit'],
    cursor: 20,
    its: true,
    firstSeq: 34,
  })
})

test('an older copy of the file is another epoch', async () => {
  const { look, file, telemetry } = await logs()
  copyFileSync(file('closed', 'hub.db'), file('died', 'hub.db'))
  rmSync(file('died', 'hub.db-wal'))
  const found = await look('died')
  expect([found.same, found.words]).toEqual([
    false,
    [...telemetry(30), 'gap 31-31 epoch-change {}', '32 alarm', '33 audit'],
  ])
})

test('the file alone in another place is another epoch, with everything in it', async () => {
  const { rig, look, file, telemetry } = await logs()
  mkdirSync(join(rig.folder, 'restored'))
  copyFileSync(file('closed', 'hub.db'), file('restored', 'hub.db'))
  const found = await look('restored')
  expect([found.same, found.cursor]).toEqual([false, 20])
  expect(found.words).toEqual([...telemetry(30), 'gap 31-31 epoch-change {}', '32 alarm', '33 audit'])
})

test('a mark that is torn is none', async () => {
  const { look, file } = await logs()
  writeFileSync(file('closed', 'hub.db-mark'), 'x'.repeat(5000))
  expect((await look('closed')).same).toBe(false)
  expect(existsSync(file('closed', 'hub.db-mark.damaged'))).toBe(true)
})

test('a database that is gone is told of in the first place of the new one', async () => {
  const { look, file } = await logs()
  rmSync(file('closed', 'hub.db'))
  expect(await look('closed')).toMatchObject({
    same: false,
    words: ['gap 1-1 epoch-change {}', '2 alarm', '3 audit'],
    firstSeq: 4,
  })
})

/** The WAL of a log that has nothing to do with this one: SQLite copies any whole WAL into the file beside it. */
async function foreignWal(): Promise<string> {
  const { rig } = await logs()
  const path = join(rig.folder, 'died', 'hub.db-wal')
  expect(walSalt(path.slice(0, -4))).toBeTypeOf('number')
  return path
}

test('a foreign WAL beside a log that was stopped is put away, and the log goes on', async () => {
  const { rig, look, file, telemetry } = await logs()
  copyFileSync(await foreignWal(), file('closed', 'hub.db-wal'))
  expect(await look('closed')).toMatchObject({ same: true, words: telemetry(30), firstSeq: 31 })
  expect(readdirSync(join(rig.folder, 'closed')).filter((name) => name.includes('foreign'))).toHaveLength(1)
  expect(rig.lines.join('\n')).toContain('was not ours')
})

test('a foreign WAL in the place of its own is put away, and the epoch is another', async () => {
  const { look, file, telemetry } = await logs()
  renameSync(await foreignWal(), file('died', 'hub.db-wal'))
  const found = await look('died')
  expect([found.same, found.words]).toEqual([
    false,
    [...telemetry(30), 'gap 31-31 epoch-change {}', '32 alarm', '33 audit'],
  ])
})
