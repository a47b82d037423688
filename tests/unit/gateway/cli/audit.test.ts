import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { loadAuditKey } from '../../../../gateway/io/audit-key.ts'
import { headText } from '../../../../gateway/store/audit-head.ts'
import { recordCrc } from '../../../../gateway/store/schema.ts'
import type { Sqlite } from '../../../../gateway/store/sqlite.ts'
import { VirtualClock } from '../../../../hardware-sim/clock.ts'
import { newEvent } from '../../../contract/memory-store.ts'
import { needs } from '../../../system/needs.ts'
import { DEED, folderWithAudit, forge, judged, reopened, tamper } from './audit-folder.ts'
import { linli } from './told.ts'

test('an untouched record is proved, and says what would still be needed', async () => {
  const { folder, head } = await folderWithAudit()
  expect(await judged(folder)).toMatchObject({ code: 0, places: [], verdict: { proved: 7, firstSeq: 2, lastSeq: 13 } })
  const { out } = await linli(['audit', 'verify'], { folder })
  expect(out).toContain('7 audit events follow from each other, the links from place 2 to 13')
  expect(out).toContain('--head FILE')
  expect(head).toMatchObject({ hub: 'hub-01', seq: 12 })
})

test('a clock that was found late changes how an audit event is read, and nothing of its proof', async () => {
  const { folder, path } = await folderWithAudit()
  const clock = new VirtualClock()
  const store = await reopened(path, { clock })
  await store.append([newEvent({ ...DEED, monoMs: 1000, wallMs: 1000, clock: 'never' })])
  await store.fixClock(clock.wallMs(), newEvent({ ...DEED, type: 'linli.clock.set' }))
  const { entries } = await store.read({ after: { epoch: store.epoch, seq: 13 }, limit: 2 })
  expect(entries[0]).toMatchObject({ wallMs: clock.wallMs() + 1000, clock: 'holdover' })
  await store.close()
  expect(await judged(folder)).toMatchObject({ code: 0, places: [], verdict: { proved: 9 } })
})

test('an edit, a removal, an exchange, an insertion: each is named by its place, whatever checksums were made anew', async () => {
  const { folder, path } = await folderWithAudit()
  const clean = join(folder, 'clean.db')
  copyFileSync(path, clean)
  const after = async (how: (db: Sqlite) => void): Promise<readonly string[]> => {
    copyFileSync(clean, path)
    tamper(path, how)
    const { code, places } = await judged(folder)
    expect(code).toBe(1)
    return places
  }
  expect(await after((db) => forge(db, 6, '{"n":666}'))).toEqual(['6 changed'])
  expect(await after((db) => db.exec('DELETE FROM audit WHERE last = 6'))).toEqual(['6 removed'])
  expect(await after((db) => db.exec('DELETE FROM audit WHERE last = 2'))).toEqual(['2 removed'])
  expect(
    await after((db) => db.exec('DELETE FROM audit WHERE last = 6; DELETE FROM audit_link WHERE last = 6')),
  ).toEqual(['8 changed'])
  expect(
    await after((db) => {
      forge(db, 4, '{"n":3}')
      forge(db, 6, '{"n":2}')
    }),
  ).toEqual(['4-6 changed'])
})

test('a removal with a gap record beside it, and a row that the hub itself set aside, are found all the same', async () => {
  const { folder, path, head } = await folderWithAudit()
  writeFileSync(join(folder, 'sent.ndjson'), JSON.stringify(head))
  const clean = join(folder, 'clean.db')
  copyFileSync(path, clean)
  tamper(path, (db) => {
    db.exec('DELETE FROM audit WHERE last = 6')
    const values = [6, 6, 'corrupt', '{"audit":1}', null, null] as const
    db.prepare('INSERT INTO gap VALUES (?, ?, ?, ?, ?, ?, ?)').run(...values, recordCrc(...values))
  })
  expect(await judged(folder, '--head', 'sent.ndjson')).toMatchObject({ code: 1, places: ['6 lost'] })

  copyFileSync(clean, path)
  tamper(path, (db) => db.exec("UPDATE audit SET body = x'00' WHERE last = 6"))
  expect((await judged(folder)).places).toEqual(['6 damaged'])
  const store = await reopened(path)
  await store.read({ after: { epoch: store.epoch, seq: 0 }, limit: 100 })
  await store.close()
  expect((await judged(folder)).places).toEqual(['6 lost'])
})

