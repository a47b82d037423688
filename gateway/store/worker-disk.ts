import { closeSync, fdatasyncSync, openSync, readFileSync, rmSync, statfsSync, statSync, writeSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { Disk } from './disk-watch.ts'

/** The disk under a log, and the ballast beside it. */
export function diskUnder(path: string): Disk {
  const ballast = `${path}-ballast`
  const folder = dirname(resolve(path))
  return {
    freeBytes() {
      const { bavail, bsize } = statOf(folder) ?? {}
      return bavail === undefined || bsize === undefined ? undefined : bavail * bsize
    },
    totalBytes() {
      const { blocks, bsize } = statOf(folder) ?? {}
      return blocks === undefined || bsize === undefined ? undefined : blocks * bsize
    },
    writtenBytes() {
      try {
        // What was sent to disks for all threads of this process (proc(5), /proc/pid/io).
        const found = /^write_bytes: (\d+)$/m.exec(readFileSync('/proc/self/io', 'utf8'))
        return found === null ? undefined : Number(found[1])
      } catch {
        return undefined
      }
    },
    ballastBytes: () => statSync(ballast, { throwIfNoEntry: false })?.size ?? 0,
    growBallast(bytes) {
      const file = openSync(ballast, 'a', 0o600)
      try {
        // Written out, and no two blocks alike: a file system that stores holes or compresses would hold no room free.
        const block = noise(bytes, statSync(ballast).size)
        for (let done = 0; done < bytes; ) done += writeSync(file, block, done)
        fdatasyncSync(file)
      } finally {
        closeSync(file)
      }
    },
    dropBallast() {
      rmSync(ballast, { force: true })
    },
  }
}

function statOf(folder: string): { blocks: number; bavail: number; bsize: number } | undefined {
  try {
    return statfsSync(folder)
  } catch {
    return undefined
  }
}

/** Bytes without a pattern (Lehmer's generator, modulus 2^31 - 1). */
function noise(bytes: number, start: number): Buffer {
  const words = new Uint32Array(Math.ceil(bytes / 4))
  let seed = (start % 2_147_483_646) + 1
  for (let at = 0; at < words.length; at++) {
    seed = (seed * 48_271) % 2_147_483_647
    words[at] = seed
  }
  return Buffer.from(words.buffer, 0, bytes)
}
