import type { Clock } from '../contract/clock.ts'
import type { Upstream } from './upstream.ts'

/** What a stopping hub waits at most, so that its last events go up: that it stops, and the head of its audit chain. */
const PARTING_MS = 2000
const LOOK_MS = 20

/** Resolves when each platform that is connected has acknowledged all of the log, or after a while. */
export async function partingFrom(links: readonly Pick<Upstream, 'state'>[], clock: Clock): Promise<void> {
  const untilMs = clock.monoMs() + PARTING_MS
  const behind = (): boolean => links.map((link) => link.state()).some(({ connected, lag }) => connected && lag > 0)
  while (behind() && clock.monoMs() < untilMs) await clock.sleep(LOOK_MS)
}
