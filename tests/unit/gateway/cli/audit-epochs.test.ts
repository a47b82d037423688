import { copyFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { loadAuditKey } from '../../../../gateway/io/audit-key.ts'
import { headText, type SignedHead } from '../../../../gateway/store/audit-head.ts'
import type { OpenedStore } from '../../../../gateway/store/opened-store.ts'
import { newEvent } from '../../../contract/memory-store.ts'
import { DEED, folderWithAudit, judged, reopened, tamper } from './audit-folder.ts'
import { linli } from './told.ts'

/** The head of the chain as it is now, signed. */
async function headOf(store: OpenedStore, folder: string): Promise<SignedHead> {
  const { epoch, seq, hash: bytes } = await store.auditHead()
  const head = { hub: 'hub-01', epoch, seq, hash: Buffer.from(bytes).toString('hex') }
  return { ...head, signature: loadAuditKey(folder).sign(headText(head)) }
}

async function deeds(store: OpenedStore, count: number): Promise<void> {
  for (let n = 0; n < count; n++) await store.append([newEvent(DEED)])
}

test('a backup that was put back is a cut-off end: the head that was sent away says so, with the reason', async () => {
  const { folder, path, head } = await folderWithAudit()
  copyFileSync(path, join(folder, 'backup.db'))
  const first = await reopened(path)
  await deeds(first, 5)
  const later = await headOf(first, folder)
  await first.close()
  expect(later).toMatchObject({ epoch: first.epoch, seq: 18 })
  expect((await linli(['restore', 'backup.db'], { folder })).code).toBe(0)
  const second = await reopened(path)
  await deeds(second, 9)
  const newest = await headOf(second, folder)
  await second.close()
  const { notes, ...all } = await judged(folder)
  expect(all).toMatchObject({ code: 0, places: [], verdict: { lastSeq: 25 } })
  const reason = /it was restored from a backup \(\w+\)/.exec(notes.join())?.[0]
  expect(notes).toEqual([
    `place 16: epoch ${second.epoch} began; of ${first.epoch}, which had come to place 18, the log holds what is up to place 13: ${reason}`,
  ])
  const wrong = await judged(folder, '--head', JSON.stringify(later))
  expect(wrong).toMatchObject({ code: 1, places: ['18 truncated'] })
  expect(wrong.verdict.findings[0]?.text).toBe(
    `signed in epoch ${first.epoch}, of which the log holds nothing behind place 13: ${reason} (told at place 16)`,
  )
  for (const held of [head, newest]) {
    expect(await judged(folder, '--head', JSON.stringify(held))).toMatchObject({
      code: 0,
      verdict: { heads: { held: 1 } },
    })
  }
})

test('a backup of an epoch before the last: heads of both that ended are judged by what the log holds of them', async () => {
  const { folder, path } = await folderWithAudit()
  copyFileSync(path, join(folder, 'backup.db'))
  await linli(['restore', 'backup.db'], { folder })
  const second = await reopened(path)
  await deeds(second, 4)
  const gone = await headOf(second, folder)
  await second.close()
  await linli(['restore', 'backup.db'], { folder })
  const third = await reopened(path)
  await deeds(third, 9)
  await third.close()
  const { places, verdict } = await judged(folder, '--head', JSON.stringify(gone))
  expect(places).toEqual(['20 truncated'])
  expect(verdict.findings[0]?.text).toContain(
    `signed in epoch ${second.epoch}, of which the log holds nothing behind place 0`,
  )
})

test('a database that is gone leaves a chain that begins anew, and says of which epoch it holds nothing', async () => {
  const { folder, path, head } = await folderWithAudit()
  const first = await reopened(path)
  await deeds(first, 1)
  const later = await headOf(first, folder)
  await first.close()
  rmSync(path)
  const second = await reopened(path)
  await deeds(second, 20)
  await second.close()
  expect(await judged(folder)).toMatchObject({ code: 0, places: [] })
  const wrong = await judged(folder, '--head', JSON.stringify(later))
  expect(wrong.places).toEqual([`${later.seq} truncated`])
  expect(wrong.verdict.findings[0]?.text).toContain('nothing behind place 0: the database is gone')
  // A head of the first form names no epoch: its place is not what it says, so much is sure.
  const old = { hub: head.hub, seq: head.seq, hash: head.hash }
  const signed = { ...old, signature: loadAuditKey(folder).sign(headText(old)) }
  expect((await judged(folder, '--head', JSON.stringify(signed))).places).toEqual(['12 head-differs'])
})

test('another log in its place is told by a head of which it knows no epoch', async () => {
  const { folder, path, head } = await folderWithAudit()
  const other = await folderWithAudit()
  for (const end of ['', '-mark']) copyFileSync(other.path + end, path + end)
  const wrong = await judged(folder, '--key', join(folder, 'audit.key'), '--head', JSON.stringify(head))
  expect(wrong.places).toEqual(['12 head-unknown', '13 head-forged'])
})

test('a log that was damaged and saved goes on with its chain, and says what it held', async () => {
  const { folder, path, head } = await folderWithAudit()
  tamper(path, (db) => db.exec("UPDATE meta SET crc = 0 WHERE name = 'epoch'"))
  const store = await reopened(path)
  await deeds(store, 1)
  await store.close()
  const found = await judged(folder, '--head', JSON.stringify(head))
  expect(found).toMatchObject({ code: 0, places: [], verdict: { proved: 9, heads: { held: 1, heldSeq: 12 } } })
  expect(found.notes.join()).toContain(`the log holds what is up to place 13: its epoch is damaged`)
})

test('what an older version wrote is linked when the log is opened, and the chain says so', async () => {
  const { folder, path, head } = await folderWithAudit()
  // A version that knows no chain went on after place 8 (an update that was rolled back).
  tamper(path, (db) => db.exec('DELETE FROM audit_link WHERE last > 8'))
  expect((await judged(folder)).places).toEqual(['10-13 unlinked'])
  const store = await reopened(path)
  await deeds(store, 1)
  await store.close()
  const reason = 'they had no link: a version that knows no chain wrote them, or their links were lost'
  const linked = await judged(folder, '--head', JSON.stringify(head))
  expect(linked).toMatchObject({ code: 0, places: [], verdict: { proved: 9, heads: { held: 1 } } })
  expect(linked.notes).toContain(`places 10 to 13: 3 events were linked only at place 14: ${reason}`)
  await (await reopened(path)).close()
  expect((await judged(folder)).verdict.proved).toBe(9)
})

test('a log that has no chain at all yet gets one from its first audit event on', async () => {
  const { folder, path } = await folderWithAudit()
  tamper(path, (db) => db.exec('DROP TABLE audit_link'))
  writeFileSync(join(folder, 'hub.yaml'), 'hub: { id: hub-01 }\nstorage: { path: ./hub.db }\n')
  const before = await judged(folder)
  expect(before).toMatchObject({ code: 1, places: ['2-13 unlinked'] })
  await (await reopened(path)).close()
  const after = await judged(folder)
  expect(after).toMatchObject({ code: 0, verdict: { proved: 8, firstSeq: 2 } })
  expect(after.notes.join()).toContain('places 2 to 13: 7 events were linked only at place 14')
})
