import { copyFileSync, rmSync } from 'node:fs'
import { expect, test } from 'vitest'
import { directPort } from '../../../../gateway/store/direct-port.ts'
import { StoreTrouble } from '../../../../gateway/store/refusal.ts'
import type { StorePort } from '../../../../gateway/store/service.ts'
import { EpochChanged } from '../../../../gateway/store/store.ts'
import { startWorker } from '../../../../gateway/store/worker-port.ts'
import { newEvent, newEvents } from '../../../contract/memory-store.ts'
import { layHand, sqliteError } from '../../../simulation/sqlite-hand.ts'
import { breakingPort, inWords, readAll, storeRig } from './rig.ts'

const brokenDisk = (name: string, at: number, times = 1) =>
  breakingPort((called, count) =>
    called === name && count >= at && count < at + times ? new StoreTrouble('disk I/O error', 'io') : undefined,
  )

test('an error of the disk refuses what waits and what comes, until the file was opened anew', async () => {
  const rig = storeRig()
  const store = await rig.open({ port: brokenDisk('commit', 1) })
  await store.append(newEvents(3))
  const refused = expect.objectContaining({ reach: 'connection', code: 'store' })
  const calls = [store.append([newEvent()]), store.confirm('city', { epoch: store.epoch, seq: 2 })]
  expect(await Promise.allSettled(calls)).toEqual([
    { status: 'rejected', reason: refused },
    { status: 'rejected', reason: refused },
  ])
  await expect(store.append([newEvent()])).rejects.toEqual(refused)
  expect(store.figures().find(({ name }) => name === 'linli_log_failed')?.value).toBe(1)
  await expect(store.ping()).resolves.toBeUndefined()
  await rig.clock.advance(100)
  expect(store.figures().find(({ name }) => name === 'linli_log_failed')?.value).toBe(0)
  expect(await store.append([newEvent()])).toEqual({ firstSeq: 4, lastSeq: 4 })
  expect((await readAll(store)).map(inWords)).toEqual([1, 2, 3, 4].map((seq) => `${seq} telemetry`))
  expect(rig.lines.filter((line) => line.startsWith('error'))).toHaveLength(1)
})

test('what waits for its time is refused too, and at once: nobody hangs on a broken disk', async () => {
  const rig = storeRig()
  const answer = Promise.withResolvers<never>()
  const real = directPort()
  const port: StorePort = { call: (name, argument) => (name === 'commit' ? answer.promise : real.call(name, argument)) }
  const store = await rig.open({ port: () => port, gatherMs: 60_000 })
  const alarm = store.append([newEvent({ class: 'alarm' })])
  await rig.clock.advance(0)
  const reading = store.append([newEvent()])
  await rig.clock.advance(0)
  answer.reject(new StoreTrouble('disk I/O error', 'io'))
  await expect(alarm).rejects.toMatchObject({ code: 'store' })
  await expect(reading).rejects.toMatchObject({ code: 'store' })
})

test('a disk that stays away is asked again and again, less and less often', async () => {
  const rig = storeRig()
  let opens = 0
  const port = breakingPort((name, count) => {
    if (name === 'open') opens = count
    const broken = name === 'commit' ? count === 1 : name === 'open' && count >= 1 && count <= 9
    return broken ? new StoreTrouble('disk I/O error', 'io') : undefined
  })
  const store = await rig.open({ port })
  await store.append([newEvent()])
  await expect(store.append([newEvent()])).rejects.toThrow('disk I/O error')
  await rig.clock.advance(60_000)
  expect(opens).toBeLessThan(12)
  await rig.clock.advance(60_000)
  expect(await store.append([newEvent()])).toEqual({ firstSeq: 2, lastSeq: 2 })
})

