import { mkdirSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Random } from '../../../gateway/contract/io.ts'

/** A recorded step of the process, see recorder.c. */
export interface Step {
  readonly kind: 'open' | 'write' | 'sync' | 'truncate' | 'remove' | 'rename' | 'failed-sync'
  readonly file: number
  readonly offset: number
  readonly bytes: Uint8Array
}

const KINDS = ['', 'open', 'write', 'sync', 'truncate', 'remove', 'rename', 'failed-sync'] as const
const HEAD_BYTES = 20

/** The record as recorder.c wrote it. A last step cut short by a kill is left out: it was not done. */
export function readRecord(record: Uint8Array): Step[] {
  const view = new DataView(record.buffer, record.byteOffset, record.byteLength)
  const steps: Step[] = []
  for (let at = 0; at + HEAD_BYTES <= record.length; ) {
    const kind = KINDS[view.getUint32(at, true)]
    const length = view.getUint32(at + 16, true)
    if (kind === undefined || kind === '') throw new Error(`record is damaged at byte ${at}`)
    if (at + HEAD_BYTES + length > record.length) break
    steps.push({
      kind,
      file: view.getUint32(at + 4, true),
      offset: Number(view.getBigUint64(at + 8, true)),
      bytes: record.subarray(at + HEAD_BYTES, at + HEAD_BYTES + length),
    })
    at += HEAD_BYTES + length
  }
  return steps
}

/** What a device may do to sectors that were written and not synced when the power went. */
export interface PowerCut {
  /** Chance that an unsynced sector of 512 bytes did not reach the medium. */
  readonly lostChance: number
  /** Chance that the last 4 KiB sector being written comes back as garbage. */
  readonly garbageChance: number
}

const SECTOR_BYTES = 512
const GARBAGE_BYTES = 4096

interface FileState {
  name: string
  /** What survives for certain. */
  synced: Buffer
  /** What was done since, in order. */
  pending: Step[]
}

/**
 * A disk that plays a record up to some step and then loses power. Unsynced sectors are kept or lost each by
 * itself, in no order. A file is there from its first sync on; removals and renames are taken as durable at
 * once, which is what ext4 gives for the files of SQLite (it syncs the folder) and no more than that.
 */
export class RecordedDisk {
  readonly #files = new Map<number, FileState>()

  play(step: Step): void {
    const file = this.#files.get(step.file)
    if (step.kind === 'open') {
      const name = basename(Buffer.from(step.bytes).toString())
      this.#files.set(step.file, { name, synced: Buffer.alloc(0), pending: [] })
      return
    }
    if (file === undefined) throw new Error(`step ${step.kind} on file ${step.file}, which was never opened`)
    if (step.kind === 'remove') this.#files.delete(step.file)
    else if (step.kind === 'rename') this.#rename(step.file, basename(Buffer.from(step.bytes).toString()))
    else if (step.kind === 'sync') this.#sync(file)
    // The kernel takes the pages for written from now on, and they never will be.
    else if (step.kind === 'failed-sync') file.pending = []
    else file.pending.push(step)
  }

  /** Lay out what is found after the power comes back, in `folder`. */
  cut(folder: string, cut: PowerCut, random: Random): void {
    mkdirSync(folder, { recursive: true })
    for (const file of this.#files.values()) {
      let content = file.synced
      for (const step of file.pending) content = applySectors(content, step, () => random.next() >= cut.lostChance)
      const last = file.pending.findLast(({ kind }) => kind === 'write')
      if (last !== undefined && random.next() < cut.garbageChance) content = garble(content, last, random)
      writeFileSync(join(folder, file.name), content)
    }
  }

  #sync(file: FileState): void {
    for (const step of file.pending) file.synced = applySectors(file.synced, step, () => true)
    file.pending = []
  }

  #rename(number: number, name: string): void {
    for (const [other, { name: taken }] of this.#files)
      if (taken === name && other !== number) this.#files.delete(other)
    const file = this.#files.get(number)
    if (file !== undefined) file.name = name
  }
}

function applySectors(content: Buffer, step: Step, kept: () => boolean): Buffer {
  if (step.kind === 'truncate') {
    if (!kept()) return content
    const cut = Buffer.alloc(step.offset)
    content.copy(cut, 0, 0, Math.min(content.length, step.offset))
    return cut
  }
  const end = step.offset + step.bytes.length
  let result = content
  let owned = false
  for (let from = step.offset; from < end; ) {
    const to = Math.min(end, (Math.floor(from / SECTOR_BYTES) + 1) * SECTOR_BYTES)
    if (kept()) {
      if (!owned) {
        result = Buffer.alloc(Math.max(content.length, end))
        content.copy(result)
        owned = true
      }
      result.set(step.bytes.subarray(from - step.offset, to - step.offset), from)
    }
    from = to
  }
  return result
}

function garble(content: Buffer, step: Step, random: Random): Buffer {
  const from = Math.floor(step.offset / GARBAGE_BYTES) * GARBAGE_BYTES
  const result = Buffer.from(content)
  const to = Math.min(result.length, from + GARBAGE_BYTES)
  if (to > from) result.set(random.bytes(to - from), from)
  return result
}
