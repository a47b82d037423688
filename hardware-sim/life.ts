import type { Clock } from '../gateway/contract/clock.ts'
import type { Random } from '../gateway/contract/io.ts'
import type { Camera } from './camera/camera.ts'
import type { DoorPanel } from './door-panel.ts'

/** Somebody is seen for so long. */
const SEEN_MS_MIN = 800
const SEEN_MS_SPAN = 2500
/** From the camera to the door handle. */
const WALK_MS = 1500

export interface LifeOptions {
  readonly clock: Clock
  readonly random: Random
  readonly signal: AbortSignal
  readonly door: Pick<DoorPanel, 'visit'> | undefined
  readonly camera: Pick<Camera, 'motion'> | undefined
  /** Milliseconds between two visits, on average. */
  readonly visitEvery: number
  /** Milliseconds between two movements that are no visits, on average. */
  readonly motionEvery: number
}

/** People come and go until the signal aborts: some through the door, some only past the camera. */
export function live(options: LifeOptions): void {
  const { clock, random, signal, door, camera } = options
  let seen = 0
  const beSeen = async (): Promise<void> => {
    if (camera === undefined) return
    seen += 1
    if (seen === 1) camera.motion(true)
    await clock.sleep(SEEN_MS_MIN + random.next() * SEEN_MS_SPAN, signal)
    seen -= 1
    if (seen === 0) camera.motion(false)
  }
  const goThrough = async (): Promise<void> => {
    await clock.sleep(WALK_MS, signal)
    await door?.visit()
  }
  const visit = async (): Promise<void> => {
    await Promise.all([beSeen(), goThrough()])
  }
  if (door !== undefined) void again(options, options.visitEvery, visit)
  if (camera !== undefined) void again(options, options.motionEvery, beSeen)
}

/** Do it now and then: a pause of between half and one and a half times `everyMs`, so that a short run sees some. */
async function again({ clock, random, signal }: LifeOptions, everyMs: number, act: () => Promise<void>): Promise<void> {
  try {
    for (;;) {
      await clock.sleep(everyMs * (0.5 + random.next()), signal)
      await act()
    }
  } catch (error) {
    if (!signal.aborted) throw error
  }
}
