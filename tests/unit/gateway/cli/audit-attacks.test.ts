import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { loadAuditKey } from '../../../../gateway/io/audit-key.ts'
import { FIRST_LINK, nextLink } from '../../../../gateway/store/audit-chain.ts'
import { headText, type SignedHead } from '../../../../gateway/store/audit-head.ts'
import { decodeBody, decodeHead, RowEncoder } from '../../../../gateway/store/row.ts'
import { recordCrc } from '../../../../gateway/store/schema.ts'
import type { Sqlite } from '../../../../gateway/store/sqlite.ts'
import { newEvent } from '../../../contract/memory-store.ts'
import { DEED, folderWithAudit, forge, judged, reopened, tamper } from './audit-folder.ts'
import { temporaryFolder } from './told.ts'

const encoder = new RowEncoder()

/** Somebody who owns the box, with our code and the hub's key: every link is made anew, and every head in the log signed anew. */
function rewriteChain(db: Sqlite, folder: string): void {
  const key = loadAuditKey(folder)
  const rows = db.prepare<[], { last: number }>('SELECT last FROM audit ORDER BY last').all()
  db.exec('DELETE FROM audit_link')
  let link: Buffer = FIRST_LINK
  for (const { last } of rows) {
    const before = eventAt(db, last)
    if (before.streams[0]!.type === 'linli.audit.head') {
      const head = JSON.parse(before.text) as SignedHead
      const old = db.prepare<[number], Buffer>('SELECT hash FROM audit_link WHERE last = ?').pluck().get(head.seq)!
      const hash = old.toString('hex')
      forge(db, last, JSON.stringify({ ...head, hash, signature: key.sign(headText({ ...head, hash })) }))
    }
    link = nextLink(link, eventAt(db, last))
    db.prepare('INSERT INTO audit_link VALUES (?, ?)').run(last, link)
  }
}

function eventAt(db: Sqlite, last: number) {
  const row = db
    .prepare<[number], { head: Buffer; body: Buffer }>('SELECT head, body FROM audit WHERE last = ?')
    .get(last)!
  return decodeBody(decodeHead('audit', last, row.head), row.body)
}

function move(db: Sqlite, from: number, to: number): void {
  const { text } = eventAt(db, from)
  forge(db, to, text)
}

const ATTACKS: readonly [string, (db: Sqlite) => void, string][] = [
  ['an edit', (db) => forge(db, 6, '{"n":666}'), '12 head-differs'],
  ['a removal', (db) => db.exec('DELETE FROM audit WHERE last = 6'), '12 head-differs'],
  [
    'an exchange',
    (db) => {
      const first = eventAt(db, 4).text
      move(db, 6, 4)
      forge(db, 6, first)
    },
    '12 head-differs',
  ],
  [
    'an insertion',
    (db) => {
      db.exec('UPDATE audit SET last = 5 WHERE last = 6')
      db.exec('INSERT INTO audit SELECT 6, head, body FROM audit WHERE last = 5')
      for (const last of [5, 6]) restamp(db, last, 6)
    },
    '12 head-differs',
  ],
  ['an end cut off before the head', (db) => db.exec('DELETE FROM audit WHERE last > 10'), '12 truncated'],
]

/** The checksum of a head begins with its key: make it fit to another. */
function restamp(db: Sqlite, last: number, written: number): void {
  const row = db.prepare<[number], { head: Buffer; body: Buffer }>('SELECT head, body FROM audit WHERE last = ?')
  const { head, body } = row.get(last)!
  const decoded = decodeHead('audit', written, head)
  const events = decodeBody(decoded, body)
  const rows = events.rows.slice()
  rows[1] = last
  const encoded = encoder.encode({ ...events, rows }, decoded.boot)
  db.prepare('UPDATE audit SET head = ?, body = ? WHERE last = ?').run(encoded.head, encoded.body, last)
}

test.each(ATTACKS)(
  '%s with the whole chain made anew and signed anew: only the head that was sent away tells',
  async (_what, attack, place) => {
    const { folder, path, head } = await folderWithAudit()
    writeFileSync(join(folder, 'sent.ndjson'), JSON.stringify({ type: 'linli.audit.head', data: head }))
    tamper(path, (db) => {
      attack(db)
      rewriteChain(db, folder)
    })
    expect(await judged(folder)).toMatchObject({ code: 0, places: [] })
    expect(await judged(folder, '--head', 'sent.ndjson')).toMatchObject({ code: 1, places: [place] })
    expect(await judged(folder, '--head', JSON.stringify(head))).toMatchObject({ code: 1, places: [place] })
  },
)

test('somebody who has the log and not the key can make the chain anew, and no head in it', async () => {
  const { folder, path } = await folderWithAudit()
  const elsewhere = temporaryFolder()
  tamper(path, (db) => {
    forge(db, 6, '{"n":666}')
    rewriteChain(db, elsewhere)
  })
  expect(await judged(folder)).toMatchObject({ code: 1, places: ['13 head-forged'] })
  const own = join(folder, 'own.pem')
  writeFileSync(own, loadAuditKey(elsewhere).publicKey)
  expect(await judged(folder, '--key', 'own.pem')).toMatchObject({ code: 0 })
  expect(await judged(folder, '--key', 'own.pem', '--key', 'audit.key')).toMatchObject({ code: 0 })
})

