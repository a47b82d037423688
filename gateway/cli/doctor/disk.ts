import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  openSync,
  rmSync,
  statfsSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { StorageSettings } from '../../settings/schema.ts'
import { type Finding, well } from './finding.ts'

/** Less than this and the first hour of a building fills it. */
const FREE_BYTES_MIN = 100_000_000
const SYNCS = 5
const SYNC_SLOW_MS = 200
/** Numbers of file systems on which a log does not survive or can't be locked (statfs(2)). */
const UNFIT: Readonly<Record<number, string>> = {
  16914836: 'tmpfs: it is memory, and gone with the power',
  2240043254: 'ramfs: it is memory, and gone with the power',
  26985: 'NFS: SQLite can not lock a log there',
  4283649346: 'CIFS: SQLite can not lock a log there',
  19780: 'FAT: a power cut can take the whole of it, and everybody may read it',
  538032816: 'exFAT: a power cut can take the whole of it, and everybody may read it',
}

/** Whether the log has a place that it may write to, with room, that keeps what it is told to keep. */
export function diskFindings(besides: string, { path, maxBytes }: StorageSettings): Finding[] {
  const file = resolve(besides, path)
  const folder = nearestFolder(dirname(file))
  try {
    accessSync(folder, constants.W_OK | constants.X_OK)
  } catch {
    const hint = 'run this as the user of the hub (sudo -u linli ...), or give it the folder'
    return [{ state: 'bad', subject: 'disk', text: `${folder} can't be written`, hint }]
  }
  const { bavail, bsize, type } = statfsSync(folder)
  const used = statSync(file, { throwIfNoEntry: false })?.size ?? 0
  return [roomFinding(folder, bavail * bsize, maxBytes - used), ...kindFindings(type), syncFinding(folder)]
}

/** What the log at a path may take of its disk, with what it has already; undefined where nobody can say. */
export function roomForLog(besides: string, path: string): number | undefined {
  const file = resolve(besides, path)
  try {
    const { bavail, bsize } = statfsSync(nearestFolder(dirname(file)))
    const own = ['', '-wal', '-ballast'].map((end) => statSync(file + end, { throwIfNoEntry: false })?.size ?? 0)
    return own.reduce((sum, bytes) => sum + bytes, bavail * bsize)
  } catch (error) {
    if (error instanceof Error && 'code' in error) return undefined
    throw error
  }
}

/** @param stillBytes what the log may yet take */
export function roomFinding(folder: string, freeBytes: number, stillBytes: number): Finding {
  const text = `${Math.round(freeBytes / 1e6)} MB free at ${folder}`
  if (freeBytes < FREE_BYTES_MIN) {
    return { state: 'bad', subject: 'disk', text, hint: `free ${Math.round(FREE_BYTES_MIN / 1e6)} MB at least` }
  }
  if (freeBytes >= stillBytes) return well('disk', text)
  const hint = `storage.maxSize lets the log take ${Math.round(stillBytes / 1e6)} MB more: lower it, or take a larger disk`
  return { state: 'doubtful', subject: 'disk', text, hint }
}

export function kindFindings(type: number): Finding[] {
  const unfit = UNFIT[type]
  if (unfit === undefined) return []
  return [
    { state: 'doubtful', subject: 'disk', text: unfit, hint: 'put storage.path on ext4 or another disk file system' },
  ]
}

/** How long a commit takes: every alarm waits for one. */
function syncFinding(folder: string): Finding {
  const path = join(folder, `.linli-doctor-${process.pid}`)
  const times: number[] = []
  const file = openSync(path, 'wx', 0o600)
  try {
    for (let at = 0; at < SYNCS; at++) {
      const startMs = performance.now()
      writeSync(file, Buffer.alloc(4096, at))
      fsyncSync(file)
      times.push(performance.now() - startMs)
    }
  } finally {
    closeSync(file)
    rmSync(path)
  }
  const medianMs = times.sort((a, b) => a - b)[Math.floor(SYNCS / 2)]!
  const text = `a commit takes about ${medianMs.toFixed(1)} ms`
  if (medianMs < SYNC_SLOW_MS) return well('disk', text)
  return { state: 'doubtful', subject: 'disk', text, hint: 'the card is slow or worn: take one made for endurance' }
}

function nearestFolder(folder: string): string {
  return existsSync(folder) || dirname(folder) === folder ? folder : nearestFolder(dirname(folder))
}
