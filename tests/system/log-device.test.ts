import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { shippedSqlite } from '../bench/compiled-sqlite.ts'
import { DeviceWriter } from '../bench/log-device.ts'
import { eventually } from './eventually.ts'
import { needsRoot } from './needs.ts'

const TOOLS = needsRoot('mkfs.ext4', 'mount', 'unshare')
const COMMITS = 50
let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'linli-device-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

test(
  'what commits cost the block device is counted: each reaches it, with less of it than one row an event',
  TOOLS,
  async () => {
    const writers: DeviceWriter[] = []
    try {
      for (const kind of ['ours', 'rows'] as const)
        writers.push(await DeviceWriter.start(folder, kind, shippedSqlite()))
      const runs = []
      for (const writer of writers) {
        await writer.run({ commits: COMMITS, pauseMs: 0 })
        runs.push(await writer.run({ commits: COMMITS, pauseMs: 5 }))
      }
      const [ours, rows] = runs
      for (const run of runs) expect(run.flushesACommit).toBeGreaterThanOrEqual(1)
      // A commit is a page of the WAL at least.
      expect(ours!.bytesACommit).toBeGreaterThan(4096)
      expect(rows!.bytesACommit).toBeGreaterThan(ours!.bytesACommit)
    } finally {
      for (const writer of writers) await writer.end()
    }
    expect(readdirSync(folder)).toEqual([])
  },
)

test('nothing stays mounted and no loop device stays taken when the program is killed', TOOLS, async () => {
  const writer = await DeviceWriter.start(folder, 'ours', shippedSqlite())
  await writer.run({ commits: 1, pauseMs: 0 })
  expect(imagesInUse()).toHaveLength(1)
  process.kill(writer.pid, 'SIGKILL')
  await writer.end()
  await eventually(() => imagesInUse().length === 0, 10_000, 'the loop device is free again')
  expect(readFileSync('/proc/self/mounts', 'utf8')).not.toContain(folder)
})

/** Images of this test that loop devices hold. */
function imagesInUse(): readonly string[] {
  return readdirSync('/sys/block')
    .map((name) => `/sys/block/${name}/loop/backing_file`)
    .filter((file) => existsSync(file))
    .map((file) => readFileSync(file, 'utf8'))
    .filter((image) => image.startsWith(folder))
}
