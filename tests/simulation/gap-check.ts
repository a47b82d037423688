import { EVENT_CLASSES, type EventClass, type Gap, type GapReason } from '../../gateway/contract/event.ts'
import { RESERVED_PARTS } from '../../gateway/store/retention.ts'
import { must } from './broken.ts'
import type { Places } from './places.ts'

/** What may be a reason in this world now. */
export interface Allowed {
  /** Bytes of the file were changed by nobody we know. */
  readonly damage: boolean
  /** The room is never short: what goes has been kept for its time. */
  readonly keepMs: Readonly<Record<EventClass, number>> | undefined
  readonly nowMonoMs: number
  /** Readings that are held now. */
  readonly readings: number
}

const ALWAYS: readonly GapReason[] = ['evicted', 'thinned', 'epoch-change']
const DAMAGED: readonly GapReason[] = ['corrupt']
/** What the size of a row and that of its events have to do with each other is not known that well. */
const PART_OF_RESERVED = 0.5
/** So many readings are surely not only those that came since. */
const READINGS_MIN = 100
/** Between the clock and the check of it. */
const AGE_SLACK_MS = 120_000

/**
 * Whether what a gap record says of the places that it covers is so: why they went, and how many of what (L8, L13).
 * @returns how many events went by their age since the last look
 */
export function checkGap(gap: Gap, places: Places, allowed: Allowed): number {
  const name = `${gap.fromSeq} to ${gap.toSeq} (${gap.reason})`
  must(
    (allowed.damage ? [...ALWAYS, ...DAMAGED] : ALWAYS).includes(gap.reason),
    () => `L8: nothing is a reason for ${name}`,
  )
  if (gap.reason === 'corrupt' || gap.reason === 'epoch-change') return 0
  if (!allowed.damage) checkCounts(gap, places, name)
  let aged = 0
  for (let seq = gap.fromSeq; seq <= gap.toSeq; seq++) {
    if (places.gone.has(seq)) continue
    places.gone.add(seq)
    const what = places.classAt(seq)
    if (gap.reason === 'thinned' || what === undefined || seq <= places.trimmedSeq) continue
    if (allowed.keepMs !== undefined) {
      checkAge(places.monoMsAt(seq) ?? 0, what, seq, allowed)
      aged += 1
    } else {
      checkTurn(what, seq, places, allowed)
    }
  }
  return aged
}

function checkCounts({ fromSeq, toSeq, reason, counts }: Gap, places: Places, name: string): void {
  const known = places.countsOf(fromSeq, toSeq)
  const told = EVENT_CLASSES.reduce((sum, each) => sum + (counts[each] ?? 0), 0)
  must(told === toSeq - fromSeq + 1, () => `L8: ${name} tells of ${told} events`)
  if (reason === 'thinned') must(told === counts.telemetry, () => `L8: ${name} tells of more than readings`)
  for (const each of EVENT_CLASSES) {
    const [least, most] = [known[each], known[each] + known.unknown]
    const count = counts[each] ?? 0
    must(
      count >= least && count <= most,
      () => `L8: ${name} tells of ${count} ${each} events, there were ${least} to ${most}`,
    )
  }
}

/** Nothing goes before its time where there is room: by the clock that never jumps, whatever the other one showed. */
function checkAge(monoMs: number, what: EventClass, seq: number, { keepMs, nowMonoMs }: Allowed): void {
  const ageMs = nowMonoMs - monoMs
  const minutes = Math.round(ageMs / 60_000)
  must(
    ageMs >= (keepMs?.[what] ?? 0) - AGE_SLACK_MS,
    () => `L13: ${what} event ${seq} went when it was ${minutes} minutes old`,
  )
}

/** A class that is well within the room reserved for it loses nothing while there are readings that could go. */
function checkTurn(what: EventClass, seq: number, { parts }: Places, { readings }: Allowed): void {
  const part = parts[what]
  if (what === 'telemetry' || part === undefined || readings < READINGS_MIN) return
  must(
    part >= RESERVED_PARTS[what] * PART_OF_RESERVED,
    () =>
      `L8: ${what} event ${seq} went, though its class had ${Math.round(part * 100)} % and ${readings} readings are held`,
  )
}
