import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createLog } from '../../../../gateway/io/log.ts'
import { directPort } from '../../../../gateway/store/direct-port.ts'
import { openStore } from '../../../../gateway/store/open.ts'
import type { OpenedStore } from '../../../../gateway/store/opened-store.ts'
import { VirtualClock } from '../../../../hardware-sim/clock.ts'
import { newEvent, newEvents } from '../../../contract/memory-store.ts'
import { inWords, readAll } from '../store/rig.ts'
import { linli, temporaryFolder } from './told.ts'

const PAGE_BYTES = 4096

/** The folder of a hub whose log has four hundred readings, an alarm, and a part that was let go of. */
async function folderWithLog(hub = 'hub-01'): Promise<string> {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'hub.yaml'), `hub: { id: ${hub} }\nstorage: { path: ./hub.db }\n`)
  const store = await opened(folder, hub)
  for (let n = 0; n < 200; n++) await store.append(newEvents(2, { body: JSON.stringify({ n, pad: 'x'.repeat(60) }) }))
  await store.append([newEvent({ class: 'alarm', type: 'linli.fire.active', source: 'devices/gate' })])
  await store.trim(10)
  await store.confirm('upstream:city', { epoch: store.epoch, seq: 300 })
  await store.close()
  return folder
}

function opened(folder: string, hub = 'hub-01'): Promise<OpenedStore> {
  const log = createLog('error', false, () => undefined)
  const clock = new VirtualClock()
  const waits = { gatherMs: 0, urgentMs: 0, tailEvents: 0 }
  return openStore({ path: join(folder, 'hub.db'), hub, clock, log, ...waits, port: () => directPort() })
}

/** Turn one page with readings into zeros; neither the first nor the last of them. */
function ruin(path: string): void {
  const bytes = readFileSync(path)
  const leaves = Array.from({ length: bytes.length / PAGE_BYTES }, (_, n) => n * PAGE_BYTES).filter(
    (at) => bytes[at] === 0x0d && bytes.subarray(at, at + PAGE_BYTES).includes('meter.reading'),
  )
  const at = leaves[leaves.length >> 1]!
  writeFileSync(path, bytes.fill(0, at, at + PAGE_BYTES))
}

const lines = (text: string): { type: string; linliseq?: number; data: Record<string, unknown> }[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))

test('a whole log is whole, and looking at it changes nothing', async () => {
  const folder = await folderWithLog()
  const before = readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'latin1')])
  const { code, out, error } = await linli(['log', 'verify'], { folder })
  expect([code, error]).toEqual([0, ''])
  expect(out).toContain('log of hub-01, epoch')
  expect(out).toContain('whole: 390 telemetry, 0 status, 1 alarm, 0 audit')
  expect(out).toContain('told: 10 evicted')
  expect(out).toContain('all of it is what was written')
  const after = readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'latin1')])
  expect(after.filter(([name]) => name === 'hub.db')).toEqual(before.filter(([name]) => name === 'hub.db'))
})

test('what is damaged is named by its places, with the way out, and for programs', async () => {
  const folder = await folderWithLog()
  ruin(join(folder, 'hub.db'))
  const { code, out } = await linli(['log', 'verify', 'hub.db'], { folder })
  expect(code).toBe(1)
  expect(out).toMatch(/missing without a record: places \d+ to \d+/)
  expect(out).toContain('linli log salvage')
  const json = JSON.parse((await linli(['log', 'verify', 'hub.db', '--json'], { folder })).out)
  expect(json).toMatchObject({ ok: false, hub: 'hub-01', lastSeq: 401, damaged: [] })
  expect(json.missing).toHaveLength(1)
})

test('a log that a hub has open is left alone', async () => {
  const folder = await folderWithLog()
  const store = await opened(folder)
  onTestFinished(() => store.close())
  for (const args of [
    ['log', 'verify'],
    ['log', 'export'],
    ['restore', 'backup.db'],
  ]) {
    copyFileSync(join(folder, 'hub.db'), join(folder, 'backup.db'))
    expect(await linli(args, { folder })).toMatchObject({ code: 2, error: expect.stringContaining('in use') })
  }
  expect(await linli(['log', 'verify', 'nothing.db'], { folder })).toMatchObject({
    code: 2,
    error: expect.stringContaining('there is no log at'),
  })
})

