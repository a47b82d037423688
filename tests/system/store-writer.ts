import { writeSync } from 'node:fs'
import type { EventClass, NewEvent } from '../../gateway/contract/event.ts'
import { createClock } from '../../gateway/io/clock.ts'
import { createLog } from '../../gateway/io/log.ts'
import { openStore } from '../../gateway/store/open.ts'

/**
 * A program that fills a log until it is killed, and says on standard output, each word behind the deed:
 * `open EPOCH FIRST LAST`, `kept NUMBER FIRST LAST` for a batch that was acknowledged, `refused NUMBER CODE`,
 * `confirmed SEQ`, `trimmed SEQ`, `disturbed CODE` where one of these was refused, `closed`.
 *
 *     node tests/system/store-writer.ts DATABASE FIRST_NUMBER [BATCHES [MAX_BYTES]]
 *
 * With little room it copies its WAL into the database often.
 */
const [path = '', firstNumber = '0', batches = 'Infinity', maxBytes] = process.argv.slice(2)
const say = (line: string): void => void writeSync(1, `${line}\n`)

const clock = createClock()
const log = createLog('error', false)
const YEAR_MS = 365 * 24 * 3_600_000
const keepMs = { telemetry: YEAR_MS, status: YEAR_MS, alarm: YEAR_MS, audit: YEAR_MS }
const retention = maxBytes === undefined ? {} : { retention: { keepMs, maxBytes: Number(maxBytes), required: [] } }
const store = await openStore({ path, hub: 'hub-01', clock, log, gatherMs: 1, urgentMs: 1, ...retention })
say(`open ${store.epoch} ${store.firstSeq()} ${store.lastSeq()}`)

let number = Number(firstNumber)
const end = number + Number(batches)
await Promise.all([fill(1), fill(20), fill(70), keepHouse()])
await store.close()
say('closed')

async function fill(size: number): Promise<void> {
  while (number < end) {
    const mine = number++
    try {
      const { firstSeq, lastSeq } = await store.append(batchOf(mine, size))
      say(`kept ${mine} ${firstSeq} ${lastSeq}`)
    } catch (error) {
      say(`refused ${mine} ${(error as { code?: string }).code}`)
      await clock.sleep(20)
    }
  }
}

/** What consumers and retention do meanwhile. */
async function keepHouse(): Promise<void> {
  while (number < end) {
    await clock.sleep(15)
    const { epoch } = store
    const seq = store.lastSeq()
    try {
      await store.confirm('city', { epoch, seq })
      say(`confirmed ${seq}`)
      if (seq % 3 === 0) {
        await store.trim(seq - 2000)
        say(`trimmed ${seq - 2000}`)
      }
    } catch (error) {
      say(`disturbed ${(error as { code?: string }).code}`)
    }
  }
}

/** A batch by its number: the body says which one it is and where in it. */
function batchOf(batch: number, size: number): NewEvent[] {
  const classes: EventClass[] = ['telemetry', 'telemetry', 'telemetry', 'status', 'telemetry', 'alarm', 'audit']
  const name = size === 1 ? (classes[batch % classes.length] ?? 'telemetry') : 'telemetry'
  return Array.from({ length: size }, (_, n) => ({
    class: name,
    type: 'linli.test',
    source: `devices/meter-${n}`,
    privacy: 'public',
    monoMs: clock.monoMs(),
    wallMs: clock.wallMs(),
    clock: 'synced',
    body: JSON.stringify({ batch, n, power: { v: (batch * 31 + n * 7) % 3000, u: 'W' } }),
  }))
}
