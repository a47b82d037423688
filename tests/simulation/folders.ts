import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Random } from '../../gateway/contract/io.ts'
import type { Image } from './disk.ts'

const PAGE_BYTES = 4096

/** The folders of the lives of one hub, each with the files that the one before left. */
export class Folders {
  readonly #base = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'linli-simulation-'))
  #count = 0
  now = this.#make()

  /** The name of the log in the folder of now. */
  get path(): string {
    return join(this.now, 'hub.db')
  }

  /** A folder of its own, for a copy of the log. */
  aside(): string {
    return this.#make()
  }

  /** What is on the disk now is what the next life finds; or what a power cut left of the log. */
  next(image: Image | undefined): void {
    const [from, to] = [this.now, this.#make()]
    for (const name of readdirSync(from)) {
      const ofImage = image !== undefined && /^hub\.db(-wal|-mark|-mark-journal)?$/.test(name)
      if (!ofImage) copyFileSync(join(from, name), join(to, name))
    }
    for (const [end, bytes] of image ?? []) writeFileSync(join(to, `hub.db${end}`), bytes)
    this.now = to
  }

  /** The life in it is over. */
  drop(folder: string): void {
    rmSync(folder, { recursive: true, force: true })
  }

  /** Some bytes of the database are not what was written. */
  damage(random: Random): void {
    const bytes = statSync(this.path).size
    const at = Math.floor(random.next() * (bytes / PAGE_BYTES)) * PAGE_BYTES + Math.floor(random.next() * PAGE_BYTES)
    const file = openSync(this.path, 'r+')
    writeSync(file, random.bytes(1 + Math.floor(random.next() * 64)), 0, undefined, Math.min(at, bytes - 64))
    closeSync(file)
  }

  end(): void {
    rmSync(this.#base, { recursive: true, force: true })
  }

  #make(): string {
    const folder = join(this.#base, `life-${this.#count++}`)
    mkdirSync(folder, { recursive: true })
    return folder
  }
}
