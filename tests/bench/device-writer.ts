import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { openOurs, openRaw } from './log-sides.ts'
import { readings } from './readings.ts'

/**
 * A program that commits on a disk of its own and says what reached that disk. It is started in a namespace of
 * mounts of its own, where the image of the disk is mounted: so the mount is gone when the program is, whatever ends it.
 *
 *     node tests/bench/device-writer.ts ours|rows FOLDER IMAGE
 *
 * It answers each message with one: first it warms up, and then each time makes so many commits.
 */
export interface DeviceTask {
  readonly commits: number
  /** Milliseconds between two commits; 0 for none. */
  readonly pauseMs: number
}

/** What the disk was told meanwhile, a commit. */
export interface DeviceRun {
  readonly bytesACommit: number
  readonly flushesACommit: number
}

const COMMIT_EVENTS = 20
/** Kernel documentation, block/stat: sectors are of 512 bytes whatever the disk has. */
const SECTOR_BYTES = 512
const SECTORS_WRITTEN = 6
const FLUSHES = 15

const [kind = '', folder = '', image = ''] = process.argv.slice(2)
const device = deviceUnder(folder)
// Mounted it lives on without a name, and nobody has to remove it.
rmSync(image)
const texts = readings(20_000).map((reading) => JSON.stringify(reading))
const commit = kind === 'ours' ? await commitOurs() : commitRows()
let committed = 0

process.on('disconnect', () => process.exit())
process.on('message', async ({ commits, pauseMs }: DeviceTask) => {
  const before = counters()
  for (let n = 0; n < commits; n++) {
    await commit((committed++ * COMMIT_EVENTS) % texts.length)
    if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs))
  }
  const after = counters()
  const run: DeviceRun = {
    bytesACommit: (after.bytes - before.bytes) / commits,
    flushesACommit: (after.flushes - before.flushes) / commits,
  }
  process.send?.(run)
})

async function commitOurs(): Promise<(from: number) => Promise<void>> {
  const ours = await openOurs(join(folder, 'ours.db'), COMMIT_EVENTS, COMMIT_EVENTS)
  return (from) => ours.run(COMMIT_EVENTS, (n) => texts[from + n] ?? '', 1)
}

function commitRows(): (from: number) => void {
  const rows = openRaw(join(folder, 'rows.db'))
  return (from) => rows.run(texts.slice(from, from + COMMIT_EVENTS), COMMIT_EVENTS)
}

/** The name of the block device that is mounted there. */
function deviceUnder(path: string): string {
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n')
  const found = mounts.map((line) => line.split(' ')).find(([, where]) => where === path)?.[0]
  if (found === undefined) throw new Error(`nothing is mounted at ${path}`)
  return found.replace('/dev/', '')
}

function counters(): { bytes: number; flushes: number } {
  const fields = readFileSync(`/sys/block/${device}/stat`, 'utf8').trim().split(/\s+/).map(Number)
  const [sectors, flushes] = [fields[SECTORS_WRITTEN], fields[FLUSHES]]
  if (sectors === undefined || flushes === undefined) {
    throw new Error(`/sys/block/${device}/stat tells no flushes: a kernel of at least 5.5 is wanted`)
  }
  return { bytes: sectors * SECTOR_BYTES, flushes }
}
