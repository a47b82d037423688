import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { AuditHeads } from '../../../../gateway/core/audit-heads.ts'
import { createRecorder } from '../../../../gateway/core/recorder.ts'
import { loadAuditKey } from '../../../../gateway/io/audit-key.ts'
import { createLog } from '../../../../gateway/io/log.ts'
import { headText, type SignedHead } from '../../../../gateway/store/audit-check.ts'
import { directPort } from '../../../../gateway/store/direct-port.ts'
import { openStore } from '../../../../gateway/store/open.ts'
import { decodeBody, decodeHead, RowEncoder } from '../../../../gateway/store/row.ts'
import { recordCrc } from '../../../../gateway/store/schema.ts'
import { openSqlite, type Sqlite } from '../../../../gateway/store/sqlite.ts'
import { VirtualClock } from '../../../../hardware-sim/clock.ts'
import { newEvent } from '../../../contract/memory-store.ts'
import { needs } from '../../../system/needs.ts'
import { linli, temporaryFolder } from './told.ts'

const DEED = { class: 'audit', type: 'linli.door.unlocked', source: 'devices/gate' } as const

/** A hub's folder: six deeds at places 2, 4 ... 12 among readings, and a head at 13. */
async function folderWithAudit(): Promise<{ folder: string; path: string; head: SignedHead }> {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'hub.yaml'), 'hub: { id: hub-01 }\nstorage: { path: ./hub.db }\n')
  const path = join(folder, 'hub.db')
  const clock = new VirtualClock()
  const log = createLog('error', false, () => undefined)
  const waits = { gatherMs: 0, urgentMs: 0, tailEvents: 0 }
  const store = await openStore({ path, hub: 'hub-01', clock, log, ...waits, port: () => directPort() })
  for (let n = 1; n <= 6; n++) await store.append([newEvent(), newEvent({ ...DEED, body: JSON.stringify({ n }) })])
  const ending = new AbortController()
  const recorder = createRecorder({ store, clock, log, hash: String }, ending.signal)
  const key = loadAuditKey(folder)
  const heads = new AuditHeads({ hub: 'hub-01', store, recorder, clock, key, signal: ending.signal })
  await clock.advance(10_000)
  // The store answers by itself, not by virtual time.
  await expect.poll(() => store.lastSeq()).toBe(13)
  ending.abort(new Error('over'))
  await heads.done
  const page = await store.read({ after: { epoch: store.epoch, seq: 12 }, limit: 1 })
  const [entry] = page.entries
  await store.close()
  if (entry?.kind !== 'event') throw new Error('there is no head')
  return { folder, path, head: JSON.parse(entry.body) as SignedHead }
}

/** Somebody at the file, who knows the format as well as we do: checksums and links fit again. */
function tamper(path: string, how: (db: Sqlite) => void): void {
  const db = openSqlite(path)
  how(db)
  db.close()
}

/** Another text in the place of an audit event, with the right checksums. */
function forge(db: Sqlite, last: number, text: string): void {
  const { head, body } = db
    .prepare<[number], { head: Buffer; body: Buffer }>('SELECT head, body FROM audit WHERE last = ?')
    .get(last)!
  const decoded = decodeHead('audit', last, head)
  const events = decodeBody(decoded, body)
  const rows = events.rows.slice()
  rows[4] = text.length
  const forged = new RowEncoder().encode({ ...events, rows, text }, decoded.boot)
  db.prepare('UPDATE audit SET head = ?, body = ? WHERE last = ?').run(forged.head, forged.body, last)
}

async function verdict(folder: string, ...more: string[]): Promise<{ code: number; places: string[]; proved: number }> {
  const { code, out } = await linli(['audit', 'verify', '--json', ...more], { folder })
  const { findings, proved } = JSON.parse(out) as { findings: { seq: number; what: string }[]; proved: number }
  return { code, proved, places: findings.map(({ seq, what }) => `${seq} ${what}`) }
}

test('an untouched record is proved, and says what would still be needed', async () => {
  const { folder, head } = await folderWithAudit()
  expect(await verdict(folder)).toEqual({ code: 0, places: [], proved: 7 })
  const { out } = await linli(['audit', 'verify'], { folder })
  expect(out).toContain('7 audit events follow from each other, the last at 13')
  expect(out).toContain('--head FILE')
  expect(head).toMatchObject({ hub: 'hub-01', seq: 12 })
})

