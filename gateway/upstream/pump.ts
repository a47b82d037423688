import { EpochChanged, type Position, PositionAhead } from '../store/store.ts'
import { Confirmer } from './confirmer.ts'
import type { Link, LinkLost } from './link.ts'
import type { PumpParts, PumpState } from './pump-state.ts'
import { Session } from './session.ts'

export interface Pump {
  readonly state: Readonly<PumpState>
  /**
   * Push what stands behind the cursor over this link, until the link is lost or the signal aborts; then what is in
   * flight gets a moment to be acknowledged. Rejects with a Fault of the store.
   */
  run(link: Link, signal: AbortSignal): Promise<LinkLost | undefined>
}

/** Carries one consumer's part of the log to a broker. Nothing but the cursor outlives a connection. */
export function createPump(parts: PumpParts): Pump {
  const state: PumpState = {
    position: undefined,
    cautious: false,
    suspects: new Map(),
    counts: { acknowledged: 0, refused: 0, quarantined: 0, timeouts: 0 },
  }
  const confirmer = new Confirmer(parts)
  return {
    state,
    async run(link, signal) {
      state.position ??= (await parts.store.cursor(parts.consumer)) ?? { epoch: parts.store.epoch, seq: 0 }
      for (;;) {
        try {
          return await new Session(parts, state, confirmer, link).run(state.position, signal)
        } catch (error) {
          state.position = await anchor(parts, error)
        } finally {
          await confirmer.flush()
        }
      }
    },
  }
}

/** Where to go on when the cursor does not fit the log. The log itself tells what is missing, as a gap record. */
async function anchor(parts: PumpParts, error: unknown): Promise<Position> {
  const { store, consumer, log } = parts
  const position =
    error instanceof EpochChanged
      ? error.oldest
      : error instanceof PositionAhead
        ? { epoch: store.epoch, seq: error.lastSeq }
        : undefined
  if (position === undefined) throw error
  log.warn(`${(error as Error).message}; going on from ${position.epoch}/${position.seq}`, { consumer })
  await store.reset(consumer, position)
  return position
}
