import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { seededRandom } from '../../../hardware-sim/random.ts'
import {
  copyOf,
  crashedLog,
  eventNumber,
  openHere,
  readThroughDamage,
  remove,
  writtenLog,
  wrongWith,
} from './log-in-a-folder.ts'

export interface FlipVerdict {
  readonly flips: number
  /** The log went on in its epoch and every event was whole. */
  readonly harmless: number
  /** The log went on; some events were gone, and a gap said so. */
  readonly gaps: number
  /** The file was set aside and a new epoch begun. */
  readonly newEpochs: number
  readonly wrong: readonly string[]
}

const EVENTS = 400
/** Nothing tells the last commits of a WAL, when they are damaged, from one that the power cut, of which nobody was told. */
const LAST_COMMITS_EVENTS = 20

/**
 * Turn one bit of a log's file, open it as after a start, read everything, append; so many times.
 * @param end of the name of the file: the database of a log that was closed, or the WAL of one that was killed
 */
export async function turnBits(flips: number, seed: number, end: '' | '-wal' = ''): Promise<FlipVerdict> {
  const random = seededRandom(seed)
  const { folder, epoch } = await (end === '' ? writtenLog : crashedLog)(EVENTS)
  const proven = end === '' ? EVENTS : EVENTS - LAST_COMMITS_EVENTS
  const whole = readFileSync(join(folder, `hub.db${end}`))
  const verdict = { flips, harmless: 0, gaps: 0, newEpochs: 0, wrong: [] as string[] }
  for (let flip = 0; flip < flips; flip++) {
    const copy = copyOf(folder)
    const bytes = Buffer.from(whole)
    const at = Math.floor(random.next() * bytes.length)
    const bit = Math.floor(random.next() * 8)
    bytes[at] = bytes[at]! ^ (1 << bit)
    writeFileSync(join(copy, `hub.db${end}`), bytes)
    const { outcome, wrong } = await look(copy, epoch, proven)
    verdict[outcome] += 1
    verdict.wrong.push(...wrong.map((text) => `byte ${at} bit ${bit}: ${text}`))
    remove(copy)
  }
  remove(folder)
  return verdict
}

async function look(
  folder: string,
  wroteEpoch: string,
  proven: number,
): Promise<{ outcome: 'harmless' | 'gaps' | 'newEpochs'; wrong: string[] }> {
  const store = await openHere(folder)
  try {
    const entries = await readThroughDamage(store)
    const wrong = wrongWith(entries, store.lastSeq(), store.epoch, wroteEpoch)
    if (store.epoch === wroteEpoch && store.lastSeq() < proven)
      wrong.push(`ends at ${store.lastSeq()} in the same epoch`)
    const { firstSeq } = await store.append([eventNumber(EVENTS + 1)])
    if (store.epoch === wroteEpoch && firstSeq <= proven) wrong.push(`place ${firstSeq} was given out twice`)
    const outcome =
      store.epoch !== wroteEpoch ? 'newEpochs' : entries.some(({ kind }) => kind === 'gap') ? 'gaps' : 'harmless'
    return { outcome, wrong }
  } finally {
    await store.close()
  }
}
