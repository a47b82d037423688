import { openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import type { NewEvent } from '../../../gateway/contract/event.ts'
import { isFault } from '../../../gateway/contract/fault.ts'
import { createClock } from '../../../gateway/io/clock.ts'
import { createLog } from '../../../gateway/io/log.ts'
import { openStore } from '../../../gateway/store/open.ts'
import { seededRandom } from '../../../hardware-sim/random.ts'

/**
 * The process whose writes are recorded: it appends, confirms and trims, and notes in `acks` what it was told is
 * durable. `writer.ts FOLDER SEED BATCHES store|full|normal`; with `full` the log has little room, so that it thins and
 * evicts; `normal` is the control, SQLite at synchronous=NORMAL.
 */

const [folder = '', seed = '1', batches = '100', kind = 'store'] = process.argv.slice(2)
const random = seededRandom(Number(seed))
const acks = openSync(join(folder, 'acks'), 'a')
const note = (line: object): void => void writeSync(acks, `${JSON.stringify(line)}\n`)

let lastNumber = 0

function event(alarm: boolean): NewEvent {
  lastNumber += 1
  return {
    class: alarm ? 'alarm' : 'telemetry',
    type: alarm ? 'test.alarm' : 'test.reading',
    source: `devices/meter-${lastNumber % 7}`,
    privacy: 'public',
    monoMs: lastNumber,
    wallMs: 1_790_000_000_000 + lastNumber,
    clock: 'synced',
    body: JSON.stringify({ n: lastNumber, pad: 'x'.repeat(Math.floor(random.next() * 300)) }),
  }
}

/** A reading of two hours ago that can be summed up, or an alarm; a second later than the one before. */
function reading(alarm: boolean): NewEvent {
  const { source, ...rest } = event(alarm)
  const pad = Array.from({ length: 10 }, () => random.next().toString(36)).join('')
  const body = { points: { n: { v: lastNumber } }, quality: 'good' }
  return {
    ...rest,
    source,
    monoMs: lastNumber * 1000 - 100_000_000,
    wallMs: 1_790_000_000_000 + lastNumber * 1000,
    body: JSON.stringify(random.next() < 0.5 ? body : { ...body, pad }),
  }
}

const YEAR_MS = 365 * 24 * 3_600_000
const FULL = {
  keepMs: { telemetry: YEAR_MS, status: YEAR_MS, alarm: YEAR_MS, audit: YEAR_MS },
  maxBytes: 500_000,
  required: [],
}

async function throughTheStore(full: boolean): Promise<void> {
  const log = createLog('error', false)
  const store = await openStore({
    path: join(folder, 'hub.db'),
    hub: 'hub-01',
    clock: createClock(),
    log,
    gatherMs: 0,
    urgentMs: 0,
    ...(full ? { retention: FULL } : {}),
  })
  for (let batch = 0; batch < Number(batches); batch++) {
    const events = Array.from({ length: 1 + Math.floor(random.next() * 20) }, () =>
      (full ? reading : event)(random.next() < 0.1),
    )
    const firstNumber = lastNumber - events.length + 1
    const kept = await store.append(events).catch(noDisk)
    if (kept === undefined) continue
    const { firstSeq, lastSeq } = kept
    note({ epoch: store.epoch, firstSeq, lastSeq, firstNumber })
    const position = { epoch: store.epoch, seq: lastSeq - 1 }
    if (random.next() < 0.2) {
      const confirmed = await store.confirm('city', position).catch(noDisk)
      if (confirmed !== undefined) note({ confirmed: confirmed.seq })
    }
    if (!full && random.next() < 0.05) {
      note({ trimming: lastSeq - 100 })
      await store.trim(Math.max(0, lastSeq - 100)).catch(noDisk)
    }
  }
  await store.close()
}

/** Refused while the disk fails: so nothing was acknowledged. A moment later it may be well again. */
async function noDisk(error: unknown): Promise<undefined> {
  if (!isFault(error)) throw error
  note({ refused: error.message })
  await new Promise((resolve) => setTimeout(resolve, 150))
}

function control(): void {
  const db = new Database(join(folder, 'hub.db'))
  db.pragma('journal_mode=WAL')
  db.pragma('synchronous=NORMAL')
  db.exec('CREATE TABLE event (seq INTEGER PRIMARY KEY, body TEXT)')
  const insert = db.prepare('INSERT INTO event VALUES (?, ?)')
  for (let batch = 0; batch < Number(batches); batch++) {
    const { body } = event(false)
    insert.run(lastNumber, body)
    note({ epoch: '', firstSeq: lastNumber, lastSeq: lastNumber, firstNumber: lastNumber })
  }
}

if (kind !== 'normal') await throughTheStore(kind === 'full')
else control()
