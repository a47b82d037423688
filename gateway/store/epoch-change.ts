import { basename } from 'node:path'
import { EPOCH_TYPE, type EpochTold } from './audit-events.ts'
import type { Opening } from './boots.ts'
import type { Parcel, Stream } from './parcel.ts'
import type { Salvaged } from './rebuild.ts'

/** The epoch that ended, as far as it is known: what audit events were signed in it can be judged by that. */
export type EndedEpoch = Pick<EpochTold, 'before' | 'kept' | 'reached' | 'replaced'>

/** Why a new epoch began, and under which name the file stands that could not be gone on with. */
export interface EpochChange {
  readonly reason: string
  readonly before: EndedEpoch
  readonly aside?: string
  /** What was brought over from it. */
  readonly salvaged?: Salvaged
}

/**
 * @param held the epoch of the log that is gone on with, where there is one, and the last place of it
 * @param reached what is known of the log that stood there: the end that it had come to
 */
export function endedEpoch(
  held: string | undefined,
  kept: number,
  reached: { readonly epoch: string | undefined; readonly seq: number | undefined },
): EndedEpoch {
  const stood = reached.epoch === '' ? undefined : reached.epoch
  const before = held ?? stood
  return {
    ...(before === undefined ? {} : { before }),
    kept,
    ...(stood === before && reached.seq !== undefined ? { reached: reached.seq } : {}),
    ...(stood !== undefined && stood !== before ? { replaced: stood } : {}),
  }
}

/** The events that report it: an alarm of the hub itself, and the same in the chain of the audit events. */
export function changeEvents(
  { epoch, reason, before, aside, salvaged }: EpochChange & { readonly epoch: string },
  { wallMs, monoUs, clock }: Opening,
): [readonly Parcel[], readonly Stream[]] {
  const more = {
    ...(aside === undefined ? {} : { set_aside: basename(aside) }),
    reason,
    ...(salvaged === undefined ? {} : { salvaged }),
  }
  const type = aside === undefined ? 'linli.log.epoch-changed' : 'linli.log.set-aside'
  const texts = [JSON.stringify(more), JSON.stringify({ epoch, ...before, ...more })]
  const common = { source: '', privacy: 'public', clock } as const
  const streams: Stream[] = [
    { ...common, class: 'alarm', type },
    { ...common, class: 'audit', type: EPOCH_TYPE },
  ]
  const rows = texts.flatMap((text, n) => [n, 0, Math.floor(wallMs), Math.round(monoUs), text.length])
  return [[{ rows: Float64Array.from(rows), text: texts.join('') }], streams]
}