test('what was deleted and stands in a free page still is no part of the record', async () => {
  const { folder, path } = await folderWithAudit()
  const store = await reopened(path)
  for (let n = 0; n < 300; n++)
    await store.append([newEvent({ ...DEED, body: JSON.stringify({ n, pad: 'x'.repeat(100) }) })])
  await store.close()
  tamper(path, (db) => db.exec('DELETE FROM audit WHERE last BETWEEN 50 AND 250'))
  const { verdict } = await judged(folder)
  expect(verdict.findings).toMatchObject([{ seq: 50, toSeq: 250, events: 201, what: 'removed' }])
  expect(verdict.proved).toBe(7 + 300 - 201)
})

test('the end cut off, or the whole chain made anew: a head that was sent away tells, and its signature', async () => {
  const { folder, path, head } = await folderWithAudit()
  const sent = join(folder, 'sent.ndjson')
  writeFileSync(
    sent,
    `${JSON.stringify({ type: 'linli.meter.reading', data: {} })}\n${JSON.stringify({ type: 'linli.audit.head', data: head })}\n`,
  )
  expect(await judged(folder, '--head', 'sent.ndjson')).toMatchObject({ code: 0, places: [], verdict: { proved: 7 } })
  tamper(path, (db) => db.exec('DELETE FROM audit WHERE last > 10; DELETE FROM audit_link WHERE last > 10'))
  expect(await judged(folder)).toMatchObject({ code: 0 })
  expect(await judged(folder, '--head', 'sent.ndjson')).toMatchObject({ code: 1, places: ['12 truncated'] })

  writeFileSync(sent, JSON.stringify({ ...head, seq: 10 }))
  expect(await judged(folder, '--head', 'sent.ndjson')).toMatchObject({ code: 1, places: ['10 head-forged'] })
  writeFileSync(sent, JSON.stringify({ ...head, hash: '00'.repeat(32) }))
  expect((await judged(folder, '--head', 'sent.ndjson')).places).toEqual(['12 head-forged'])
})

test('somebody without our code proves a head with openssl and the key that `linli audit key` shows', {
  ...needs('openssl'),
}, async () => {
  const { folder, head } = await folderWithAudit()
  const { out } = await linli(['audit', 'key'], { folder })
  writeFileSync(join(folder, 'key.pem'), out.slice(0, out.indexOf('SHA-256')))
  writeFileSync(join(folder, 'text'), headText(head))
  writeFileSync(join(folder, 'signature'), Buffer.from(head.signature, 'base64'))
  const args = ['pkeyutl', '-verify', '-pubin', '-inkey', 'key.pem', '-rawin', '-in', 'text', '-sigfile', 'signature']
  expect(execFileSync('openssl', args, { cwd: folder, encoding: 'utf8' })).toContain('Verified Successfully')
})

test('what is let go of leaves the rest provable, and the key is made once', async () => {
  const { folder, path } = await folderWithAudit()
  const key = readFileSync(join(folder, 'audit.key'), 'utf8')
  const retention = {
    keepMs: { telemetry: 1e12, status: 1e12, alarm: 1e12, audit: 1e12 },
    maxBytes: 32e6,
    required: [],
  }
  const store = await reopened(path, { retention })
  onTestFinished(() => store.close())
  await store.trim(7)
  await store.append([newEvent({ ...DEED, body: '{"n":7}' })])
  await store.close()
  expect(await judged(folder)).toMatchObject({ code: 0, places: [], verdict: { proved: 5, firstSeq: 6 } })
  expect(loadAuditKey(folder).publicKey).toContain('PUBLIC KEY')
  expect(readFileSync(join(folder, 'audit.key'), 'utf8')).toBe(key)
  expect(existsSync(join(folder, 'audit.key.new'))).toBe(false)
})

test('mistakes are named', async () => {
  const { folder } = await folderWithAudit()
  writeFileSync(join(folder, 'no-heads'), '{"type":"linli.meter.reading"}\n')
  expect((await linli(['audit', 'verify', '--head', 'no-heads'], { folder })).error).toContain('no linli.audit.head')
  writeFileSync(join(folder, 'no-json'), 'x\n')
  expect((await linli(['audit', 'verify', '--head', 'no-json'], { folder })).error).toContain('line 1 is not JSON')
  expect((await linli(['audit', 'verify', '--key', 'nowhere'], { folder })).error).toContain("can't be read")
  expect((await linli(['audit', 'verfy'], { folder })).error).toContain('did you mean verify?')
  expect((await linli(['audit'], { folder })).code).toBe(2)
})