test('a full disk refuses what is new and needs no opening', async () => {
  const rig = storeRig()
  let full = true
  const port = breakingPort((name) =>
    name === 'commit' && full ? new StoreTrouble('database or disk is full', 'full') : undefined,
  )
  const store = await rig.open({ port })
  await expect(store.append([newEvent()])).rejects.toMatchObject({
    code: 'store',
    hint: expect.stringContaining('full'),
  })
  full = false
  expect(await store.append([newEvent()])).toEqual({ firstSeq: 1, lastSeq: 1 })
  expect(rig.lines).toEqual([])
})

test('trouble while reading is trouble with the file: it is opened anew', async () => {
  const rig = storeRig()
  const store = await rig.open({ port: brokenDisk('read', 0) })
  await store.append(newEvents(3))
  await expect(readAll(store)).rejects.toMatchObject({ code: 'store' })
  await rig.clock.advance(100)
  expect(await readAll(store)).toHaveLength(3)
})

test('a file that came back without what was acknowledged is set aside: no place is given out twice', async () => {
  const rig = storeRig()
  const real = directPort()
  let commits = 0
  // The writer lets go of the file when the disk fails, as it does by itself.
  const failing: StorePort['call'] = async (name, argument) => {
    if (name !== 'commit' || ++commits !== 3) return real.call(name, argument)
    await real.call('close', undefined)
    throw new StoreTrouble('disk I/O error', 'io')
  }
  const store = await rig.open({ port: () => ({ call: failing }) })
  await store.append(newEvents(3))
  copyFileSync(rig.path, `${rig.path}.old`)
  copyFileSync(`${rig.path}-wal`, `${rig.path}.old-wal`)
  await store.append(newEvents(5))
  const before = store.epoch
  const waiting = store.beyond(8, new AbortController().signal)
  await expect(store.append([newEvent()])).rejects.toMatchObject({ code: 'store' })
  copyFileSync(`${rig.path}.old`, rig.path)
  copyFileSync(`${rig.path}.old-wal`, `${rig.path}-wal`)
  await rig.clock.advance(100)
  await waiting
  expect(store.epoch).not.toBe(before)
  await expect(store.read({ after: { epoch: before, seq: 8 }, limit: 1 })).rejects.toThrow(EpochChanged)
  expect((await readAll(store)).map(inWords)).toEqual([
    '1 telemetry',
    '2 telemetry',
    '3 telemetry',
    'gap 4-8 corrupt {"telemetry":5,"status":5,"alarm":5,"audit":5}',
    'gap 9-9 epoch-change {}',
    '10 alarm',
    '11 audit',
  ])
  expect(await store.append([newEvent()])).toEqual({ firstSeq: 12, lastSeq: 12 })
})

test('a deleted file is no continuation either', async () => {
  const rig = storeRig()
  const store = await rig.open({ port: brokenDisk('commit', 1) })
  await store.append(newEvents(3))
  const before = store.epoch
  rmSync(rig.path)
  rmSync(`${rig.path}-wal`)
  await expect(store.append([newEvent()])).rejects.toMatchObject({ code: 'store' })
  await rig.clock.advance(100)
  expect(store.epoch).not.toBe(before)
  expect((await readAll(store)).map(inWords)).toEqual(['gap 1-1 epoch-change {}', '2 alarm', '3 audit'])
})

test('an opening that the disk fails takes nothing away: the next one goes on in the same epoch', async () => {
  const rig = storeRig()
  const store = await rig.open()
  await store.append(newEvents(3))
  const path = rig.copied('crashed.db')
  layHand({
    statement({ source }, run) {
      if (source.startsWith('INSERT INTO boot')) throw sqliteError('SQLITE_IOERR_WRITE', 'disk I/O error')
      return run()
    },
  })
  try {
    await expect(rig.open({ path })).rejects.toMatchObject({ reach: 'connection', code: 'store' })
  } finally {
    layHand(undefined)
  }
  const again = await rig.open({ path })
  expect(again.epoch).toBe(store.epoch)
  expect((await readAll(again)).map(inWords)).toEqual([1, 2, 3].map((seq) => `${seq} telemetry`))
})

