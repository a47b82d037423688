/** How many commands are let through in a minute: so many at once, and then evenly. */
export interface DeskLimits {
  readonly perDevice: number
  readonly inAll: number
}

const MINUTE_MS = 60_000
/** Devices that nobody commanded for a minute are full again and forgotten; between two looks so many are remembered. */
const REMEMBERED_MAX = 1000

interface Bucket {
  left: number
  atMs: number
}

/** A bucket for each device and one for all: each command takes one from both, and a minute fills them. */
export class DeskLimiter {
  readonly #limits: DeskLimits
  readonly #devices = new Map<string, Bucket>()
  readonly #all: Bucket

  constructor(limits: DeskLimits, nowMs: number) {
    this.#limits = limits
    this.#all = { left: limits.inAll, atMs: nowMs }
  }

  /** @returns undefined when it may pass, else after how long the next one may. */
  take(
    device: string,
    nowMs: number,
  ): { readonly afterMs: number; readonly of: 'this device' | 'all devices' } | undefined {
    const { perDevice, inAll } = this.#limits
    const own = this.#bucketOf(device, nowMs)
    fill(own, perDevice, nowMs)
    fill(this.#all, inAll, nowMs)
    if (own.left < 1) return { afterMs: Math.ceil(((1 - own.left) * MINUTE_MS) / perDevice), of: 'this device' }
    if (this.#all.left < 1) return { afterMs: Math.ceil(((1 - this.#all.left) * MINUTE_MS) / inAll), of: 'all devices' }
    own.left -= 1
    this.#all.left -= 1
    return undefined
  }

  #bucketOf(device: string, nowMs: number): Bucket {
    const known = this.#devices.get(device)
    if (known !== undefined) return known
    if (this.#devices.size >= REMEMBERED_MAX) {
      for (const [name, { atMs }] of this.#devices) if (nowMs - atMs >= MINUTE_MS) this.#devices.delete(name)
    }
    const made = { left: this.#limits.perDevice, atMs: nowMs }
    this.#devices.set(device, made)
    return made
  }
}

function fill(bucket: Bucket, aMinute: number, nowMs: number): void {
  bucket.left = Math.min(aMinute, bucket.left + ((nowMs - bucket.atMs) * aMinute) / MINUTE_MS)
  bucket.atMs = nowMs
}
