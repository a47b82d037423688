import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { pathOf } from '../system/needs.ts'
import { compiledSqlite, shippedSqlite } from './compiled-sqlite.ts'
import type { DeviceRun, DeviceTask } from './device-writer.ts'
import { type BenchFigure, figureOfPairs, type Measured, notMeasured, ratioAtMost, valueAtMost } from './figure.ts'

/**
 * What a commit of 20 readings costs the card: bytes and flushes that the block device is told, journal of the file
 * system and copying of the WAL included, which `write_bytes` of a process does not see. Ours and one row an event
 * each have an ext4 image of their own and run at the same time: it is counted, not timed.
 */
const IMAGE_BYTES = 512 * 1024 * 1024
/** Until the WAL was copied at least once on either side, and is a file that is written over. */
const WARM: DeviceTask = { commits: 2000, pauseMs: 0 }
/** So far apart that no two commits become one on their way to the disk; with a copying of the WAL in each window. */
const WINDOW: DeviceTask = { commits: 1200, pauseMs: 25 }
const WINDOWS = 5

/** What is called, and the Debian package that brings it. */
const TOOLS = { 'mkfs.ext4': 'e2fsprogs', mount: 'mount', unshare: 'util-linux' }
const COMPILER = { 'c++': 'g++', make: 'make', python3: 'python3' }

const COMPILED = 'npm run build:sqlite'
const FIGURES = {
  device: {
    name: 'log.device_bytes',
    unit: 'bytes',
    goal: ratioAtMost(0.65),
    note: `bytes to the block device (ext4) a commit of 20 readings; beside one row an event, both with better-sqlite3 of ${COMPILED}`,
  },
  flushes: {
    name: 'log.flushes',
    unit: 'flushes',
    goal: valueAtMost(1.1),
    note: `flushes of the block device a commit of 20 readings; beside one row an event, both with better-sqlite3 of ${COMPILED}`,
  },
  shippedDevice: {
    name: 'log.device_bytes.shipped',
    unit: 'bytes',
    goal: ratioAtMost(0.65),
    note: 'the same bytes, both with the binary that better-sqlite3 brings, which has none of those flags',
  },
  shippedFlushes: {
    name: 'log.flushes.shipped',
    unit: 'flushes',
    goal: null,
    note: 'the same flushes, both with the binary that better-sqlite3 brings',
  },
} satisfies Record<string, Measured>

export async function deviceFigures(folder: string): Promise<readonly BenchFigure[]> {
  const compile = (): Promise<string> => {
    checkTools(COMPILER)
    return compiledSqlite()
  }
  const compiled = await sides(folder, compile, [FIGURES.device, FIGURES.flushes])
  const shipped = await sides(folder, async () => shippedSqlite(), [FIGURES.shippedDevice, FIGURES.shippedFlushes])
  return [...compiled, ...shipped]
}

/** Both sides with one build of SQLite: bytes and flushes. */
async function sides(
  folder: string,
  build: () => Promise<string>,
  [bytes, flushes]: readonly [Measured, Measured],
): Promise<readonly BenchFigure[]> {
  const writers: DeviceWriter[] = []
  try {
    if (process.getuid?.() !== 0) throw new Error('only root can mount an image: sudo npm run bench -- log')
    checkTools(TOOLS)
    const binding = await build()
    for (const kind of ['ours', 'rows'] as const) writers.push(await DeviceWriter.start(folder, kind, binding))
    const both = (task: DeviceTask): Promise<DeviceRun[]> => Promise.all(writers.map((writer) => writer.run(task)))
    await both(WARM)
    const runs: DeviceRun[][] = []
    for (let window = 0; window < WINDOWS; window++) runs.push(await both(WINDOW))
    const pairs = (of: keyof DeviceRun) => runs.map(([ours, rows]) => ({ value: ours![of], baseline: rows![of] }))
    return [figureOfPairs(bytes, pairs('bytesACommit')), figureOfPairs(flushes, pairs('flushesACommit'))]
  } catch (error) {
    // What this machine lacks is not known beforehand: whatever it is, it is told, and the figure is not kept.
    const why = error instanceof Error ? error.message.trim() : String(error)
    return [notMeasured(bytes, why), notMeasured(flushes, why)]
  } finally {
    await Promise.all(writers.map((writer) => writer.end()))
  }
}

function checkTools(tools: Readonly<Record<string, string>>): void {
  const missing = Object.entries(tools).filter(([tool]) => pathOf(tool) === undefined)
  if (missing.length === 0) return
  const [names, packages] = [missing.map(([tool]) => tool), missing.map(([, name]) => name)]
  throw new Error(`${names.join(', ')}: not installed; apt-get install ${packages.join(' ')}`)
}

/** One side: a process of its own with a disk of its own, which is gone when the process is. */
export class DeviceWriter {
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown>
  readonly folder: string

  private constructor(child: ChildProcess, folder: string) {
    this.#child = child
    this.folder = folder
    this.#ended = once(child, 'exit')
  }

  get pid(): number {
    return this.#child.pid!
  }

  /** @param binding the better_sqlite3.node that it uses */
  static async start(folder: string, kind: 'ours' | 'rows', binding: string): Promise<DeviceWriter> {
    const own = mkdtempSync(join(folder, `${kind}-`))
    const [image, disk] = [join(own, 'image'), join(own, 'disk')]
    writeFileSync(image, '')
    truncateSync(image, IMAGE_BYTES)
    mkdirSync(disk)
    // Nothing is left to be written later, when we count.
    await promisify(execFile)(pathOf('mkfs.ext4') ?? 'mkfs.ext4', [
      '-q',
      '-E',
      'lazy_itable_init=0,lazy_journal_init=0',
      image,
    ])
    const program = [
      ['--propagation', 'private', '--mount', 'sh', '-c'],
      ['mount -o loop,noatime "$1" "$2" && shift 2 && exec "$@"', 'sh', image, disk],
      [process.execPath, '--import', join(import.meta.dirname, 'sqlite-binding.ts')],
      [join(import.meta.dirname, 'device-writer.ts'), kind, disk, image],
    ]
    const child = spawn('unshare', program.flat(), {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      env: { ...process.env, LINLI_SQLITE_BINDING: binding },
    })
    return new DeviceWriter(child, own)
  }

  async run(task: DeviceTask): Promise<DeviceRun> {
    const dies = this.#ended.then(() => {
      throw new Error('the program that writes on an image of its own has ended; what it said stands above')
    })
    this.#child.send(task)
    const [run] = await Promise.race([once(this.#child, 'message'), dies])
    return run as DeviceRun
  }

  async end(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#ended.catch(() => undefined)
    rmSync(this.folder, { recursive: true, force: true })
  }
}