test('a writer that is closed does nothing before it was opened anew', async () => {
  const rig = storeRig()
  const port = directPort()
  const open = {
    file: { path: rig.path, hub: 'h' },
    opening: { wallMs: 0, monoUs: 0, clock: 'never', machine: { id: '', uptimeS: 0 } },
  } as const
  await port.call('open', open)
  const rows = Float64Array.of(0, 0, 0, 0, 2)
  const streams = [{ class: 'telemetry', type: 't', source: '', privacy: 'public', clock: 'never' }] as const
  const commit = () =>
    port.call('commit', { parcels: [{ rows: rows.slice(), text: '{}' }], streams: [], restart: false, confirms: [] })
  await port.call('commit', { parcels: [{ rows: rows.slice(), text: '{}' }], streams, restart: true, confirms: [] })
  await port.call('close', undefined)
  await expect(commit()).rejects.toMatchObject({ trouble: 'io', message: expect.stringContaining('closed') })
  await port.call('open', open)
  expect(await commit()).toMatchObject({ firstSeq: 2 })
  await port.call('close', undefined)
})

test('a bug ends the store, and the process with it', async () => {
  const rig = storeRig()
  const store = await rig.open({ port: breakingPort((name) => (name === 'commit' ? new Error('a bug') : undefined)) })
  const waiting = store.beyond(0, new AbortController().signal)
  await expect(store.append([newEvent()])).rejects.toThrow('a bug')
  await expect(store.failed).rejects.toThrow('come to its end: a bug')
  await expect(waiting).rejects.toThrow('come to its end')
  await expect(store.append([newEvent()])).rejects.toMatchObject({ code: 'store' })
})

test('a dead thread ends the store', async () => {
  const rig = storeRig()
  let die: (reason: Error) => void = () => {}
  const store = await rig.open({
    port: (died) => {
      die = died
      return directPort()
    },
  })
  await store.append([newEvent()])
  die(new Error('the thread of the log has ended (1)'))
  await expect(store.failed).rejects.toThrow('has ended (1)')
  await expect(store.append([newEvent()])).rejects.toMatchObject({ code: 'store' })
})

test('the thread answers bugs as bugs, with the stack of its own side, and ends when told to', async () => {
  const port: StorePort = startWorker((reason) => {
    throw reason
  })
  const error = await port.call('no such call' as 'ping', undefined).catch((reason) => reason)
  expect(error).toBeInstanceOf(Error)
  expect(error.stack).toContain('service.ts')
  await expect(port.call('close', undefined)).resolves.toBeUndefined()
  await expect(port.call('ping', undefined)).rejects.toThrow()
})

test('a batch or a body beyond measure is refused, and nothing else is', async () => {
  const rig = storeRig()
  const store = await rig.open()
  await expect(store.append(newEvents(10_001))).rejects.toThrow(RangeError)
  await expect(store.append([newEvent({ body: 'x'.repeat(1024 * 1024 + 1) })])).rejects.toThrow(RangeError)
  expect(await store.append(newEvents(10_000))).toEqual({ firstSeq: 1, lastSeq: 10_000 })
})

test('closing waits for what was handed over and refuses what comes later', async () => {
  const rig = storeRig()
  const store = await rig.open({ gatherMs: 60_000 })
  const late = store.append(newEvents(3))
  const closing = store.close()
  const refused = store.append([newEvent()]).catch((error) => error)
  expect(await late).toEqual({ firstSeq: 1, lastSeq: 3 })
  await closing
  expect(await refused).toMatchObject({ code: 'store' })
  expect((await rig.open()).lastSeq()).toBe(3)
})

test('the signal closes the log', async () => {
  const rig = storeRig()
  const ending = new AbortController()
  const store = await rig.open({ signal: ending.signal })
  await store.append(newEvents(3))
  ending.abort()
  await expect(store.append([newEvent()])).rejects.toMatchObject({ code: 'store' })
  await store.close()
  expect((await rig.open()).lastSeq()).toBe(3)
})
