import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import type { NewEvent, StoredEvent } from '../../../gateway/contract/event.ts'
import { createLog } from '../../../gateway/io/log.ts'
import { directPort } from '../../../gateway/store/direct-port.ts'
import { openStore } from '../../../gateway/store/open.ts'
import type { OpenedStore } from '../../../gateway/store/opened-store.ts'
import { VirtualClock } from '../../../hardware-sim/clock.ts'
import { needsRoot } from '../needs.ts'
import { eventNumber, HUB, readAll } from './log-in-a-folder.ts'

const DISK_BYTES = 32_000_000
/** Less than the log may take. */
const SMALL_DISK_BYTES = 8_000_000
const MINUTE_MS = 60_000
const YEAR_MS = 365 * 24 * 3_600_000
const retention = {
  keepMs: { telemetry: YEAR_MS, status: YEAR_MS, alarm: YEAR_MS, audit: YEAR_MS },
  maxBytes: 16_000_000,
  required: [],
}

const ends: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

/** A small disk of its own, in memory: it is full when it is full. */
function smallDisk(bytes = DISK_BYTES): string {
  const folder = mkdtempSync(join(tmpdir(), 'linli-disk-'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', folder])
  ends.push(() => {
    execFileSync('umount', [folder])
    rmSync(folder, { recursive: true })
  })
  return folder
}

async function openOn(folder: string, clock: VirtualClock): Promise<OpenedStore> {
  const log = createLog('error', false, () => undefined)
  const path = join(folder, 'hub.db')
  const waits = { gatherMs: 0, urgentMs: 0, tailEvents: 0 }
  const store = await openStore({ path, hub: HUB, clock, log, ...waits, retention, port: () => directPort() })
  ends.push(() => store.close())
  return store
}

/** Somebody else takes all there is. */
function fill(folder: string): () => void {
  const file = join(folder, 'somebody-else')
  const { bavail, bsize } = statfsSync(folder)
  writeFileSync(file, Buffer.alloc(bavail * bsize, 1))
  return () => rmSync(file)
}

async function diskStates(store: OpenedStore): Promise<string[]> {
  return (await diskAlarms(store)).map(({ state }) => state)
}

async function diskAlarms(store: OpenedStore): Promise<{ before: string; state: string }[]> {
  const events = (await readAll(store)).filter((entry): entry is StoredEvent => entry.kind === 'event')
  return events.filter(({ type }) => type === 'linli.log.disk').map(({ body }) => JSON.parse(body))
}

function batch(from: number): NewEvent[] {
  return Array.from({ length: 100 }, (_, n) => ({ ...eventNumber(from + n), class: 'telemetry' }))
}

test(
  'somebody else fills the disk: the ballast gives way, alarms and readings go on, and it comes back',
  needsRoot('mount'),
  async () => {
    const folder = smallDisk()
    const ballast = join(folder, 'hub.db-ballast')
    const clock = new VirtualClock()
    const store = await openOn(folder, clock)
    await store.append(batch(1))
    await clock.advance(2 * MINUTE_MS)
    expect(statSync(ballast)).toMatchObject({ size: 2_000_000 })
    expect(statSync(ballast).blocks * 512).toBeGreaterThanOrEqual(2_000_000)

    const giveBack = fill(folder)
    let acknowledged = 100
    for (let round = 0; round < 600; round++) {
      await store.append(batch(acknowledged + 1))
      acknowledged += 100
      await clock.advance(0)
    }
    expect(existsSync(ballast)).toBe(false)
    expect(await diskStates(store)).toEqual(['full'])
    const held = (await readAll(store)).filter((entry) => entry.kind === 'event').length
    expect(held).toBeGreaterThan(1000)

    giveBack()
    await clock.advance(2 * MINUTE_MS)
    expect(await diskStates(store)).toEqual(['full', 'well'])
    expect(statSync(ballast).size).toBe(2_000_000)
    await store.append(batch(acknowledged + 1))
  },
)

test(
  'a hub that starts on a full disk gets its log open with the room of the ballast',
  needsRoot('mount'),
  async () => {
    const folder = smallDisk()
    const clock = new VirtualClock()
    const first = await openOn(folder, clock)
    await first.append(batch(1))
    await clock.advance(2 * MINUTE_MS)
    await first.close()
    fill(folder)
    const store = await openOn(folder, clock)
    expect(store.lastSeq()).toBe(100)
    await store.append(batch(101))
    await clock.advance(MINUTE_MS)
    expect(await diskStates(store)).toEqual(['full'])
  },
)

test('a disk that is smaller than the settings think: the log keeps to what there is', needsRoot('mount'), async () => {
  const folder = smallDisk(SMALL_DISK_BYTES)
  const clock = new VirtualClock()
  const store = await openOn(folder, clock)
  await clock.advance(2 * MINUTE_MS)
  for (let round = 0; round < 1000; round++) {
    const body = JSON.stringify(randomBytes(7500).toString('base64'))
    await store.append([{ ...eventNumber(1), class: 'telemetry', body }])
    await clock.advance(0)
  }
  expect(await diskStates(store)).toEqual(['almost-full'])
  const { bavail, bsize } = statfsSync(folder)
  expect(bavail * bsize).toBeGreaterThan(SMALL_DISK_BYTES / 20)
  expect((await readAll(store))[0]).toMatchObject({ kind: 'gap', fromSeq: 1 })
})

test(
  'full before there was a ballast: what comes is refused, and taken again as soon as there is room',
  needsRoot('mount'),
  async () => {
    const folder = smallDisk()
    const clock = new VirtualClock()
    const store = await openOn(folder, clock)
    for (let from = 1; from < 20_000; from += 100) await store.append(batch(from))
    const giveBack = fill(folder)
    const refusals: unknown[] = []
    for (let from = 20_001; from < 40_000; from += 100) {
      await store.append(batch(from)).catch((error) => refusals.push(error))
      await clock.advance(0)
    }
    expect(refusals.length).toBeGreaterThan(0)
    for (const refusal of refusals)
      expect(refusal).toMatchObject({ code: 'store', hint: expect.stringContaining('full') })
    await clock.advance(2 * MINUTE_MS)
    giveBack()
    await clock.advance(2 * MINUTE_MS)
    await store.append(batch(40_001))
    // There may have been no room for the alarm itself: then the one that all is well tells what was before it.
    const told = (await diskAlarms(store)).flatMap(({ before, state }) => [before, state])
    expect(told).toContain('full')
    expect(told.at(-1)).toBe('well')
  },
)
