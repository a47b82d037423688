import { isAboutTheMessage, type Refusal } from './link.ts'

/** Refusals, or connections closed over it, until an event is taken for poison. */
export const TRIES_MAX = 5
/** A broker in trouble also closes connections: an event alone with it must have had so long. */
const CLOSING_MS_MIN = 60_000
export const PAUSE_FIRST_MS = 1000
const PAUSE_MESSAGE_MAX_MS = 30_000
const PAUSE_RIGHTS_MAX_MS = 15 * 60_000

/** What is held against one event that the broker would not take. */
export interface Suspect {
  refusals: number
  /** Connections that ended while this event alone was in flight on them. */
  closings: number
  readonly firstMs: number
  /** Acknowledgements of other events, counted at the first refusal. */
  readonly acceptedBefore: number
  lastRefusal: Refusal | undefined
  /** It was given up; its gap record goes in its place. */
  quarantined: boolean
}

export function newSuspect(nowMs: number, accepted: number): Suspect {
  return {
    refusals: 0,
    closings: 0,
    firstMs: nowMs,
    acceptedBefore: accepted,
    lastRefusal: undefined,
    quarantined: false,
  }
}

/**
 * Is it the event, and not the broker? Refused often enough for a reason that is about the message, while others
 * were accepted in between; or, where a broker says no by closing (MQTT 3.1.1 has no other way), closed often
 * enough with nothing else in flight, on connections that had all acknowledged the hub's status before.
 */
export function isPoison(suspect: Suspect, nowMs: number, accepted: number): boolean {
  const refused =
    suspect.refusals >= TRIES_MAX &&
    accepted > suspect.acceptedBefore &&
    suspect.lastRefusal !== undefined &&
    isAboutTheMessage(suspect.lastRefusal)
  const closed = suspect.closings >= TRIES_MAX && nowMs - suspect.firstMs >= CLOSING_MS_MIN
  return refused || closed
}

/** The longest pause before a refused event is tried again. */
export function pauseMaxMs(refusal: Refusal): number {
  return isAboutTheMessage(refusal) ? PAUSE_MESSAGE_MAX_MS : PAUSE_RIGHTS_MAX_MS
}
