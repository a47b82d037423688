import type { Clock } from '../contract/clock.ts'
import type { SeenData } from '../contract/event.ts'
import { isFault } from '../contract/fault.ts'
import type { Log } from '../contract/log.ts'
import type { Recorder } from './recorder.ts'

/** What the hub itself did, as audit events: that it started, took other settings, knows other tokens, gave its log away, stopped. */
export type HubRecord = (
  type:
    | 'linli.hub.started'
    | 'linli.hub.stopped'
    | 'linli.settings.applied'
    | 'linli.settings.refused'
    | 'linli.tokens.changed'
    | 'linli.log.copied',
  data: SeenData,
) => Promise<void>

/** Where the storage does not take it, the log of the process has it. */
export function createHubRecord(parts: {
  readonly recorder: Pick<Recorder, 'commit'>
  readonly clock: Clock
  readonly log: Log
}): HubRecord {
  const { recorder, clock, log } = parts
  return async (type, data) => {
    try {
      await recorder.commit([{ type, class: 'audit', privacy: 'public', monoMs: clock.monoMs(), data }])
    } catch (error) {
      if (!isFault(error)) throw error
      log.warn(`not kept in the event log: ${type}`, { ...data, error: error.message })
    }
  }
}