test('a clock that was found late changes how an audit event is read, and nothing of its proof', async () => {
  const { folder, path } = await folderWithAudit()
  const clock = new VirtualClock()
  const log = createLog('error', false, () => undefined)
  const store = await openStore({ path, hub: 'hub-01', clock, log, gatherMs: 0, port: () => directPort() })
  await store.append([newEvent({ ...DEED, monoMs: 1000, wallMs: 1000, clock: 'never' })])
  await store.fixClock(clock.wallMs(), newEvent({ ...DEED, type: 'linli.clock.set' }))
  const { entries } = await store.read({ after: { epoch: store.epoch, seq: 13 }, limit: 2 })
  expect(entries[0]).toMatchObject({ wallMs: clock.wallMs() + 1000, clock: 'holdover' })
  await store.close()
  expect(await verdict(folder)).toEqual({ code: 0, places: [], proved: 9 })
})

test('an edit, a removal, an exchange, an insertion: each is named by its place, whatever checksums were made anew', async () => {
  const { folder, path } = await folderWithAudit()
  const clean = join(folder, 'clean.db')
  copyFileSync(path, clean)
  const after = async (how: (db: Sqlite) => void): Promise<string[]> => {
    copyFileSync(clean, path)
    tamper(path, how)
    const { code, places } = await verdict(folder)
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
  ).toEqual(['4 changed', '6 changed'])
  expect(await after((db) => db.exec('DELETE FROM audit_link WHERE last = 8'))).toEqual(['8 unlinked', '10 changed'])
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
  expect(await verdict(folder, '--head', 'sent.ndjson')).toMatchObject({ code: 1, places: ['6 lost'] })

  copyFileSync(clean, path)
  tamper(path, (db) => db.exec("UPDATE audit SET body = x'00' WHERE last = 6"))
  expect((await verdict(folder)).places).toEqual(['6 removed'])
  const log = createLog('error', false, () => undefined)
  const waits = { gatherMs: 0, urgentMs: 0, tailEvents: 0 }
  const store = await openStore({
    path,
    hub: 'hub-01',
    clock: new VirtualClock(),
    log,
    ...waits,
    port: () => directPort(),
  })
  await store.read({ after: { epoch: store.epoch, seq: 0 }, limit: 100 })
  await store.close()
  expect((await verdict(folder)).places).toEqual(['6 lost'])
})

test('what was deleted and stands in a free page still is no part of the record', async () => {
  const { folder, path } = await folderWithAudit()
  const log = createLog('error', false, () => undefined)
  const waits = { gatherMs: 0, urgentMs: 0, tailEvents: 0 }
  const store = await openStore({
    path,
    hub: 'hub-01',
    clock: new VirtualClock(),
    log,
    ...waits,
    port: () => directPort(),
  })
  for (let n = 0; n < 300; n++)
    await store.append([newEvent({ ...DEED, body: JSON.stringify({ n, pad: 'x'.repeat(100) }) })])
  await store.close()
  tamper(path, (db) => db.exec('DELETE FROM audit WHERE last BETWEEN 50 AND 250'))
  const { proved, places } = await verdict(folder)
  expect(places).toHaveLength(201)
  expect(proved).toBe(7 + 300 - 201)
})

test('the end cut off, or the whole chain made anew: a head that was sent away tells, and its signature', async () => {
  const { folder, path, head } = await folderWithAudit()
  const sent = join(folder, 'sent.ndjson')
  writeFileSync(
    sent,
    `${JSON.stringify({ type: 'linli.meter.reading', data: {} })}\n${JSON.stringify({ type: 'linli.audit.head', data: head })}\n`,
  )
  expect(await verdict(folder, '--head', 'sent.ndjson')).toEqual({ code: 0, places: [], proved: 7 })
  tamper(path, (db) => db.exec('DELETE FROM audit WHERE last > 10; DELETE FROM audit_link WHERE last > 10'))
  expect(await verdict(folder)).toMatchObject({ code: 0 })
  expect(await verdict(folder, '--head', 'sent.ndjson')).toMatchObject({ code: 1, places: ['12 truncated'] })

  writeFileSync(sent, JSON.stringify({ ...head, seq: 10 }))
  expect(await verdict(folder, '--head', 'sent.ndjson')).toMatchObject({ code: 1, places: ['10 head-forged'] })
  writeFileSync(sent, JSON.stringify({ ...head, hash: '00'.repeat(32) }))
  expect((await verdict(folder, '--head', 'sent.ndjson')).places).toEqual(['12 head-forged'])
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
  const log = createLog('error', false, () => undefined)
  const clock = new VirtualClock()
  const retention = {
    keepMs: { telemetry: 1e12, status: 1e12, alarm: 1e12, audit: 1e12 },
    maxBytes: 32e6,
    required: [],
  }
  const store = await openStore({ path, hub: 'hub-01', clock, log, retention, gatherMs: 0, port: () => directPort() })
  onTestFinished(() => store.close())
  await store.trim(7)
  await store.append([newEvent({ ...DEED, body: '{"n":7}' })])
  await store.close()
  expect(await verdict(folder)).toEqual({ code: 0, places: [], proved: 5 })
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
