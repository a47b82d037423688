import { copyFileSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createClock } from '../../../gateway/io/clock.ts'
import { createLog } from '../../../gateway/io/log.ts'
import { directPort } from '../../../gateway/store/direct-port.ts'
import { openStore } from '../../../gateway/store/open.ts'
import { copyOf, eventNumber, HUB, openHere, readThroughDamage, remove, wrongWith } from './log-in-a-folder.ts'

const ROUNDS = 12

/**
 * A card that says it is done and forgets: under the WAL of now lies the database as it was before the last time that the WAL
 * was copied into it. All its pages are whole, and of two times.
 */
async function forgetfulLog(round: number): Promise<{ folder: string; epoch: string; lastSeq: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'linli-log-'))
  const port = directPort()
  const clock = createClock()
  const log = createLog('error', false)
  const path = join(folder, 'hub.db')
  const store = await openStore({ path, hub: HUB, clock, log, gatherMs: 0, urgentMs: 0, port: () => port })
  const fill = async (batches: number): Promise<void> => {
    for (let n = 0; n < batches; n++) {
      const next = store.lastSeq() + 1
      const size = [1, 20, 70][(n + round) % 3] ?? 1
      await store.append(Array.from({ length: size }, (_, i) => eventNumber(next + i)))
    }
  }
  await fill(20 + 7 * round)
  await port.call('checkpoint', undefined)
  const before = copyOf(folder)
  await fill(5 + 11 * round)
  if (round % 2 === 1) await store.trim(store.lastSeq() - 300)
  await port.call('checkpoint', undefined)
  await fill(1 + (round % 8))
  if (round % 4 === 3) await store.trim(store.lastSeq() - 200)
  const found = copyOf(folder)
  copyFileSync(join(before, 'hub.db'), join(found, 'hub.db'))
  const { epoch } = store
  const lastSeq = store.lastSeq()
  await store.close()
  remove(folder, before)
  return { folder: found, epoch, lastSeq }
}

test('the database under a WAL is an older one: what is missing is told, in order, and no place is given twice', async () => {
  const wrong: string[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const { folder, epoch, lastSeq } = await forgetfulLog(round)
    const store = await openHere(folder)
    const entries = await readThroughDamage(store)
    const told = wrongWith(entries, lastSeq, store.epoch, epoch)
    let place = 0
    for (const entry of entries) {
      const [from, to] = entry.kind === 'event' ? [entry.seq, entry.seq] : [entry.fromSeq, entry.toSeq]
      if (from !== place + 1) told.push(`${from} follows ${place}`)
      place = to
    }
    if (store.lastSeq() < lastSeq) told.push(`it ends at ${store.lastSeq()}, not ${lastSeq}`)
    if (told.length > 0) wrong.push(`round ${round}: ${told.slice(0, 3).join(', ')}`)
    await store.close()
    remove(folder)
  }
  expect(wrong).toEqual([])
}, 120_000)
