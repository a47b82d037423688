import { execFileSync } from 'node:child_process'
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { errnoName, libcFunction } from '../../../gateway/io/libc.ts'

/** What a shutdown does with the journal: writes it out first, or leaves it as a power cut does (uapi/linux/ext4.h). */
export type Shutdown = 'journal written' | 'journal lost'
const SHUTDOWN_FLAGS: Readonly<Record<Shutdown, number>> = { 'journal written': 1, 'journal lost': 2 }
/** EXT4_IOC_SHUTDOWN, `_IOR('X', 125, __u32)`. */
const IOC_SHUTDOWN = 0x8004587d
type Ioctl = (file: number, request: number, flags: Uint32Array) => number
/** An error that it finds in itself makes it read-only. */
const MOUNT_OPTIONS = 'loop,noatime,errors=remount-ro'

/** A file system of its own in a file, mounted in a folder; what is done to it is done by root. */
export class Ext4Disk {
  readonly folder: string
  readonly #home: string

  constructor(bytes: number) {
    this.#home = mkdtempSync(join(tmpdir(), 'linli-ext4-'))
    this.folder = join(this.#home, 'disk')
    mkdirSync(this.folder)
    writeFileSync(this.#image, '')
    truncateSync(this.#image, bytes)
    execFileSync('mkfs.ext4', ['-q', '-F', '-m', '0', this.#image])
    this.#mount()
  }

  get #image(): string {
    return join(this.#home, 'image')
  }

  #mount(): void {
    execFileSync('mount', ['-t', 'ext4', '-o', MOUNT_OPTIONS, this.#image, this.folder])
  }

  /** From here on every call fails with EIO, and what was not written yet never will be. */
  shutDown(how: Shutdown): void {
    const ioctl = libcFunction<Ioctl>('int ioctl(int file, unsigned long request, uint32_t *flags)')
    const disk = openSync(this.folder, 'r')
    try {
      if (ioctl(disk, IOC_SHUTDOWN, new Uint32Array([SHUTDOWN_FLAGS[how]])) !== 0)
        throw new Error(`no shutdown of ext4: ${errnoName()}`)
    } finally {
      closeSync(disk)
    }
  }

  /** An error that ext4 finds in itself: from here on it can only be read. */
  becomeReadOnly(): void {
    writeFileSync(`/sys/fs/ext4/${basename(this.#device)}/trigger_fs_error`, '1')
  }

  get #device(): string {
    const mounted = readFileSync('/proc/mounts', 'utf8').split('\n')
    const line = mounted.find((each) => each.split(' ')[1] === this.folder)
    if (line === undefined) throw new Error(`${this.folder} is not mounted`)
    return line.split(' ')[0]!
  }

  /** As after the power came back: the journal is played, what is damaged is mended. */
  comeBack(): void {
    execFileSync('umount', [this.folder])
    this.#mend()
    this.#mount()
  }

  #mend(): void {
    try {
      execFileSync('e2fsck', ['-p', this.#image], { stdio: 'pipe' })
    } catch (error) {
      // 1: what was wrong has been mended (e2fsck(8)).
      if ((error as { status?: number }).status !== 1) throw error
    }
  }

  remove(): void {
    execFileSync('umount', [this.folder])
    rmSync(this.#home, { recursive: true })
  }
}
