import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Entry, NewEvent } from '../../../gateway/contract/event.ts'
import { isFault } from '../../../gateway/contract/fault.ts'
import { createClock } from '../../../gateway/io/clock.ts'
import { createLog } from '../../../gateway/io/log.ts'
import { directPort } from '../../../gateway/store/direct-port.ts'
import { openStore } from '../../../gateway/store/open.ts'
import type { OpenedStore } from '../../../gateway/store/opened-store.ts'
import { EpochChanged, type Position } from '../../../gateway/store/store.ts'

export const HUB = 'hub-01'

/** A store in this process and this thread, on a real file. */
export function openHere(folder: string): Promise<OpenedStore> {
  const log = createLog('error', false, () => undefined)
  const path = join(folder, 'hub.db')
  return openStore({ path, hub: HUB, clock: createClock(), log, gatherMs: 0, urgentMs: 0, port: () => directPort() })
}

/** The n-th event of a run: what it holds follows from its number, so whoever reads it knows whether it is whole. */
export function eventNumber(n: number): NewEvent {
  return {
    class: n % 10 === 0 ? 'alarm' : 'telemetry',
    type: n % 10 === 0 ? 'test.alarm' : 'test.reading',
    source: `devices/meter-${n % 7}`,
    privacy: n % 3 === 0 ? 'personal' : 'public',
    monoMs: n,
    wallMs: 1_790_000_000_000 + n,
    clock: 'synced',
    body: JSON.stringify({ n, points: { power: { v: (n * 7919) % 5000, u: 'W' } }, pad: 'x'.repeat(n % 50) }),
  }
}

/** Everything that a consumer reads who was at `after`. */
export async function readAll(store: OpenedStore, after: Position = { epoch: store.epoch, seq: 0 }): Promise<Entry[]> {
  const entries: Entry[] = []
  for (let at = after, more = true; more; ) {
    const page = await store.read({ after: at, limit: 5000 })
    entries.push(...page.entries)
    at = page.next
    more = page.more
  }
  return entries
}

/** The same of a log that may find out only now that it is damaged: it is closed, opened anew, and read again. */
export async function readThroughDamage(store: OpenedStore): Promise<Entry[]> {
  for (let tries = 1; ; tries++) {
    try {
      return await readAll(store)
    } catch (error) {
      if (tries > 100 || !(isFault(error) || error instanceof EpochChanged)) throw error
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}

/** A closed log with so many events in batches of ten; the caller removes the folder. */
export async function writtenLog(events: number): Promise<{ readonly folder: string; readonly epoch: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'linli-log-'))
  const store = await openHere(folder)
  for (let n = 1; n <= events; n += 10) {
    await store.append(Array.from({ length: Math.min(10, events - n + 1) }, (_, i) => eventNumber(n + i)))
  }
  const { epoch } = store
  await store.close()
  return { folder, epoch }
}

/** The same, killed: all of it still in the WAL. */
export async function crashedLog(events: number): Promise<{ readonly folder: string; readonly epoch: string }> {
  const { folder: began, epoch } = await writtenLog(0)
  const store = await openHere(began)
  for (let n = 1; n <= events; n += 10) {
    await store.append(Array.from({ length: Math.min(10, events - n + 1) }, (_, i) => eventNumber(n + i)))
  }
  const folder = copyOf(began)
  await store.close()
  remove(began)
  return { folder, epoch }
}

/** The same folder once more, to be damaged. */
export function copyOf(folder: string): string {
  const copy = mkdtempSync(join(tmpdir(), 'linli-log-'))
  cpSync(folder, copy, { recursive: true })
  return copy
}

export function remove(...folders: readonly string[]): void {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
}

/**
 * L2, L4 and L5 after damage: what is read is what was written at that place, also in a new epoch, and what is missing
 * is told.
 * @returns what is wrong, in words; empty when nothing is
 */
export function wrongWith(entries: readonly Entry[], lastSeq: number, epoch: string, wroteEpoch: string): string[] {
  const wrong: string[] = []
  const there = new Set<number>()
  const told = new Set<number>()
  for (const entry of entries) {
    if (entry.kind === 'gap') {
      for (let seq = entry.fromSeq; seq <= entry.toSeq; seq++) told.add(seq)
    } else {
      there.add(entry.seq)
      // In a new epoch stand what was salvaged, at its place, and what the log says of itself.
      if (epoch !== wroteEpoch && entry.type.startsWith('linli.log.')) continue
      const expected = eventNumber(entry.seq)
      for (const name of ['body', 'type', 'source', 'class', 'privacy', 'wallMs'] as const) {
        if (entry[name] !== expected[name]) wrong.push(`${name} at ${entry.seq} is ${entry[name]}`)
      }
    }
  }
  for (let seq = 1; seq <= lastSeq; seq++) if (!there.has(seq) && !told.has(seq)) wrong.push(`silent hole at ${seq}`)
  return wrong.slice(0, 3)
}
