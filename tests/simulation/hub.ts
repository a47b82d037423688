import type { Clock } from '../../gateway/contract/clock.ts'
import { EVENT_CLASSES } from '../../gateway/contract/event.ts'
import type { Random } from '../../gateway/contract/io.ts'
import type { MachineBoot } from '../../gateway/store/boots.ts'
import { directPort } from '../../gateway/store/direct-port.ts'
import type { Disk } from '../../gateway/store/disk-watch.ts'
import { openStore } from '../../gateway/store/open.ts'
import type { OpenedStore } from '../../gateway/store/opened-store.ts'
import { StoreTrouble } from '../../gateway/store/refusal.ts'
import type { Keeping } from '../../gateway/store/retention.ts'
import type { StorePort } from '../../gateway/store/service.ts'
import type { Dial } from '../../gateway/upstream/link.ts'
import { upstreamOptions } from '../../gateway/upstream/options.ts'
import { startUpstream, type Upstream } from '../../gateway/upstream/upstream.ts'
import { PULLER } from './consumers.ts'
import { NO_SECRETS, SILENT } from './surroundings.ts'

export const HUB = 'hub-01'
const CITY = upstreamOptions.parse({ id: 'city', mqtt: { url: 'mqtt://127.0.0.1' }, rights: { privacy: 'sensitive' } })
const UPSTREAM = 'up:city'

export interface HubParts {
  readonly path: string
  readonly clock: Clock
  readonly random: Random
  readonly disk: Disk
  readonly machine: () => MachineBoot
  readonly keeping: Keeping
  readonly tailEvents: number
  readonly dial: Dial
  /** Whether the writer is not to hear of the commit that comes. */
  readonly deaf: () => boolean
}

/** One life of the hub on the log: what ends with a crash. */
export class Hub {
  readonly store: OpenedStore
  readonly upstream: Upstream
  readonly ending = new AbortController()
  /** A bug that ended something. */
  failure: unknown

  private constructor(store: OpenedStore, { clock, random, dial }: HubParts) {
    this.store = store
    const { signal } = this.ending
    this.upstream = startUpstream(
      CITY,
      { hub: HUB, store, clock, random, log: SILENT, secrets: NO_SECRETS, signal },
      dial,
    )
    for (const end of [store.failed, this.upstream.done]) {
      end.catch((error: unknown) => {
        if (!signal.aborted) this.failure ??= error
      })
    }
  }

  static async start(parts: HubParts): Promise<Hub> {
    // The one that pulls is slow, so that readings are thinned before they go.
    const required = [PULLER, UPSTREAM].map((consumer) => ({ consumer, classes: EVENT_CLASSES }))
    const { keeping, tailEvents, disk, deaf } = parts
    const port = () => deafPort(disk, deaf)
    const store = await openLog(parts, { retention: { ...keeping, required }, tailEvents, port })
    return new Hub(store, parts)
  }
}

/** A writer that at times does not hear of a commit. */
function deafPort(disk: Disk, deaf: () => boolean): StorePort {
  const port = directPort(undefined, () => disk)
  return {
    call: async (name, argument) => {
      if (name === 'commit' && deaf()) throw new StoreTrouble('the commit did not come through (simulated)', 'io')
      return port.call(name, argument)
    },
  }
}

/** The log alone. */
export function openLog(
  { path, clock, disk, machine }: Pick<HubParts, 'path' | 'clock' | 'disk' | 'machine'>,
  more: Partial<Parameters<typeof openStore>[0]> = {},
): Promise<OpenedStore> {
  const port = () => directPort(undefined, () => disk)
  return openStore({ path, hub: HUB, clock, log: SILENT, machine, port, ...more })
}
