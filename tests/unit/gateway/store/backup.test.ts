import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { directPort } from '../../../../gateway/store/direct-port.ts'
import { openStore } from '../../../../gateway/store/open.ts'
import { newEvent, newEvents } from '../../../contract/memory-store.ts'
import { inWords, logInto, readAll, storeRig } from './rig.ts'

async function collected(pieces: AsyncIterable<Buffer>, between: () => Promise<unknown>): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const piece of pieces) {
    parts.push(Buffer.from(piece))
    await between()
  }
  return Buffer.concat(parts)
}

test('a backup taken while commits go on is a whole log: up to some commit, and nothing of a later one', async () => {
  const rig = storeRig()
  const store = await rig.open()
  const body = JSON.stringify('x'.repeat(900))
  for (let n = 0; n < 60; n++) await store.append(newEvents(20, { body: JSON.stringify(`${n} ${body}`) }))
  await store.append([newEvent({ class: 'alarm' })])
  const before = store.lastSeq()
  const { databaseBytes, pieces } = await store.backup()
  const bytes = await collected(pieces, () => store.append(newEvents(3, { body })))
  expect(databaseBytes).toBeGreaterThan(4096)
  expect(bytes.length).toBeGreaterThan(databaseBytes)
  const path = join(rig.folder, 'copy.db')
  writeFileSync(path, bytes.subarray(0, databaseBytes))
  writeFileSync(`${path}-wal`, bytes.subarray(databaseBytes))
  const copy = await openStore({
    path,
    hub: 'hub-01',
    clock: rig.clock,
    log: logInto([]),
    gatherMs: 0,
    port: () => directPort(),
  })
  expect(copy.epoch).not.toBe(store.epoch)
  const words = (await readAll(copy)).map(inWords)
  const here = (await readAll(store)).map(inWords)
  const whole = words.findIndex((word) => word.includes('epoch-change'))
  expect(whole).toBeGreaterThanOrEqual(before)
  expect(words.slice(0, whole)).toEqual(here.slice(0, whole))
  await copy.close()
})

test('one at a time; given up in the middle it makes room for the next, and the log is as before', async () => {
  const rig = storeRig()
  const store = await rig.open()
  await store.append(newEvents(3))
  const first = await store.backup()
  await expect(store.backup()).rejects.toMatchObject({ code: 'backup' })
  for await (const piece of first.pieces) {
    expect(piece.length).toBeGreaterThan(0)
    break
  }
  const second = await store.backup()
  expect((await collected(second.pieces, () => Promise.resolve())).length).toBeGreaterThan(0)
  await store.append(newEvents(1))
  await store.close()
  expect(rig.ask('PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }])
})
