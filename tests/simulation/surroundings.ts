import { type Entry, EVENT_CLASSES } from '../../gateway/contract/event.ts'
import type { Log } from '../../gateway/contract/log.ts'
import type { OpenedStore } from '../../gateway/store/opened-store.ts'
import type { VirtualClock } from '../../hardware-sim/clock.ts'

/** Everything from behind a place to where the log ends now. */
export async function readBehind(store: OpenedStore, seq: number): Promise<{ entries: Entry[]; lastSeq: number }> {
  const entries: Entry[] = []
  const lastSeq = store.lastSeq()
  for (let after = { epoch: store.epoch, seq }; after.seq < lastSeq; ) {
    const page = await store.read({ after, limit: 5000, classes: EVENT_CLASSES })
    entries.push(...page.entries.filter((entry) => (entry.kind === 'event' ? entry.seq : entry.fromSeq) <= lastSeq))
    after = page.next
  }
  return { entries, lastSeq }
}

/** Let virtual time go on until something is done. */
export async function during<T>(clock: VirtualClock, doing: Promise<T>): Promise<T> {
  let done = false
  const settled = doing.finally(() => {
    done = true
  })
  settled.catch(() => undefined)
  for (let steps = 0; !done; steps++) {
    await clock.advance(steps < 50 ? 1 : 1000)
    if (steps > 5000) throw new Error('something never ends')
  }
  return settled
}

export const SILENT: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  with: () => SILENT,
}
export const NO_SECRETS = {
  load: async (): Promise<string> => {
    throw new Error('there are no secrets')
  },
}