test('everything comes out as a hub would give it, the gaps too; and only what is asked for', async () => {
  const folder = await folderWithLog()
  const store = await opened(folder)
  const read = (await readAll(store)).length
  await store.close()
  const { code, out } = await linli(['log', 'export'], { folder })
  expect(code).toBe(0)
  const events = lines(out)
  expect(events).toHaveLength(read)
  expect(events[0]).toMatchObject({ type: 'linli.log.gap', data: { fromSeq: 1, toSeq: 10, reason: 'evicted' } })
  expect(events.slice(1).map(({ linliseq }) => linliseq)).toEqual(Array.from({ length: 391 }, (_, n) => n + 11))
  const alarms = lines((await linli(['log', 'export', '--classes', 'alarm', '--after', '10'], { folder })).out)
  expect(alarms.map(({ type }) => type)).toEqual(['linli.fire.active'])
  const one = lines((await linli(['log', 'export', '--devices', 'gate', '--after', '10'], { folder })).out)
  expect(one).toHaveLength(1)
  expect(await linli(['log', 'export', '--classes', 'alarms'], { folder })).toMatchObject({
    code: 2,
    error: expect.stringContaining('there are telemetry, status, alarm, audit'),
  })
  expect((await linli(['log', 'export', '--after', 'x'], { folder })).code).toBe(2)
})

test('a damaged log gives what is whole, a new log of it, and that log is put in force under a new epoch', async () => {
  const folder = await folderWithLog()
  const before = await opened(folder)
  const { epoch } = before
  await before.close()
  const path = join(folder, 'hub.db')
  copyFileSync(path, join(folder, 'broken.db'))
  ruin(join(folder, 'broken.db'))
  const exported = lines((await linli(['log', 'export', 'broken.db'], { folder })).out)
  expect(exported.map(({ data }) => data.reason).filter((reason) => reason !== undefined)).toEqual([
    'evicted',
    'corrupt',
  ])

  expect(await linli(['restore', 'broken.db'], { folder })).toMatchObject({
    code: 2,
    error: expect.stringContaining('linli log salvage'),
  })
  const made = await linli(['log', 'salvage', 'broken.db', '--to', 'new.db'], { folder })
  expect([made.code, made.error]).toEqual([0, ''])
  expect(made.out).toMatch(/new\.db: \d+ events, \d+ places lost, ends at 401/)
  expect((await linli(['log', 'verify', 'new.db'], { folder })).code).toBe(0)
  expect((await linli(['log', 'salvage', 'broken.db', '--to', 'new.db'], { folder })).error).toContain('there already')

  const restored = await linli(['restore', 'new.db'], { folder })
  expect([restored.code, restored.error]).toEqual([0, ''])
  expect(readdirSync(folder).filter((name) => name.startsWith('hub.db.replaced-'))).toHaveLength(1)
  const store = await opened(folder)
  onTestFinished(() => store.close())
  expect(store.epoch).not.toBe(epoch)
  const words = (await readAll(store)).map(inWords)
  expect(words[0]).toBe('gap 1-10 evicted {"telemetry":10}')
  expect(words.some((word) => word.includes('corrupt'))).toBe(true)
  expect(words.filter((word) => word.includes('epoch-change')).length).toBeGreaterThan(0)
  expect(await store.cursor('upstream:city')).toEqual({ epoch: store.epoch, seq: 300 })
})

test('the log of another hub is not restored, nor the log onto itself', async () => {
  const folder = await folderWithLog()
  const other = await folderWithLog('hub-02')
  const { code, error } = await linli(['restore', join(other, 'hub.db')], { folder })
  expect([code, error]).toEqual([2, expect.stringContaining('is the log of hub-02, this is hub-01')])
  expect((await linli(['restore', 'hub.db'], { folder })).error).toContain('is the log itself')
  expect(existsSync(join(folder, 'hub.db'))).toBe(true)
})