test('a link that is missing is proved by the next one; an event without a link at the end, or between, is named', async () => {
  const { folder, path } = await folderWithAudit()
  const clean = join(folder, 'clean.db')
  copyFileSync(path, clean)
  const after = async (how: (db: Sqlite) => void) => {
    copyFileSync(clean, path)
    tamper(path, how)
    return judged(folder)
  }
  const healed = await after((db) => db.exec('DELETE FROM audit_link WHERE last IN (6, 8)'))
  expect(healed).toMatchObject({ code: 0, places: [], verdict: { proved: 7 } })
  expect(healed.notes).toEqual(['places 6 to 8: the links are missing, and place 10 proves the events all the same'])
  const ended = await after((db) => db.exec('DELETE FROM audit_link WHERE last > 10'))
  expect(ended.places).toEqual(['12-13 unlinked'])
  const edited = await after((db) => {
    forge(db, 6, '{"n":666}')
    db.exec('DELETE FROM audit_link WHERE last = 6')
  })
  expect(edited.places).toEqual(['6 unlinked', '8 changed'])
  const between = await after((db) => {
    db.exec('INSERT INTO audit SELECT 7, head, body FROM audit WHERE last = 6')
    restamp(db, 7, 6)
  })
  expect(between.places).toEqual(['7 unlinked'])
})

test('what an older version wrote before the chain began is no alarm, and is said not to be vouched for', async () => {
  const { folder, path } = await folderWithAudit()
  tamper(path, (db) => {
    db.exec('DELETE FROM audit_link WHERE last <= 6')
    let link: Buffer = FIRST_LINK
    for (const last of [8, 10, 12]) {
      link = nextLink(link, eventAt(db, last))
      db.prepare('UPDATE audit_link SET hash = ? WHERE last = ?').run(link, last)
    }
    db.exec('DELETE FROM audit WHERE last = 13; DELETE FROM audit_link WHERE last = 13')
  })
  const { code, notes, verdict } = await judged(folder)
  expect({ code, proved: verdict.proved }).toEqual({ code: 0, proved: 3 })
  expect(notes).toEqual([
    'places 2 to 6: 3 events of an older version, from before the chain began: nothing vouches for them',
  ])
})

test('heads that lie before the oldest link are said openly; where none is left to compare, that is no proof', async () => {
  const { folder, path, head } = await folderWithAudit()
  const key = loadAuditKey(folder)
  const retention = {
    keepMs: { telemetry: 1e12, status: 1e12, alarm: 1e12, audit: 1e12 },
    maxBytes: 32e6,
    required: [],
  }
  const link = (seq: number): string => {
    let hash = ''
    tamper(path, (db) => {
      hash = db
        .prepare<[number], Buffer>('SELECT hash FROM audit_link WHERE last = ?')
        .pluck()
        .get(seq)!
        .toString('hex')
    })
    return hash
  }
  const old = { hub: 'hub-01', seq: 2, hash: link(2) }
  const early = { ...old, signature: key.sign(headText(old)) }
  const store = await reopened(path, { retention })
  await store.trim(9)
  await store.append([newEvent(DEED)])
  await store.close()
  const both = await judged(folder, '--head', `${JSON.stringify(early)}\n${JSON.stringify(head)}`)
  expect(both).toMatchObject({ code: 0, verdict: { heads: { given: 2, held: 1, heldSeq: 12, before: 1 } } })
  expect(both.notes).toContain("1 of the heads given can't be checked: before the oldest link that is kept (place 8)")
  const alone = await judged(folder, '--head', JSON.stringify(early))
  expect(alone).toMatchObject({ code: 1, places: ['0 head-unchecked'] })
})

test('heads of other hubs are passed over, and are no proof of this one; a hub under a new name is the same by its key', async () => {
  const { folder, path, head } = await folderWithAudit()
  const other = { ...head, hub: 'hub-02', signature: loadAuditKey(temporaryFolder()).sign('anything') }
  const both = await judged(folder, '--head', `${JSON.stringify(other)}\n${JSON.stringify(head)}`)
  expect(both).toMatchObject({ code: 0, verdict: { heads: { given: 2, held: 1, otherHubs: 1 } } })
  expect(await judged(folder, '--head', JSON.stringify(other))).toMatchObject({ code: 1, places: ['0 head-unchecked'] })
  tamper(path, (db) =>
    db.prepare("UPDATE meta SET value = ?, crc = ? WHERE name = 'hub'").run('hub-09', recordCrc('hub', 'hub-09')),
  )
  expect(await judged(folder, '--head', JSON.stringify(head))).toMatchObject({
    code: 0,
    verdict: { heads: { held: 1 } },
  })
})

test('the log of a hub at work is judged as it stands, and none of its files is touched', async () => {
  const { folder, path, head } = await folderWithAudit()
  const store = await reopened(path)
  await store.append([newEvent({ ...DEED, body: '{"n":7}' })])
  const files = ['', '-wal', '-mark'].map((end) => readFileSync(path + end).toString('base64'))
  expect(await judged(folder, '--head', JSON.stringify(head))).toMatchObject({ code: 0, verdict: { proved: 8 } })
  expect(['', '-wal', '-mark'].map((end) => readFileSync(path + end).toString('base64'))).toEqual(files)
  await store.close()
})
